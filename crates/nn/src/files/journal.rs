//! A file of lines that only grows, and that a run can be resumed from.
//!
//! What a checkpoint relies on must be on the disk before it: [`Journal::sync`] says up to where that is, the checkpoint
//! records it, and a resumed run cuts the journal there and makes the rest again.

use std::borrow::ToOwned;
use std::boxed::Box;
use std::format;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::vec::Vec;

use super::{Files, OpenFile, folder_of};

/// A file of lines that only grows. No fault leaves a torn line in its middle: what could not be written is cut off
/// again, kept, and written later.
#[derive(Debug)]
pub struct Journal {
    file: Box<dyn OpenFile>,
    path: PathBuf,
    /// How many bytes are on the disk for good.
    synced: u64,
    /// All lines after them.
    tail: Vec<u8>,
    /// How many bytes of the tail the file holds, unless it is torn: then it may hold less or more.
    written: usize,
    torn: bool,
}

impl Journal {
    /// A new journal, without lines.
    ///
    /// # Errors
    /// `AlreadyExists` if there is a file, or any other that the system has; then there is no journal.
    pub fn create(files: &dyn Files, path: &Path) -> io::Result<Self> {
        let file = files.create_new(path, None)?;
        files.sync_folder(folder_of(path)).inspect_err(|_| drop(files.remove(path)))?;
        Ok(Self::at(0, file, path))
    }

    /// The journal as it was when it had `length` bytes; what came after them is gone.
    ///
    /// # Errors
    /// `InvalidData` if it has fewer, or any other that the system has; then it is as it was.
    pub fn resume(files: &dyn Files, path: &Path, length: u64) -> io::Result<Self> {
        let mut file = files.open(path)?;
        let found = file.length()?;
        if found < length {
            let words = format!("it holds {found} bytes, expected {length} or more: it was cut off, or is another's");
            return Err(io::Error::new(ErrorKind::InvalidData, words));
        }
        files.sync_folder(folder_of(path))?; // as who made it may have been interrupted before that
        file.cut(length)?;
        Ok(Self::at(length, file, path))
    }

    fn at(synced: u64, file: Box<dyn OpenFile>, path: &Path) -> Self {
        Self { file, path: path.to_owned(), synced, tail: Vec::new(), written: 0, torn: false }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line, which is in the file for every reader when this returns, but not yet on the disk for good.
    ///
    /// # Errors
    /// Any that the system has, `StorageFull` for one. The line is kept then, and written before the next one or by
    /// [`sync`](Self::sync).
    ///
    /// # Panics
    /// If there is a line break in it.
    #[track_caller]
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        assert!(!line.contains('\n'), "Journal::append: a line with a line break in it: {line:?}");
        self.tail.extend_from_slice(line.as_bytes());
        self.tail.push(b'\n');
        self.write()
    }

    /// Brings all lines to the disk and says how many bytes these are: what a checkpoint may record.
    ///
    /// # Errors
    /// Any that the system has. The lines since the last success are kept then, and written again by the next call.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.write()?;
        if let Err(error) = self.file.sync() {
            // The system may take what it lost for written: only a new write brings it to the disk.
            (self.written, self.torn) = (0, true);
            return Err(error);
        }
        self.synced += self.tail.len() as u64;
        self.tail.clear();
        self.written = 0;
        Ok(self.synced)
    }

    fn write(&mut self) -> io::Result<()> {
        self.mend()?;
        if let Err(error) = self.file.write_all(&self.tail[self.written..]) {
            self.torn = true;
            self.mend().ok(); // the first error is the one to report, and the next call tries again
            return Err(error);
        }
        self.written = self.tail.len();
        Ok(())
    }

    /// Cuts off what is torn.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.cut(self.synced + self.written as u64)?;
            self.torn = false;
        }
        Ok(())
    }
}
