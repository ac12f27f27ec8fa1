//! Reading what lies in a folder of a run: regular files alone. A pipe would wait for somebody to write, and a device may
//! have no end.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

/// Opens a file.
///
/// # Errors
/// If it is not a regular file, or any that the system has.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("it is a folder, a pipe or a device, expected a file")),
    }
}

/// Reads a file.
///
/// # Errors
/// If it is not a regular file, or any that the system has.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
