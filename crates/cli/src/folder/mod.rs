//! Run folders. Only one process at a time writes to a folder, and it never overwrites another run. Each file is complete
//! or absent.

mod about;
mod clock_file;
mod episodes;
mod file_names;
pub(crate) mod jsonl;
mod lock;
pub(crate) mod metrics;
pub(crate) mod outcome;
mod run_set;
mod seeds;
mod tail;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nn::files::{Disk, FileSystem, Journal, is_partial_file, remove_partial_files, write_atomic};

pub(crate) use about::{About, ChangedSetting, processor_name};
pub(crate) use clock_file::ClockFile;
pub(crate) use episodes::{Episode, EpisodeStep, EpisodesLine, ReadToken, Register, round};
pub(crate) use file_names::{
    ABOUT, BEST, BEST_BEFORE_END, CHECKPOINTS, CLOCK, CONFIG, EPISODES, METRICS, MODEL, REPORT, TABLE, TABLE_JSON, TEST,
};
pub(crate) use metrics::{Line, UpdateLine, ValidationLine};
pub(crate) use run_set::{RunRecord, RunSet, Setting, TaskFacts};
pub(crate) use seeds::{list_seeds, seed_folder};

pub(crate) use lock::{LOCK, is_locked};
pub(crate) use tail::{Tail, TailEvent};

use crate::error::{Error, Result, show_path};
use crate::output::print::pretty_json;
use lock::Lock;
use outcome::Outcome;

const CHOOSE_OTHER_FOLDER: &str = "choose another folder with --out, with write permission and free disk space";
const CHECK_DISK: &str = "make sure that the disk has free space and that you have write permission";

/// A run folder that this process has locked, so that only this process writes to it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Arc<dyn FileSystem>,
    _lock: Arc<Lock>,
}

impl Folder {
    /// Creates the run folder `path`, which must be new or empty.
    ///
    /// # Errors
    /// If the folder is not empty, is locked by another process, or cannot be created.
    pub(crate) fn create(path: &Path, about: &About) -> Result<Self> {
        let error = |error| Error::file("create the folder", path, &error, CHOOSE_OTHER_FOLDER);
        fs::create_dir_all(path).map_err(error)?;
        require_empty(path)?; // before a lock file is written into a folder of other files
        let folder = Self::open_locked(path)?;
        require_empty(path)?; // again, because another process may have used the folder meanwhile
        folder.write(ABOUT, pretty_json(&serde_json::json!(about)))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.files.sync_folder(parent).map_err(error)?; // makes the folder itself durable
        Ok(folder)
    }

