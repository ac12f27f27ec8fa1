//! The disk's operations and their failures.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nn::files::{FileSystem, WritableFile};

use super::{Content, Edit, MemoryDisk, NEW_MODE, Naming, Operation, State};

impl State {
    /// Counts an operation. Returns true if it shall be executed, false if it is ignored.
    fn begin(&mut self, operation: Operation, path: &Path) -> io::Result<bool> {
        let number = self.operations.len();
        self.operations.push(operation);
        if self.failing.contains(&number) {
            return Err(io::Error::other(format!("operation {number} ({operation:?}) fails on purpose")));
        }
        let name = path.to_string_lossy();
        Ok(self.ignored.is_none_or(|(other, suffix)| other != operation || !name.ends_with(suffix)))
    }

    fn change_names(&mut self, naming: Naming) {
        naming.iter().for_each(|(path, file)| set_name(&mut self.names, path, *file));
        self.pending_names.push(naming);
    }
}

pub(super) fn set_name(names: &mut BTreeMap<PathBuf, usize>, path: &Path, file: Option<usize>) {
    match file {
        Some(file) => names.insert(path.to_owned(), file),
        None => names.remove(path),
    };
}

impl FileSystem for MemoryDisk {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn WritableFile>> {
        let mut state = self.state();
        state.begin(Operation::Create, path)?;
        if state.names.contains_key(path) || state.links.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let like = like.and_then(|like| state.names.get(like)).map(|&file| state.files[file].mode);
        let file = state.files.len();
        state.files.push(Content { mode: like.unwrap_or(NEW_MODE), ..Content::default() });
        state.change_names(vec![(path.to_owned(), Some(file))]);
        Ok(Box::new(Handle { disk: self.clone(), path: path.to_owned(), file, at: 0 }))
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut state = self.state();
        state.begin(Operation::ReadLink, path)?;
        Ok(state.links.get(path).cloned())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        let mut state = self.state();
        state.begin(Operation::Open, path)?;
        let file = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        let at = state.files[file].visible.len();
        Ok(Box::new(Handle { disk: self.clone(), path: path.to_owned(), file, at }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin(Operation::Rename, from)?;
        let file = *state.names.get(from).ok_or(ErrorKind::NotFound)?;
        state.links.remove(to); // a rename replaces a link of this name, too
        state.change_names(vec![(from.to_owned(), None), (to.to_owned(), Some(file))]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin(Operation::Remove, path)?;
        state.names.get(path).ok_or(ErrorKind::NotFound)?;
        state.change_names(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        if state.begin(Operation::SyncFolder, folder)? {
            let here = |naming: &mut Naming| naming.iter().all(|(path, _)| path.parent() == Some(folder));
            for (path, file) in state.pending_names.extract_if(.., here).flatten() {
                set_name(&mut state.durable_names, &path, file);
            }
        }
        Ok(())
    }
}

/// An open file.
#[derive(Debug)]
struct Handle {
    disk: MemoryDisk,
    path: PathBuf,
    file: usize,
    at: usize,
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = &mut *self.disk.state();
        let (number, mut length) = (state.operations.len(), bytes.len().min(state.free_bytes));
        if state.short && state.failing.contains(&number) && length > 1 {
            length /= 2;
            state.failing = number + 1..number + 2;
        }
        state.begin(Operation::Write, &self.path)?;
        if length == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        state.free_bytes -= length;
        state.files[self.file].edit(Edit::Write { at: self.at, bytes: bytes[..length].to_vec() });
        self.at += length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WritableFile for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].visible.len() as u64)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let state = &mut *self.disk.state();
        state.begin(Operation::Truncate, &self.path)?;
        state.files[self.file].edit(Edit::Truncate { length: length as usize });
        self.at = length as usize;
        Ok(())
    }

    /// A sync that fails makes some of the edits durable and drops all of them from the list.
    fn sync(&mut self) -> io::Result<()> {
        let state = &mut *self.disk.state();
        match state.begin(Operation::Sync, &self.path) {
            Ok(true) => state.files[self.file].sync_all(),
            Ok(false) => {}
            Err(error) => {
                state.files[self.file].sync_some(&mut state.rng);
                return Err(error);
            }
        }
        Ok(())
    }
}
