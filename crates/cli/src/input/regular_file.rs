//! Reads files of run folders. Only regular files are read, because a pipe could block forever and a device may be endless.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

/// Opens a regular file.
///
/// # Errors
/// If the path is not a regular file, or the system reports an error.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("found a folder, a pipe or a device, expected a regular file")),
    }
}

/// Reads all bytes of a regular file.
///
/// # Errors
/// If the path is not a regular file, or the system reports an error.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
