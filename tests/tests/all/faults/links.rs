//! Tests of a file behind symbolic links, with a failure and a power cut at every operation.

use std::path::{Path, PathBuf};

use gradus_tests::disk::{MemoryDisk, NEW_MODE};
use nn::files::{FileSystem, write_atomic};

const LINKS: [(&str, &str); 2] = [("run/model", "../kept/second"), ("run/../kept/second", "third/model")];
const TARGET: &str = "run/../kept/third/model";

fn disk(seed: u64) -> MemoryDisk {
    let disk = MemoryDisk::new(seed);
    LINKS.iter().for_each(|(link, text)| disk.create_link(Path::new(link), Path::new(text)));
    disk
}

/// Asserts that the links are unchanged, and that the target is the old or the new file with the old mode.
fn check(disk: &MemoryDisk, old: &str, new: &str) {
    for (link, text) in LINKS {
        assert_eq!(disk.link_target(Path::new(link)), Some(PathBuf::from(text)));
        assert_eq!(disk.read(Path::new(link)), None);
    }
    let found = disk.read(Path::new(TARGET)).expect("it exists");
    assert!(found == old.as_bytes() || found == new.as_bytes(), "{}", String::from_utf8_lossy(&found));
    assert_eq!(disk.mode(Path::new(TARGET)), Some(0o600));
}

#[test]
fn write_atomic_behind_links_any_failure_leaves_a_whole_target() {
    let path = Path::new(LINKS[0].0);
    for power in [false, true] {
        for number in 0.. {
            let disk = disk(number as u64);
            write_atomic(&disk, path, b"the old content").expect("nothing fails yet");
            assert_eq!(disk.mode(Path::new(TARGET)), Some(NEW_MODE));
            disk.set_mode(Path::new(TARGET), 0o600);
            let done = disk.operations().len();
            disk.fail(done + number..if power { usize::MAX } else { done + number + 1 });
            let written = write_atomic(&disk, path, b"the new content, which is longer");
            let after = if power { disk.after_power_cut() } else { disk.clone() };
            check(&after, "the old content", "the new content, which is longer");
            if written.is_ok() {
                assert_eq!(after.read(Path::new(TARGET)).as_deref(), Some(&b"the new content, which is longer"[..]));
                assert!(number >= 7, "a write of {number} operations");
                break;
            }
            after.fail(0..0);
            write_atomic(&after, path, b"the next").expect("nothing fails any more");
            check(&after.after_power_cut(), "the next", "the next");
        }
    }
}

#[test]
fn write_atomic_link_loop_on_memory_disk_is_an_error() {
    let disk = MemoryDisk::new(0);
    disk.create_link(Path::new("run/a"), Path::new("b"));
    disk.create_link(Path::new("run/b"), Path::new("a"));
    let error = write_atomic(&disk, Path::new("run/a"), b"").expect_err("they lead nowhere");
    assert_eq!(error.to_string(), "more than 40 symbolic links, expected a chain that ends: they form a loop");
    assert!(disk.names().is_empty());
}

/// The memory disk behaves as a real one: a rename onto a link replaces the link, not its target.
#[test]
fn memory_disk_rename_over_a_link_removes_the_link() {
    let disk = disk(0);
    drop(disk.create_new(Path::new("run/other"), None).expect("made"));
    disk.rename(Path::new("run/other"), Path::new(LINKS[0].0)).expect("renamed");
    assert_eq!(disk.link_target(Path::new(LINKS[0].0)), None);
}
