//! Folders of runs. One process at a time writes there, never over another run, and a file is there as a whole or not
//! at all.

mod about;
mod episodes;
mod jsonl;
mod lock;
pub(crate) mod metrics;
mod names;
pub(crate) mod outcome;
mod read;
mod seconds;
mod seeds;
mod tail;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nn::files::{Disk, Files, Journal, is_part, sweep, write_whole};

pub(crate) use about::{About, processor};
pub(crate) use episodes::{Episode, EpisodeStep, EpisodesLine, Reading, Register};
pub(crate) use metrics::{Line, UpdateLine, ValidationLine};
pub(crate) use names::{
    ABOUT, BEST, CHECKPOINTS, CLOCK, CONFIG, EPISODES, METRICS, MODEL, REPORT, TABLE, TABLE_JSON, TEST,
};
pub(crate) use read::{Record, Runs, Setting};
pub(crate) use seconds::Seconds;
pub(crate) use seeds::{of_seed, seeds};

pub(crate) use lock::{LOCK, in_use};
pub(crate) use tail::{News, Tail};

use crate::error::{Error, Result, word};
use crate::output::print::pretty;
use lock::Lock;

const ADVICE: &str = "choose another folder with --out, one that you may write to, on a disk with room";
const ROOM: &str = "make room, and see that you may write there";

/// A folder that this process alone writes to.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Arc<dyn Files>,
    _lock: Arc<Lock>,
}

impl Folder {
    /// The folder `path`, which is new or empty.
    ///
    /// # Errors
    /// If it is not empty, in use, or cannot be made.
    pub(crate) fn create(path: &Path, about: &About) -> Result<Self> {
        let error = |error| Error::file("make the folder", path, &error, ADVICE);
        fs::create_dir_all(path).map_err(error)?;
        refuse_what_is_there(path)?; // before there is a lock in somebody's folder
        let folder = Self::lock(path)?;
        refuse_what_is_there(path)?; // another process may have come and gone meanwhile
        folder.write(ABOUT, pretty(&serde_json::json!(about)))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.files.sync_folder(parent).map_err(error)?; // the folder itself is there for good
        Ok(folder)
    }

    /// A new folder in `parent`, called `name`, or `name-2` or the like if that is there already.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn create_new(parent: &Path, name: &str, about: &About) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|error| Error::file("make the folder", parent, &error, ADVICE))?;
        let mut path = parent.join(name);
        for number in 2.. {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = parent.join(format!("{name}-{number}"));
                }
                Err(error) => return Err(Error::file("make the folder", &path, &error, ADVICE)),
                Ok(()) => break,
            }
        }
        Self::create(&path, about)
    }

    /// A folder that is there, to be gone on with, and what it says about itself.
    ///
    /// # Errors
    /// If it holds no run, one of a version that cannot be gone on with, or is in use.
    pub(crate) fn open(path: &Path) -> Result<(Self, About)> {
        let about = match About::read(path)? {
            Some(about) => about,
            None if holds_run(path) => {
                let path = path.display();
                return Err(Error::input(format!(
                    "{path} is of version 1, from a gradus that could not go on with a run: there is no {ABOUT}; \
                     start a new run with --config {path}/{CONFIG} --init {path}/{MODEL}"
                )));
            }
            None => {
                let path = path.display();
                return Err(Error::input(format!(
                    "{path} holds no run: there is no {ABOUT}; name a folder that gradus train has written"
                )));
            }
        };
        if !path.join(CONFIG).exists() {
            let shown = path.display();
            return Err(Error::input(match [MODEL, METRICS, TEST].iter().any(|name| path.join(name).exists()) {
                true => format!("{shown} has lost its {CONFIG}; put it back, as gradus train wrote it"),
                false => format!(
                    "{shown} holds nothing to go on with: its run was ended before it began; remove it, and start a \
                     new one"
                ),
            }));
        }
        let folder = Self::lock(path)?;
        let kept = [path.join(CHECKPOINTS)].into_iter().filter(|kept| kept.exists());
        for path in kept.chain([path.to_owned()]) {
            sweep(&path).map_err(|error| Error::file("clean", &path, &error, ROOM))?;
        }
        Ok((folder, about))
    }

    /// The folder of a seed in this one, found or made; one whose run was ended before it began is made again.
    ///
    /// # Errors
    /// If it is in use, holds something else, or cannot be made.
    pub(crate) fn of_seed(&self, seed: u64) -> Result<Self> {
        let path = of_seed(&self.path, seed);
        if holds_run(&path) { Ok(Self::open(&path)?.0) } else { Self::create(&path, &About::now(None)) }
    }

    fn lock(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), files: Arc::new(Disk), _lock: Arc::new(Lock::take(path)?) })
    }

    /// The same folder, written through these files.
    #[cfg(test)]
    pub(crate) fn through(self, files: Arc<dyn Files>) -> Self {
        Self { files, ..self }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has this file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = made.and_then(|()| write_whole(&*self.files, &path, content.as_ref()));
        written.map_err(|error| Error::file("write", &path, &error, ROOM))
    }

    /// Notes in `about.json` which kernels go on with the run, if they are not the last ones, which are returned.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn note_kernels(&self) -> Result<Option<(String, &'static str)>> {
        let Some(mut about) = About::read(&self.path)? else { return Ok(None) };
        let now = tensor::default_kernels().map_err(|error| Error::input(error.to_string()))?.name();
        let Some(last) = about.note_kernels(now) else { return Ok(None) };
        self.write(ABOUT, pretty(&serde_json::json!(about)))?;
        Ok(Some((last, now)))
    }

    /// A new journal; what was left over under its name is removed.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn journal(&self, name: &str) -> Result<Journal> {
        let path = self.path.join(name);
        let removed = match self.files.remove(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let journal = removed.and_then(|()| Journal::create(&*self.files, &path));
        journal.map_err(|error| Error::file("write", &path, &error, ROOM))
    }

    /// A journal to be gone on with after `length` bytes.
    ///
    /// # Errors
    /// If it cannot be written, or is shorter.
    pub(crate) fn resume_journal(&self, name: &str, length: u64) -> Result<Journal> {
        let path = self.path.join(name);
        let journal = Journal::resume(&*self.files, &path, length);
        journal.map_err(|error| Error::file("go on with", &path, &error, "expected the file that the run has written"))
    }
}

/// That a folder is new or empty.
fn refuse_what_is_there(path: &Path) -> Result<()> {
    let error = |error| Error::file("make the folder", path, &error, ADVICE);
    let mut names = fs::read_dir(path).map_err(error)?.map(|entry| Ok(entry.map_err(error)?.file_name()));
    let counts = |name: &Result<OsString>| name.as_ref().map_or(true, |name| !comes_first(name));
    if names.find(counts).transpose()?.is_none() {
        return Ok(());
    }
    let shown = path.display();
    Err(Error::input(match holds_run(path) {
        true => format!(
            "{shown} already holds a run; go on with it by --resume {}, or choose another folder with --out",
            word(path)
        ),
        false => format!("{shown} is not empty; choose another folder with --out, or remove this one"),
    }))
}

/// Whether a file of this name is written before there is anything in a folder that could be lost.
fn comes_first(name: &OsStr) -> bool {
    [ABOUT, LOCK].iter().any(|first| name == *first) || is_part(name)
}

/// Whether `path` holds a run, or runs of several seeds.
pub(crate) fn holds_run(path: &Path) -> bool {
    [CONFIG, TABLE].iter().any(|name| path.join(name).exists())
}
