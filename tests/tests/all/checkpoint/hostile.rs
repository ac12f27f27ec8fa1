//! Tests of hostile files: headers that announce missing data or that expand in memory; and paths that are not files.

use std::fs;
use std::path::Path;

use allocation_counter::measure;
use nn::{Checkpoint, CheckpointProblem};

use super::damaged::read;
use super::fixtures::{Folder, text};

/// Returns the bytes of a file with this header and `data` zero bytes.
fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

fn problem(bytes: &[u8]) -> CheckpointProblem {
    read(bytes).expect_err("hostile").problem
}

fn tensor(name: &str, dtype: &str, shape: &str, from: u64, to: u64) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
}

#[test]
fn checkpoint_false_header_length_is_refused() {
    for length in [13, 1 << 10, 1 << 20] {
        let bytes = [&u64::to_le_bytes(length)[..], b"{\"a\":1234567"].concat();
        assert!(matches!(problem(&bytes), CheckpointProblem::Truncated { bytes: 20 }), "{length}");
    }
    for length in [(1 << 20) + 1, 100_000_000, 1 << 32, u64::MAX - 7, u64::MAX] {
        let bytes = [&u64::to_le_bytes(length)[..], b"{\"a\":1234567"].concat();
        assert!(matches!(problem(&bytes), CheckpointProblem::Format(_)), "{length}");
    }
}

#[test]
fn checkpoint_false_shapes_and_offsets_are_refused() {
    let huge = u64::MAX / 8;
    for header in [
        tensor("a", "F32", "[4294967296,4294967296,4294967296]", 0, 0),
        tensor("a", "F32", "[1000000]", 0, 4_000_000),
        tensor("a", "F64", "[2305843009213693951]", 0, u64::MAX - 7),
        tensor("a", "F32", "[1]", u64::MAX - 3, u64::MAX),
        // The sum of these lengths is 2^64 - 8. Adding the header's length overflows in the safetensors crate.
        (0..8)
            .map(|i| tensor(&i.to_string(), "U8", &format!("[{huge}]"), i * huge, (i + 1) * huge))
            .collect::<Vec<_>>()
            .join(","),
    ] {
        assert!(matches!(problem(&file(&format!("{{{header}}}"), 4)), CheckpointProblem::Truncated { .. }), "{header}");
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
        assert!(matches!(problem(&file(&format!("{{{header}}}"), 4)), CheckpointProblem::Format(_)), "{header}");
    }
}

#[test]
fn checkpoint_tensors_without_elements_are_read() {
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

/// The elements of these headers are as small or as deeply nested as possible. [`read`] checks the memory bound.
#[test]
fn checkpoint_expanding_headers_use_bounded_memory() {
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

/// Only the beginning of a file that cannot be a checkpoint is read, at any file size.
#[test]
fn checkpoint_large_invalid_file_is_not_read_whole() {
    let folder = Folder::new("large");
    let path = folder.file("sparse");
    for beginning in
        ["", "the first bytes of a text", "\u{10}\0\0\0\0\0\0\0{\"a\":1000000000}", "\0\0\u{10}\0\0\0\0\0{}"]
    {
        fs::write(&path, beginning).expect("written");
        let file = fs::OpenOptions::new().write(true).open(&path).expect("it exists");
        file.set_len(1 << 36).expect("a sparse file needs no space");
        let mut read = None;
        let used = measure(|| read = Some(Checkpoint::load(&path))).bytes_max;
        assert!(used < (1 << 20) + 4096, "{used} bytes of memory");
        let problem = read.expect("just read").expect_err("no checkpoint").problem;
        assert!(matches!(problem, CheckpointProblem::Truncated { .. } | CheckpointProblem::Format(_)), "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn checkpoint_load_folder_device_or_socket_is_refused() {
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