    /// Creates a new run folder in `parent`, called `name`, or `name-2`, `name-3`, … if that name exists.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub(crate) fn create_new(parent: &Path, name: &str, about: &About) -> Result<Self> {
        fs::create_dir_all(parent)
            .map_err(|error| Error::file("create the folder", parent, &error, CHOOSE_OTHER_FOLDER))?;
        let mut path = parent.join(name);
        for number in 2.. {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = parent.join(format!("{name}-{number}"));
                }
                Err(error) => return Err(Error::file("create the folder", &path, &error, CHOOSE_OTHER_FOLDER)),
                Ok(()) => break,
            }
        }
        Self::create(&path, about)
    }

    /// Opens an existing run folder to resume its run, and reads its `about.json`.
    ///
    /// # Errors
    /// If the folder holds no run, has a format version that cannot be resumed, or is locked by another process.
    pub(crate) fn open(path: &Path) -> Result<(Self, About)> {
        let about = match About::read(path)? {
            Some(about) => about,
            None if contains_run(path) => {
                let [config, model] = [CONFIG, MODEL].map(|name| show_path(&path.join(name)));
                return Err(Error::input(format!(
                    "{} has format version 1, whose runs cannot be resumed, because it has no {ABOUT}; start a new run \
                     with --config {config} --init {model}",
                    show_path(path)
                )));
            }
            None => return Err(no_run_error(path, ABOUT)),
        };
        if !path.join(CONFIG).exists() {
            let shown = show_path(path);
            return Err(Error::input(match [MODEL, METRICS, TEST].iter().any(|name| path.join(name).exists()) {
                true => format!("{shown} lacks its {CONFIG}; restore the file that gradus train wrote"),
                false => format!(
                    "{shown} holds nothing to resume, because its run ended before it started; delete it and start a new one"
                ),
            }));
        }
        let folder = Self::open_locked(path)?;
        let kept = [path.join(CHECKPOINTS)].into_iter().filter(|kept| kept.exists());
        for path in kept.chain([path.to_owned()]) {
            remove_partial_files(&path).map_err(|error| Error::file("clean", &path, &error, CHECK_DISK))?;
        }
        Ok((folder, about))
    }

    /// Opens the subfolder of a seed, or creates it. It is created again if its run ended before it started.
    ///
    /// # Errors
    /// If the subfolder is locked by another process, holds something else, or cannot be created.
    pub(crate) fn open_or_create_seed(&self, seed: u64) -> Result<Self> {
        let path = seed_folder(&self.path, seed);
        if contains_run(&path) { Ok(Self::open(&path)?.0) } else { Self::create(&path, &About::now(None)) }
    }

    /// Takes the lock of an existing folder.
    fn open_locked(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), files: Arc::new(Disk), _lock: Arc::new(Lock::acquire(path)?) })
    }

    /// Returns the same folder with other file operations, for tests.
    #[cfg(test)]
    pub(crate) fn with_files(self, files: Arc<dyn FileSystem>) -> Self {
        Self { files, ..self }
    }

    /// Path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if the folder holds a file of this name.
    pub(crate) fn contains_file(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Writes a file atomically: afterwards it is complete, or unchanged.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path.join(name);
        let created = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = created.and_then(|()| write_atomic(&*self.files, &path, content.as_ref()));
        written.map_err(|error| Error::file("write", &path, &error, CHECK_DISK))
    }

    /// Records in `about.json` that the run is resumed with different kernels. Returns the names of the previous and the
    /// new kernels, or `None` if they are the same.
    ///
    /// # Errors
    /// If `about.json` cannot be read or written.
    pub(crate) fn record_kernel_change(&self) -> Result<Option<(String, &'static str)>> {
        let Some(mut about) = About::read(&self.path)? else { return Ok(None) };
        let now = tensor::default_kernels().map_err(|error| Error::input(error.to_string()))?.name();
        let Some(last) = about.record_kernel_change(now) else { return Ok(None) };
        self.write(ABOUT, pretty_json(&serde_json::json!(about)))?;
        Ok(Some((last, now)))
    }

    /// Records in `about.json` that the run is resumed with other settings, and the outcome that it had before. `recorded`
    /// returns the value of a setting in `config.toml`; a last change that it lacks is removed.
    ///
    /// # Errors
    /// If `about.json` cannot be read or written.
    pub(crate) fn record_settings_change(
        &self,
        recorded: &dyn Fn(&str) -> Option<String>,
        settings: &[ChangedSetting],
        outcome: Option<&Outcome>,
    ) -> Result<()> {
        let Some(mut about) = About::read(&self.path)? else { return Ok(()) };
        let before = about.changes.clone();
        about.record_settings_change(recorded, settings, outcome);
        if about.changes == before { Ok(()) } else { self.write(ABOUT, pretty_json(&serde_json::json!(about))) }
    }

    /// Removes a file, if it exists.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        let removed = match self.files.remove(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| self.files.sync_folder(&self.path)),
        };
        removed.map_err(|error| Error::file("remove", &path, &error, CHECK_DISK))
    }

    /// Renames a file and replaces any file of the new name.
    ///
    /// # Errors
    /// If the file cannot be renamed.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let path = self.path.join(from);
        let renamed = self.files.rename(&path, &self.path.join(to));
        let durable = renamed.and_then(|()| self.files.sync_folder(&self.path));
        durable.map_err(|error| Error::file("rename", &path, &error, CHECK_DISK))
    }

    /// Creates a new journal. An existing file of this name is deleted first.
    ///
    /// # Errors
    /// If the journal cannot be created.
    pub(crate) fn create_journal(&self, name: &str) -> Result<Journal> {
        self.remove(name)?;
        let path = self.path.join(name);
        Journal::create(&*self.files, &path).map_err(|error| Error::file("write", &path, &error, CHECK_DISK))
    }

    /// Opens a journal to append after its first `length` bytes.
    ///
    /// # Errors
    /// If the journal cannot be written, or is shorter than `length`.
    pub(crate) fn resume_journal(&self, name: &str, length: u64) -> Result<Journal> {
        let path = self.path.join(name);
        let journal = Journal::resume(&*self.files, &path, length);
        journal.map_err(|error| Error::file("resume", &path, &error, "restore the file that the run wrote"))
    }
}

/// Returns an error unless a folder is empty. Files that gradus writes first do not count.
fn require_empty(path: &Path) -> Result<()> {
    let error = |error| Error::file("create the folder", path, &error, CHOOSE_OTHER_FOLDER);
    let mut names = fs::read_dir(path).map_err(error)?.map(|entry| Ok(entry.map_err(error)?.file_name()));
    let counts = |name: &Result<OsString>| name.as_ref().map_or(true, |name| !is_written_first(name));
    if names.find(counts).transpose()?.is_none() {
        return Ok(());
    }
    let shown = show_path(path);
    Err(Error::input(match contains_run(path) {
        true => {
            format!("{shown} already holds a run; resume it with --resume {shown}, or choose another folder with --out")
        }
        false => format!("{shown} is not empty; choose another folder with --out, or delete this one"),
    }))
}

/// Returns true if gradus writes a file of this name before a folder holds anything worth keeping.
fn is_written_first(name: &OsStr) -> bool {
    [ABOUT, LOCK].iter().any(|first| name == *first) || is_partial_file(name)
}

/// Creates the error of a folder that does not exist, or that holds no run because it lacks a file.
pub(crate) fn no_run_error(path: &Path, missing: &str) -> Error {
    let (shown, advice) = (show_path(path), "name a folder that gradus train has written");
    Error::input(match path.exists() {
        true => format!("{shown} holds no run, because it has no {missing}; {advice}"),
        false => format!("there is no folder {shown}; {advice}"),
    })
}

/// Returns true if `path` holds a run, or runs of several seeds.
pub(crate) fn contains_run(path: &Path) -> bool {
    [CONFIG, TABLE].iter().any(|name| path.join(name).exists())
}
