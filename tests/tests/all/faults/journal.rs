//! Tests of the journal without a run.

use std::io::ErrorKind;
use std::path::Path;

use gradus_tests::disk::MemoryDisk;
use nn::files::Journal;

const PATH: &str = "run/metrics.jsonl";

fn text(disk: &MemoryDisk) -> String {
    String::from_utf8(disk.read(Path::new(PATH)).expect("it exists")).expect("text")
}

#[test]
fn journal_full_disk_lines_are_kept_and_written_later() {
    let disk = MemoryDisk::new(0);
    let mut journal = Journal::create(&disk, Path::new(PATH)).expect("made");
    journal.append("one").expect("room");
    disk.set_free_bytes(6);
    let error = journal.append("two and more").expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(text(&disk), "one\n", "the incomplete line is cut off");
    journal.append("three").expect_err("still none");
    journal.sync().expect_err("still none");
    disk.set_free_bytes(100);
    journal.append("four").expect("room");
    assert_eq!(text(&disk), "one\ntwo and more\nthree\nfour\n");
    assert_eq!(journal.sync().expect("synced"), text(&disk).len() as u64);
}

#[test]
fn journal_failed_sync_lines_are_written_again() {
    for seed in 0..20 {
        let disk = MemoryDisk::new(seed);
        let mut journal = Journal::create(&disk, Path::new(PATH)).expect("made");
        journal.append("one").expect("room");
        journal.sync().expect("synced");
        journal.append("two").expect("room");
        let next = disk.operations().len();
        disk.fail(next..next + 1);
        journal.sync().expect_err("it fails on purpose");
        assert_eq!(journal.sync().expect("synced"), 8);
        assert_eq!(text(&disk.after_power_cut()), "one\ntwo\n");
    }
}

#[test]
fn journal_resumed_continues_and_never_overwrites() {
    let disk = MemoryDisk::new(0);
    let path = Path::new(PATH);
    let mut journal = Journal::create(&disk, path).expect("made");
    ["one", "two"].iter().for_each(|line| journal.append(line).expect("room"));
    assert_eq!(journal.path(), path);
    assert_eq!(Journal::create(&disk, path).expect_err("it exists").kind(), ErrorKind::AlreadyExists);

    let error = Journal::resume(&disk, path, 9).expect_err("the file has 8 bytes");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(error.to_string(), "it holds 8 bytes, expected 9 or more: it was cut off or belongs to another run");
    assert_eq!(text(&disk), "one\ntwo\n");
    let mut journal = Journal::resume(&disk, path, 4).expect("it exists");
    assert_eq!(text(&disk), "one\n");
    journal.append("2").expect("room");
    assert_eq!(text(&disk), "one\n2\n");
    assert_eq!(journal.sync().expect("synced"), 6);
    let missing = Journal::resume(&disk, Path::new("run/other"), 0).expect_err("it does not exist");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

/// A journal whose creation fails is removed. If the removal also fails, the file stays, and resuming makes its name durable.
#[test]
fn journal_name_not_durable_is_no_journal() {
    for (failing, is_left) in [(1, false), (2, true)] {
        for seed in 0..20 {
            let (disk, path) = (MemoryDisk::new(seed), Path::new(PATH));
            disk.fail(1..1 + failing);
            Journal::create(&disk, path).expect_err("the folder is not synced");
            assert_eq!(disk.read(path).is_some(), is_left);
            let journal = if is_left { Journal::resume(&disk, path, 0) } else { Journal::create(&disk, path) };
            let mut journal = journal.expect("nothing fails any more");
            journal.append("one").expect("room");
            journal.sync().expect("synced");
            assert_eq!(text(&disk.after_power_cut()), "one\n");
        }
    }
}

#[test]
#[should_panic(expected = "Journal::append: the line contains a line break")]
fn journal_append_line_break_panics() {
    let mut journal = Journal::create(&MemoryDisk::new(0), Path::new(PATH)).expect("made");
    let _ = journal.append("one\ntwo");
}
