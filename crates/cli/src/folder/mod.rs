//! Folders of runs. A run never writes into a folder that holds another, and a file is there as a whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The settings of a run.
pub(crate) const CONFIG: &str = "config.toml";
/// Its parameters and its optimiser's moments.
pub(crate) const MODEL: &str = "model.safetensors";
/// What each update and each validation brought, without the clock.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The figures of the test, without the clock.
pub(crate) const TEST: &str = "test.json";
/// How long it took.
pub(crate) const CLOCK: &str = "clock.json";
/// The figures of runs of several seeds.
pub(crate) const TABLE: &str = "table.md";
/// The same for programs.
pub(crate) const TABLE_JSON: &str = "table.json";

const ADVICE: &str = "choose another folder with --out, one that you may write to, on a disk with room";

/// A folder that this process has made, or found empty.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder `path`.
    ///
    /// # Errors
    /// If it is not empty or cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let error = |error| Error::file("make the folder", path, &error, ADVICE);
        match fs::create_dir_all(path).and_then(|()| fs::read_dir(path)).map_err(error)?.next() {
            None => Ok(Self { path: path.into() }),
            Some(_) => {
                let what = if holds_run(path) { "already holds a run" } else { "is not empty" };
                let path = path.display();
                Err(Error::input(format!("{path} {what}; choose another folder with --out, or remove this one")))
            }
        }
    }

    /// A new folder in `parent`, called `name`, or `name-2` or the like if that is there already.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn create_new(parent: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|error| Error::file("make the folder", parent, &error, ADVICE))?;
        let mut path = parent.join(name);
        for number in 2.. {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = parent.join(format!("{name}-{number}"))
                }
                Err(error) => return Err(Error::file("make the folder", &path, &error, ADVICE)),
                Ok(()) => break,
            }
        }
        Ok(Self { path })
    }

    /// A folder in this one.
    ///
    /// # Errors
    /// If it is not empty or cannot be made.
    pub(crate) fn child(&self, name: &str) -> Result<Self> {
        Self::create(&self.path.join(name))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let mut file = self.begin(name)?;
        file.append(content)?;
        file.finish()
    }

    /// Begins a file that has its name only when it is [finished](Growing::finish); until then it is `name.part`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn begin(&self, name: &str) -> Result<Growing> {
        let (path, part) = (self.path.join(name), self.path.join(format!("{name}.part")));
        let file = File::create_new(&part).map_err(|error| Error::file("write", &part, &error, ADVICE))?;
        Ok(Growing { file, path, part })
    }
}

/// Whether `path` holds a run, or runs of several seeds.
fn holds_run(path: &Path) -> bool {
    path.join(CONFIG).exists() || path.join(TABLE).exists()
}

/// A file that is not whole yet.
#[derive(Debug)]
pub(crate) struct Growing {
    file: File,
    path: PathBuf,
    part: PathBuf,
}

impl Growing {
    /// Appends to it.
    ///
    /// # Errors
    /// If there is no room.
    pub(crate) fn append(&mut self, content: impl AsRef<[u8]>) -> Result<()> {
        let written = self.file.write_all(content.as_ref());
        written.map_err(|error| Error::file("write", &self.part, &error, "what was written so far is kept; make room"))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// If it cannot be brought to the disk.
    pub(crate) fn finish(self) -> Result<()> {
        let finished = self.file.sync_all().and_then(|()| fs::rename(&self.part, &self.path));
        finished.map_err(|error| Error::file("write", &self.path, &error, ADVICE))
    }
}
