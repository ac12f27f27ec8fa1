//! The lock of a folder: as long as a process holds it, others are refused. The system takes it back when the process
//! ends, however that ends; the file stays.
//!
//! Who only wants to know whether it is held asks for a share of it, and gives that back at once. Shares and the lock
//! exclude each other, so whoever takes the lock looks whether it is a share that is in the way, and waits then.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::input::regular_file;

/// Its name.
pub(crate) const LOCK: &str = "lock";

/// How often, and at what intervals, a share is waited for: it is there for less than one of them.
const WAITS: (usize, Duration) = (100, Duration::from_millis(2));

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
        match take(&file) {
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

/// Takes the lock. If there can be a share, then no lock but shares were in the way.
fn take(file: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..WAITS.0 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => file.try_lock_shared()?,
            result => return result,
        }
        file.unlock().map_err(TryLockError::Error)?;
        sleep(WAITS.1);
    }
    Err(TryLockError::WouldBlock)
}

/// Whether a process holds the lock of `folder`, or nothing if the file system does not tell. Nothing is written.
///
/// # Errors
/// If there is a lock that cannot be looked at.
pub(crate) fn in_use(folder: &Path) -> Result<Option<bool>> {
    let path = folder.join(LOCK);
    let file = match regular_file::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(false)),
        file => file.map_err(|error| Error::file("read", &path, &error, "see that you may read it"))?,
    };
    Ok(match file.try_lock_shared() {
        Ok(()) => Some(false), // given back with the file
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_a_lock_neither_takes_it_nor_is_in_its_way() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        assert_eq!(in_use(folder).expect("no lock"), Some(false));
        let lock = Lock::take(folder).expect("free");
        assert_eq!(in_use(folder).expect("a lock"), Some(true));
        assert!(Lock::take(folder).is_err_and(|error| error.to_string().contains("in use by another gradus")));
        drop(lock);
        assert_eq!(in_use(folder).expect("a lock"), Some(false));
        std::thread::scope(|scope| {
            scope.spawn(|| (0..2_000).for_each(|_| drop(in_use(folder))));
            (0..200).for_each(|_| drop(Lock::take(folder).expect("only looked at")));
        });
    }
}
