//! Readers for files of JSON lines. A file may be read while another process writes it.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result, show_path};
use crate::input::regular_file;

/// Parses every line. A last line without a line break is ignored, because it is incomplete: the writer was killed, or is
/// still writing it.
///
/// # Errors
/// The number of the first invalid line, from 1, and its error.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> std::result::Result<Vec<T>, (usize, serde_json::Error)> {
    let whole = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.enumerate().map(|(k, line)| serde_json::from_slice(line).map_err(|error| (k + 1, error))).collect()
}

/// Reads a file of JSON lines. `what` names its contents in errors, for example `metrics`.
///
/// # Errors
/// If the file cannot be read, or a line is invalid.
pub(super) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<Vec<T>> {
    read_while(path, what, |_| true).map(|(lines, _)| lines)
}

/// Reads the first lines of a file, up to the first that `keep` refuses. Returns them and their length in bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_while<T: DeserializeOwned>(
    path: &Path,
    what: &str,
    keep: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, u64)> {
    let text = regular_file::read(path).map_err(|error| Error::file("read", path, &error, &expected_file(what)))?;
    let lines = parse(&text).map_err(|(number, error)| invalid_line(path, number, what, &error))?;
    let lines: Vec<T> = lines.into_iter().take_while(keep).collect();
    let length = text.split_inclusive(|&byte| byte == b'\n').take(lines.len()).map(<[u8]>::len).sum::<usize>();
    Ok((lines, length as u64))
}

/// Creates the error of an invalid line, counted from 1.
pub(super) fn invalid_line(path: &Path, number: usize, what: &str, error: &serde_json::Error) -> Error {
    let expected = expected_file(what);
    Error::input(format!("{}, line {number}: invalid {what}: {error}; {expected}", show_path(path)))
}

/// Returns the part of an error message that says which file was expected.
pub(super) fn expected_file(what: &str) -> String {
    format!("expected the {what} that gradus train writes")
}
