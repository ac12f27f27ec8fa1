//! The lock of a folder: as long as a process holds it, others are refused. The system takes it back when the process
//! ends, however that ends; the file stays.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Its name.
pub(super) const LOCK: &str = "lock";

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`.
    ///
    /// # Errors
    /// If another process holds it, or it cannot be made.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let error = |error| Error::file("lock", &path, &error, "see that you may write there");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok(); // who it is only helps
                return Err(Error::input(format!(
                    "{} is in use by another gradus (process {}); wait until it is done, or choose another folder",
                    folder.display(),
                    if owner.is_empty() { "unknown" } else { owner.trim() },
                )));
            }
            // A file system that knows no locks has none to be held.
            Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(cause)) => return Err(error(cause)),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.ok(); // a full disk must not be in the way of a run that goes on
        Ok(Self { _file: file })
    }
}
