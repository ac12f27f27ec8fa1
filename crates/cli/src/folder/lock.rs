//! The lock of a run folder. While a process holds it, no other process can write to the folder. The operating system
//! releases the lock when the process ends, even if it is killed. The lock file stays.
//!
//! A process that only asks whether the lock is held takes a shared lock and releases it at once. Shared locks and the
//! exclusive lock exclude each other. So a process that fails to take the exclusive lock checks whether only a shared lock
//! is in the way, and if so waits and tries again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result, show_path};
use crate::input::regular_file;

/// Name of the lock file.
pub(crate) const LOCK: &str = "lock";

/// Number of retries while a shared lock is in the way, and the interval between them. A shared lock is held for less than
/// one interval.
const SHARE_RETRIES: (usize, Duration) = (100, Duration::from_millis(2));

/// An exclusive lock that this process holds.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the exclusive lock of `folder`.
    ///
    /// # Errors
    /// If another process holds the lock, or the file cannot be created.
    pub(super) fn acquire(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let error = |error| Error::file("lock", &path, &error, "make sure that you have write permission");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(error)?;
        match try_exclusive(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok(); // the process id only makes the message more helpful
                return Err(Error::input(format!(
                    "{} is in use by another gradus (process {}); wait until it ends, or choose another folder",
                    show_path(folder),
                    if owner.is_empty() { "unknown" } else { owner.trim() },
                )));
            }
            // A file system without locks cannot exclude other processes.
            Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(cause)) => return Err(error(cause)),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.ok(); // ignored, so that a full disk does not prevent resuming
        Ok(Self { _file: file })
    }
}

/// Takes the exclusive lock. If a shared lock succeeds instead, only shared locks were in the way, and it tries again.
fn try_exclusive(file: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..SHARE_RETRIES.0 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => file.try_lock_shared()?,
            result => return result,
        }
        file.unlock().map_err(TryLockError::Error)?;
        sleep(SHARE_RETRIES.1);
    }
    Err(TryLockError::WouldBlock)
}

/// Returns true if a process holds the lock of `folder`, or `None` if the file system has no locks. Writes nothing.
///
/// # Errors
/// If the lock file exists but cannot be read.
pub(crate) fn is_locked(folder: &Path) -> Result<Option<bool>> {
    let path = folder.join(LOCK);
    let file = match regular_file::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(false)),
        file => file.map_err(|error| Error::file("read", &path, &error, "make sure that you have read permission"))?,
    };
    Ok(match file.try_lock_shared() {
        Ok(()) => Some(false), // the shared lock is released when `file` is dropped
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_locked_neither_takes_nor_blocks_the_lock() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        assert_eq!(is_locked(folder).expect("no lock"), Some(false));
        let lock = Lock::acquire(folder).expect("free");
        assert_eq!(is_locked(folder).expect("a lock"), Some(true));
        assert!(Lock::acquire(folder).is_err_and(|error| error.to_string().contains("in use by another gradus")));
        drop(lock);
        assert_eq!(is_locked(folder).expect("a lock"), Some(false));
        std::thread::scope(|scope| {
            scope.spawn(|| (0..2_000).for_each(|_| drop(is_locked(folder))));
            (0..200).for_each(|_| drop(Lock::acquire(folder).expect("only checked by the other thread")));
        });
    }
}
