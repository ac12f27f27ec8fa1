//! What a run writes down while it goes on: its journals, and which checkpoints are due.

use nn::files::Journal;
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::folder::{
    BEST, CHECKPOINTS, EPISODES, EpisodesLine, Folder, Line, METRICS, MODEL, News, Tail, ValidationLine,
};
use crate::input::checkpoint_policy::Keeping;
use crate::run::checkpoint::Marks;

/// The journals of a run in its folder.
pub(super) struct Records<'a> {
    folder: &'a Folder,
    metrics: Journal,
    episodes: Journal,
    /// The highest mean exact match of a validation so far.
    best: f64,
}

impl<'a> Records<'a> {
    /// Without lines.
    ///
    /// # Errors
    /// If the files cannot be made.
    pub(super) fn create(folder: &'a Folder) -> Result<Self> {
        Ok(Self { folder, metrics: folder.journal(METRICS)?, episodes: folder.journal(EPISODES)?, best: 0.0 })
    }

    /// As they were when a checkpoint was written.
    ///
    /// # Errors
    /// If the files cannot be read and written, or hold less than they did.
    pub(super) fn resume(folder: &'a Folder, marks: Marks) -> Result<Self> {
        let metrics = folder.resume_journal(METRICS, marks.metrics)?;
        let episodes = folder.resume_journal(EPISODES, marks.episodes)?;
        let mut best: f64 = 0.0;
        Tail::new(&folder.path().join(METRICS)).read(|news| {
            if let News::Line(Line::Validation(line)) = news {
                best = best.max(line.exact());
            }
        })?;
        Ok(Self { folder, metrics, episodes, best })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Folder {
        self.folder
    }

    /// Appends a line to the metrics.
    ///
    /// # Errors
    /// If it cannot be written; it is kept then, and written with the next one.
    pub(super) fn append(&mut self, line: &Line) -> Result<()> {
        append(&mut self.metrics, line)
    }

    /// Appends a line to the episodes.
    ///
    /// # Errors
    /// If it cannot be written; it is kept then, and written with the next one.
    pub(super) fn append_episodes(&mut self, line: &EpisodesLine) -> Result<()> {
        append(&mut self.episodes, line)
    }

    /// Brings all lines to the disk.
    ///
    /// # Errors
    /// If they cannot be written; they are kept then.
    pub(super) fn sync(&mut self) -> Result<Marks> {
        Ok(Marks { metrics: sync(&mut self.metrics)?, episodes: sync(&mut self.episodes)? })
    }

    /// The names of the checkpoints that are to be written after an update: the best one first, the last one last.
    pub(super) fn due(&mut self, update: usize, found: Option<&ValidationLine>, keeping: &Keeping) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(exact) = found.map(ValidationLine::exact).filter(|&exact| exact > 0.0 && exact >= self.best) {
            self.best = exact;
            names.push(BEST.to_owned());
        }
        if keeping.keep_every > 0 && update.is_multiple_of(keeping.keep_every) {
            names.push(format!("{CHECKPOINTS}/update-{update:06}.safetensors"));
        }
        if update.is_multiple_of(keeping.save_every) {
            names.push(MODEL.to_owned());
        }
        names
    }
}

fn append(journal: &mut Journal, line: &impl Serialize) -> Result<()> {
    let appended = journal.append(&json!(line).to_string());
    appended.map_err(|error| Error::file("write", journal.path(), &error, "its lines are kept until there is room"))
}

fn sync(journal: &mut Journal) -> Result<u64> {
    let synced = journal.sync();
    synced.map_err(|error| Error::file("write", journal.path(), &error, "its lines are kept until there is room"))
}
