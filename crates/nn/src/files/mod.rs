//! Fault-tolerant files: [atomic writes](write_atomic), which replace a file whole or not at all, and a
//! [journal](Journal) of lines from which a run can be resumed.
//!
//! ```
//! use nn::files::{Disk, Journal, write_atomic};
//!
//! let [state, lines] = ["state", "jsonl"].map(|name| std::env::temp_dir().join(format!("gradus-doc-files.{name}")));
//! # std::fs::remove_file(&lines).ok();
//! let mut journal = Journal::create(&Disk, &lines)?;
//! journal.append(r#"{"update":1}"#)?;
//! write_atomic(&Disk, &state, &journal.sync()?.to_le_bytes())?; // first the lines, then the file that depends on them
//! journal.append(r#"{"update":2}"#)?;
//!
//! let length = u64::from_le_bytes(std::fs::read(&state)?.try_into().expect("eight bytes"));
//! let mut journal = Journal::resume(&Disk, &lines, length)?; // the second line is gone; the run writes it again
//! # std::fs::remove_file(state)?;
//! # std::fs::remove_file(lines)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Both write through [`FileSystem`]. Therefore tests can simulate a disk that fails, fills up, or loses power.

mod atomic;
mod journal;
mod permissions;

use std::boxed::Box;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub use self::atomic::{is_partial_file, probe_write, remove_partial_files, write_atomic};
pub use self::journal::Journal;

/// The file system operations that writing needs.
pub trait FileSystem: Debug + Send + Sync {
    /// Creates an empty file. It gets the mode, owner and group of the file `like`, as far as the system allows. If
    /// there is no such file, it gets those of any new file.
    ///
    /// # Errors
    /// `AlreadyExists` if the path exists, or any other error of the system.
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn WritableFile>>;

    /// Returns the target of a symbolic link, relative to the link's folder. `None` if the path is no link or does not
    /// exist.
    ///
    /// # Errors
    /// Any error of the system.
    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>>;

    /// Opens an existing file to append to it.
    ///
    /// # Errors
    /// `NotFound` if the file does not exist, or any other error of the system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn WritableFile>>;

    /// Renames a file in one step and replaces any file of the new name.
    ///
    /// # Errors
    /// Any error of the system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Any error of the system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Flushes the names in a folder to the disk. Until then, a loss of power may undo creations and renames.
    ///
    /// # Errors
    /// Any error of the system, except that it does not support the operation.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// An open file for writing.
pub trait WritableFile: Write + Debug + Send {
    /// Returns the length in bytes.
    ///
    /// # Errors
    /// Any error of the system.
    fn length(&self) -> io::Result<u64>;

    /// Truncates the file to `length` bytes. Writing continues at its new end.
    ///
    /// # Errors
    /// Any error of the system.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Flushes the written bytes to the disk. After an error they may be lost, even if a later call succeeds: write
    /// them again.
    ///
    /// # Errors
    /// Any error of the system.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileSystem for Disk {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn WritableFile>> {
        match like.map_or(Err(ErrorKind::NotFound.into()), fs::metadata) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Box::new(File::create_new(path)?)),
            Ok(like) if !like.is_file() && !like.is_dir() => {
                Err(io::Error::other("it is a pipe or a device, expected a file"))
            }
            like => permissions::create_new(path, &like?).map(|file| Box::new(file) as _),
        }
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found?.is_symlink().then(|| fs::read_link(path)).transpose(),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is a folder, a pipe or a device, expected a file")); // opening a pipe would block
        }
        let mut file = OpenOptions::new().write(true).open(path)?; // not `append`: Windows cannot truncate such a file
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Returns success if the system does not support this. Not every writable folder can be opened, Windows opens no
    /// folder, and not every file system can flush a folder. In these cases the system decides when the names reach the
    /// disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match File::open(folder) {
            Ok(folder) => ignore_unsupported(folder.sync_all(), &[ErrorKind::InvalidInput, ErrorKind::Unsupported]),
            Err(error) => ignore_unsupported(Err(error), &[ErrorKind::PermissionDenied, ErrorKind::IsADirectory]),
        }
    }
}

/// Turns the errors of a system that does not support an operation into success.
fn ignore_unsupported(result: io::Result<()>, unsupported: &[ErrorKind]) -> io::Result<()> {
    result.or_else(|error| if unsupported.contains(&error.kind()) { Ok(()) } else { Err(error) })
}

impl WritableFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Returns the folder of a file.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
