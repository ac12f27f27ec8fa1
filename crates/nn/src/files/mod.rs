//! Files that no fault can hurt: one that is written [whole or not at all](write_whole), and a [journal](Journal) of
//! lines that a run can be resumed from.
//!
//! ```
//! use nn::files::{Disk, Journal, write_whole};
//!
//! let [state, lines] = ["state", "jsonl"].map(|name| std::env::temp_dir().join(format!("gradus-doc-files.{name}")));
//! # std::fs::remove_file(&lines).ok();
//! let mut journal = Journal::create(&Disk, &lines)?;
//! journal.append(r#"{"update":1}"#)?;
//! write_whole(&Disk, &state, &journal.sync()?.to_le_bytes())?; // the lines first, then who relies on them
//! journal.append(r#"{"update":2}"#)?;
//!
//! let length = u64::from_le_bytes(std::fs::read(&state)?.try_into().expect("eight bytes"));
//! let mut journal = Journal::resume(&Disk, &lines, length)?; // without the second line, which is made again
//! # std::fs::remove_file(state)?;
//! # std::fs::remove_file(lines)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Both write through [`Files`], so that tests can put a disk under them that fails, fills up, or loses power.

mod access;
mod journal;
mod whole;

use std::boxed::Box;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub use self::journal::Journal;
pub use self::whole::{is_part, sweep, try_out, write_whole};

/// What writing needs of a file system.
pub trait Files: Debug + Send + Sync {
    /// A new file, empty. It has the mode, owner and group of the file `like`, as far as the system allows; if there is no
    /// such file, those of any new one.
    ///
    /// # Errors
    /// `AlreadyExists` if anything is there, or any other that the system has.
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn OpenFile>>;

    /// The text of a symbolic link, which is relative to the link's folder; nothing if there is something else, or nothing.
    ///
    /// # Errors
    /// Any that the system has.
    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>>;

    /// The file that is there, to be written on at its end.
    ///
    /// # Errors
    /// `NotFound` if it is not there, or any other that the system has.
    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Gives a file another name, in one step, and replaces the file that had it.
    ///
    /// # Errors
    /// Any that the system has.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Any that the system has.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Brings the names in a folder to the disk: until then a loss of power may undo what was created and renamed.
    ///
    /// # Errors
    /// Any that the system has, but not that it knows no such thing.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait OpenFile: Write + Debug + Send {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Any that the system has.
    fn length(&self) -> io::Result<u64>;

    /// Cuts it to `length` bytes; writing goes on there.
    ///
    /// # Errors
    /// Any that the system has.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Brings what was written to the disk. After an error that may be lost, even if a later call succeeds: write it
    /// again.
    ///
    /// # Errors
    /// Any that the system has.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn OpenFile>> {
        match like.map_or(Err(ErrorKind::NotFound.into()), fs::metadata) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Box::new(File::create_new(path)?)),
            Ok(like) if !like.is_file() && !like.is_dir() => {
                Err(io::Error::other("it is a pipe or a device, expected a file"))
            }
            like => access::create_new(path, &like?).map(|file| Box::new(file) as _),
        }
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found?.is_symlink().then(|| fs::read_link(path)).transpose(),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is a folder, a pipe or a device, expected a file")); // a pipe would be waited for
        }
        let mut file = OpenOptions::new().write(true).open(path)?; // not `append`: Windows cuts no such file
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Not every folder that takes files can be opened, Windows opens none, and not every file system synchronises
    /// them. There the names come to the disk when the system sees fit, which is no reason not to write.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match File::open(folder) {
            Ok(folder) => unless(folder.sync_all(), &[ErrorKind::InvalidInput, ErrorKind::Unsupported]),
            Err(error) => unless(Err(error), &[ErrorKind::PermissionDenied, ErrorKind::IsADirectory]),
        }
    }
}

fn unless(result: io::Result<()>, unable: &[ErrorKind]) -> io::Result<()> {
    result.or_else(|error| if unable.contains(&error.kind()) { Ok(()) } else { Err(error) })
}

impl OpenFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
