//! Files that were made to hurt: headers that announce what is not there, or that take many times their size in memory;
//! and what is no file at all.

use std::fs;
use std::path::Path;

use allocation_counter::measure;
use nn::{Checkpoint, Problem};

use super::damaged::read;
use super::given::{Folder, text};

/// A file with this header.
fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

fn problem(bytes: &[u8]) -> Problem {
    read(bytes).expect_err("hostile").problem
}

fn tensor(name: &str, dtype: &str, shape: &str, from: u64, to: u64) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
}

#[test]
fn announced_lengths_are_not_believed() {
    for length in [13, 1 << 10, 1 << 20] {
        let bytes = [&u64::to_le_bytes(length)[..], b"{\"a\":1234567"].concat();
        assert!(matches!(problem(&bytes), Problem::Truncated { bytes: 20 }), "{length}");
    }
    for length in [(1 << 20) + 1, 100_000_000, 1 << 32, u64::MAX - 7, u64::MAX] {
        let bytes = [&u64::to_le_bytes(length)[..], b"{\"a\":1234567"].concat();
        assert!(matches!(problem(&bytes), Problem::Format(_)), "{length}");
    }
}

#[test]
fn shapes_and_offsets_are_not_believed() {
    let huge = u64::MAX / 8;
    for header in [
        tensor("a", "F32", "[4294967296,4294967296,4294967296]", 0, 0),
        tensor("a", "F32", "[1000000]", 0, 4_000_000),
        tensor("a", "F64", "[2305843009213693951]", 0, u64::MAX - 7),
        tensor("a", "F32", "[1]", u64::MAX - 3, u64::MAX),
        // Their sum is 2^64 - 8 plus the header: the crate that reads would overflow.
        (0..8)
            .map(|i| tensor(&i.to_string(), "U8", &format!("[{huge}]"), i * huge, (i + 1) * huge))
            .collect::<Vec<_>>()
            .join(","),
    ] {
        assert!(matches!(problem(&file(&format!("{{{header}}}"), 4)), Problem::Truncated { .. }), "{header}");
    }
    for header in [
        tensor("a", "F32", "[1,2]", 0, 4),
        tensor("a", "F32", "[18446744073709551616]", 0, 4),
        tensor("a", "F32", "[9223372036854775808,2]", 0, 4),
        tensor("a", "F32", "[4611686018427387905]", 0, 4),
        tensor("a", "F32", "[1000000]", 0, 4),
        tensor("a", "F32", "[-1]", 0, 4),
        tensor("a", "F32", "[1.0]", 0, 4),
        tensor("a", "F32", "[1]", 4, 0),
        tensor("a", "F32", "{}", 0, 4),
        tensor("a", "F99", "[1]", 0, 4),
        [tensor("a", "F32", "[1]", 0, 4), tensor("b", "F32", "[1]", 0, 4)].join(","),
    ] {
        assert!(matches!(problem(&file(&format!("{{{header}}}"), 4)), Problem::Format(_)), "{header}");
    }
}

#[test]
fn tensors_without_numbers_are_read() {
    for (text, shape) in [("[0,7]", [0, 7]), ("[0,1000]", [0, 1000]), ("[4096,0]", [4096, 0])] {
        let header = format!("{{{},{}}}", tensor("a", "F32", text, 0, 0), tensor("b", "F64", "[]", 0, 8));
        let checkpoint = read(&file(&header, 8)).expect("valid");
        let shapes: Vec<_> = checkpoint.shapes().collect();
        assert_eq!(shapes, [("a", &shape[..]), ("b", &[][..])]);
    }
    let header = format!("{{{}}}", tensor("shape", "F32", "[0,18446744073709551615]", 0, 0));
    let checkpoint = read(&file(&header, 0)).expect("valid");
    assert_eq!(checkpoint.shapes().next(), Some(("shape", &[0, usize::MAX][..])));
}

/// [`read`] bounds the memory; the contents of these headers are as small as they can be, or as deep.
#[test]
fn headers_that_swell() {
    for count in [10, 1000, 20_000] {
        let pairs = |pair: &dyn Fn(usize) -> String| (0..count).map(pair).collect::<Vec<_>>().join(",");
        for header in [
            "[".repeat(count),
            r#"{"":"#.repeat(count),
            format!(r#"{{"a":[{}]}}"#, vec!["0"; count].join(",")),
            format!(r#"{{"a":[{}]}}"#, vec!["[]"; count].join(",")),
            format!(r#"{{"a":[{}]}}"#, vec!["[0]"; count].join(",")),
            format!(r#"{{"a":[{}]}}"#, vec!["[[[[0]]]]"; count].join(",")),
            format!(r#"{{"a":[{}]}}"#, vec![r#"{"":0}"#; count].join(",")),
            format!(r#"{{"a":[{}]}}"#, vec!["[".repeat(100) + &"]".repeat(100); count / 10].join(",")),
            format!("{{{}}}", pairs(&|i| format!(r#""{i}":0"#))),
            format!("{{{}}}", pairs(&|i| format!(r#""{i}":[0]"#))),
            format!(r#"{{"__metadata__":{{{}}}}}"#, pairs(&|i| format!(r#""{i}":"""#))),
            format!("{{{}}}", pairs(&|i| tensor(&i.to_string(), "F32", "[0]", 0, 0))),
            format!("{{{}}}", pairs(&|_| tensor("", "F32", "[0]", 0, 0))),
        ] {
            read(&file(&header, 0)).ok();
        }
    }
}

/// Only the beginning is read of what cannot be a checkpoint, however large it is.
#[test]
fn a_large_file_is_not_read_in_vain() {
    let folder = Folder::new("large");
    let path = folder.file("sparse");
    for beginning in
        ["", "the first bytes of a text", "\u{10}\0\0\0\0\0\0\0{\"a\":1000000000}", "\0\0\u{10}\0\0\0\0\0{}"]
    {
        fs::write(&path, beginning).expect("written");
        let file = fs::OpenOptions::new().write(true).open(&path).expect("there");
        file.set_len(1 << 36).expect("a file of holes takes no room");
        let mut read = None;
        let used = measure(|| read = Some(Checkpoint::load(&path))).bytes_max;
        assert!(used < (1 << 20) + 4096, "{used} bytes of memory");
        let problem = read.expect("just read").expect_err("no checkpoint").problem;
        assert!(matches!(problem, Problem::Truncated { .. } | Problem::Format(_)), "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_read_for_ever() {
    let folder = Folder::new("no-file");
    let socket = folder.file("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a short path");
    for path in [&folder.0, Path::new("/dev/zero"), &socket] {
        let error = Checkpoint::load(path).expect_err("no file");
        assert_eq!(
            text(path, &error),
            "cannot be read: it is a folder, a pipe or a device; it should be a file that you may read"
        );
    }
}
