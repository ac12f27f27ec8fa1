//! The operations, and how they fail.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nn::files::{Files, OpenFile};

use super::{Content, Edit, MemoryDisk, NEW_MODE, Naming, Operation, State};

impl State {
    /// Counts an operation. The answer is whether it is to be done, rather than forgotten.
    fn ask(&mut self, operation: Operation, path: &Path) -> io::Result<bool> {
        let number = self.asked.len();
        self.asked.push(operation);
        if self.failing.contains(&number) {
            return Err(io::Error::other(format!("{operation:?}, operation {number}, was told to fail")));
        }
        let name = path.to_string_lossy();
        Ok(self.forgets.is_none_or(|(other, names)| other != operation || !name.ends_with(names)))
    }

    fn name(&mut self, naming: Naming) {
        naming.iter().for_each(|(path, file)| set(&mut self.names, path, *file));
        self.renamed.push(naming);
    }
}

pub(super) fn set(names: &mut BTreeMap<PathBuf, usize>, path: &Path, file: Option<usize>) {
    match file {
        Some(file) => names.insert(path.to_owned(), file),
        None => names.remove(path),
    };
}

impl Files for MemoryDisk {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn OpenFile>> {
        let mut state = self.state();
        state.ask(Operation::Create, path)?;
        if state.names.contains_key(path) || state.links.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let like = like.and_then(|like| state.names.get(like)).map(|&file| state.files[file].mode);
        let file = state.files.len();
        state.files.push(Content { mode: like.unwrap_or(NEW_MODE), ..Content::default() });
        state.name(vec![(path.to_owned(), Some(file))]);
        Ok(Box::new(Handle { disk: self.clone(), path: path.to_owned(), file, at: 0 }))
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut state = self.state();
        state.ask(Operation::ReadLink, path)?;
        Ok(state.links.get(path).cloned())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut state = self.state();
        state.ask(Operation::Open, path)?;
        let file = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        let at = state.files[file].seen.len();
        Ok(Box::new(Handle { disk: self.clone(), path: path.to_owned(), file, at }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.ask(Operation::Rename, from)?;
        let file = *state.names.get(from).ok_or(ErrorKind::NotFound)?;
        state.links.remove(to); // what had the name is gone, a link too
        state.name(vec![(from.to_owned(), None), (to.to_owned(), Some(file))]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.ask(Operation::Remove, path)?;
        state.names.get(path).ok_or(ErrorKind::NotFound)?;
        state.name(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let state = &mut *self.state();
        if state.ask(Operation::SyncFolder, folder)? {
            let here = |naming: &mut Naming| naming.iter().all(|(path, _)| path.parent() == Some(folder));
            for (path, file) in state.renamed.extract_if(.., here).flatten() {
                set(&mut state.safe_names, &path, file);
            }
        }
        Ok(())
    }
}

/// A file that a program has opened.
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
        let (number, mut length) = (state.asked.len(), bytes.len().min(state.room));
        if state.short && state.failing.contains(&number) && length > 1 {
            length /= 2;
            state.failing = number + 1..number + 2;
        }
        state.ask(Operation::Write, &self.path)?;
        if length == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        state.room -= length;
        state.files[self.file].edit(Edit::Write { at: self.at, bytes: bytes[..length].to_vec() });
        self.at += length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpenFile for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].seen.len() as u64)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let state = &mut *self.disk.state();
        state.ask(Operation::Cut, &self.path)?;
        state.files[self.file].edit(Edit::Cut { length: length as usize });
        self.at = length as usize;
        Ok(())
    }

    /// One that fails has brought some of it to the disk, and takes all of it for written.
    fn sync(&mut self) -> io::Result<()> {
        let state = &mut *self.disk.state();
        match state.ask(Operation::Sync, &self.path) {
            Ok(true) => state.files[self.file].settle(),
            Ok(false) => {}
            Err(error) => {
                state.files[self.file].survive(&mut state.chance);
                return Err(error);
            }
        }
        Ok(())
    }
}
