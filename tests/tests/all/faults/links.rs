//! A file behind symbolic links, on a disk on which everything fails once and whose power is cut at every moment.

use std::path::{Path, PathBuf};

use gradus_tests::disk::{MemoryDisk, NEW_MODE};
use nn::files::{Files, write_whole};

const LINKS: [(&str, &str); 2] = [("run/model", "../kept/second"), ("run/../kept/second", "third/model")];
const TARGET: &str = "run/../kept/third/model";

fn disk(seed: u64) -> MemoryDisk {
    let disk = MemoryDisk::new(seed);
    LINKS.iter().for_each(|(link, text)| disk.link(Path::new(link), Path::new(text)));
    disk
}

/// The links lead where they led, and the target is the old file or the new one, with the old one's mode.
fn check(disk: &MemoryDisk, old: &str, new: &str) {
    for (link, text) in LINKS {
        assert_eq!(disk.text_of_link(Path::new(link)), Some(PathBuf::from(text)));
        assert_eq!(disk.read(Path::new(link)), None);
    }
    let found = disk.read(Path::new(TARGET)).expect("there");
    assert!(found == old.as_bytes() || found == new.as_bytes(), "{}", String::from_utf8_lossy(&found));
    assert_eq!(disk.mode(Path::new(TARGET)), Some(0o600));
}

#[test]
fn a_target_behind_links_is_whole_whatever_fails() {
    let path = Path::new(LINKS[0].0);
    for power in [false, true] {
        for number in 0.. {
            let disk = disk(number as u64);
            write_whole(&disk, path, b"the old content").expect("nothing fails yet");
            assert_eq!(disk.mode(Path::new(TARGET)), Some(NEW_MODE));
            disk.set_mode(Path::new(TARGET), 0o600);
            let done = disk.asked().len();
            disk.fail(done + number..if power { usize::MAX } else { done + number + 1 });
            let written = write_whole(&disk, path, b"the new content, which is longer");
            let after = if power { disk.after_power_cut() } else { disk.clone() };
            check(&after, "the old content", "the new content, which is longer");
            if written.is_ok() {
                assert_eq!(after.read(Path::new(TARGET)).as_deref(), Some(&b"the new content, which is longer"[..]));
                assert!(number >= 7, "a write of {number} operations");
                break;
            }
            after.fail(0..0);
            write_whole(&after, path, b"the next").expect("nothing fails any more");
            check(&after.after_power_cut(), "the next", "the next");
        }
    }
}

#[test]
fn links_in_a_circle_end() {
    let disk = MemoryDisk::new(0);
    disk.link(Path::new("run/a"), Path::new("b"));
    disk.link(Path::new("run/b"), Path::new("a"));
    let error = write_whole(&disk, Path::new("run/a"), b"").expect_err("they lead nowhere");
    assert_eq!(error.to_string(), "more than 40 symbolic links, expected a chain that ends: they lead in a circle");
    assert!(disk.names().is_empty());
}

/// What would happen without looking: a file takes the link's place.
#[test]
fn a_name_that_a_file_takes_is_no_link_any_more() {
    let disk = disk(0);
    drop(disk.create_new(Path::new("run/other"), None).expect("made"));
    disk.rename(Path::new("run/other"), Path::new(LINKS[0].0)).expect("renamed");
    assert_eq!(disk.text_of_link(Path::new(LINKS[0].0)), None);
}
