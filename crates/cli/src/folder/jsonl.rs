//! Files of JSON lines, which may be read while they are written.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::input::regular_file;

/// Understands every line. A last line without its line break was torn by whatever ended the writer, or is being written:
/// it is left out.
///
/// # Errors
/// The number of the first line that is none, from 1, and why.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> std::result::Result<Vec<T>, (usize, serde_json::Error)> {
    let whole = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.enumerate().map(|(k, line)| serde_json::from_slice(line).map_err(|error| (k + 1, error))).collect()
}

/// Reads a file of lines of `what`.
///
/// # Errors
/// If it cannot be read or understood.
pub(super) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<Vec<T>> {
    let text = regular_file::read(path).map_err(|error| Error::file("read", path, &error, &advice(what)))?;
    parse(&text).map_err(|(number, error)| wrong(path, number, what, &error))
}

/// That a line, counted from 1, is none of `what`.
pub(super) fn wrong(path: &Path, number: usize, what: &str, error: &serde_json::Error) -> Error {
    let advice = advice(what);
    Error::input(format!("{}, line {number}: this is not of the {what}: {error}; {advice}", path.display()))
}

/// What a file of `what` should be.
pub(super) fn advice(what: &str) -> String {
    format!("expected the {what} that gradus train writes")
}
