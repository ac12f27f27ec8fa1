//! An append-only file of lines, from which a run can be resumed.
//!
//! The lines that a checkpoint depends on must be on the disk before the checkpoint. [`Journal::sync`] returns the
//! length that is on the disk, and the checkpoint records it. A resumed run truncates the journal there and writes the
//! later lines again.

use std::borrow::ToOwned;
use std::boxed::Box;
use std::format;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::vec::Vec;

use super::{FileSystem, WritableFile, folder_of};

/// An append-only file of lines. No fault leaves a torn line in its middle: an incomplete write is truncated, kept in
/// memory, and repeated later.
#[derive(Debug)]
pub struct Journal {
    file: Box<dyn WritableFile>,
    path: PathBuf,
    /// The number of bytes that are on the disk permanently.
    synced: u64,
    /// The lines after the first `synced` bytes.
    tail: Vec<u8>,
    /// The number of bytes of the tail that the file holds. If `torn`, the file may hold fewer or more.
    written: usize,
    torn: bool,
}

impl Journal {
    /// Creates a journal without lines.
    ///
    /// # Errors
    /// `AlreadyExists` if the file exists, or any other error of the system. Then no journal is left behind.
    pub fn create(files: &dyn FileSystem, path: &Path) -> io::Result<Self> {
        let file = files.create_new(path, None)?;
        files.sync_folder(folder_of(path)).inspect_err(|_| drop(files.remove(path)))?;
        Ok(Self::with_file(0, file, path))
    }

    /// Opens a journal and truncates it to its first `length` bytes.
    ///
    /// # Errors
    /// `InvalidData` if it has fewer bytes, or any other error of the system. Then the file is unchanged.
    pub fn resume(files: &dyn FileSystem, path: &Path, length: u64) -> io::Result<Self> {
        let mut file = files.open(path)?;
        let found = file.length()?;
        if found < length {
            let message =
                format!("it holds {found} bytes, expected {length} or more: it was cut off or belongs to another run");
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        files.sync_folder(folder_of(path))?; // the process that created it may have stopped before this
        file.truncate(length)?;
        Ok(Self::with_file(length, file, path))
    }

    fn with_file(synced: u64, file: Box<dyn WritableFile>, path: &Path) -> Self {
        Self { file, path: path.to_owned(), synced, tail: Vec::new(), written: 0, torn: false }
    }

    /// The path of the journal.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. When this returns, every reader of the file sees the line, but it may not survive a loss of
    /// power.
    ///
    /// # Errors
    /// Any error of the system, such as `StorageFull`. The line is then kept and written before the next one or by
    /// [`sync`](Self::sync).
    ///
    /// # Panics
    /// If the line contains a line break.
    #[track_caller]
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        assert!(!line.contains('\n'), "Journal::append: the line contains a line break: {line:?}");
        self.tail.extend_from_slice(line.as_bytes());
        self.tail.push(b'\n');
        self.write_tail()
    }

    /// Flushes all lines to the disk and returns the length of the journal in bytes, for a checkpoint to record.
    ///
    /// # Errors
    /// Any error of the system. The lines since the last success are then kept, and the next call writes them again.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.write_tail()?;
        if let Err(error) = self.file.sync() {
            // The system may consider lost bytes as written. Only a new write brings them to the disk.
            (self.written, self.torn) = (0, true);
            return Err(error);
        }
        self.synced += self.tail.len() as u64;
        self.tail.clear();
        self.written = 0;
        Ok(self.synced)
    }

    fn write_tail(&mut self) -> io::Result<()> {
        self.truncate_torn_end()?;
        if let Err(error) = self.file.write_all(&self.tail[self.written..]) {
            self.torn = true;
            self.truncate_torn_end().ok(); // the first error is the one to report, and the next call tries again
            return Err(error);
        }
        self.written = self.tail.len();
        Ok(())
    }

    /// Truncates the file after the last complete write, if a write failed.
    fn truncate_torn_end(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.truncate(self.synced + self.written as u64)?;
            self.torn = false;
        }
        Ok(())
    }
}
