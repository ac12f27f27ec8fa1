//! The journals of a run, and the decision which checkpoints are due.

use nn::files::Journal;
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::folder::{BEST, EPISODES, EpisodesLine, Folder, Line, METRICS, MODEL, Tail, TailEvent, ValidationLine};
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::run::checkpoint::{self, JournalLengths};

/// The journals of a run in its folder.
pub(super) struct Journals<'a> {
    folder: &'a Folder,
    metrics: Journal,
    episodes: Journal,
    /// Highest score of a validation so far that has a best checkpoint.
    best: Option<f64>,
}

impl<'a> Journals<'a> {
    /// Creates empty journals.
    ///
    /// # Errors
    /// If the files cannot be created.
    pub(super) fn create(folder: &'a Folder) -> Result<Self> {
        Ok(Self {
            folder,
            metrics: folder.create_journal(METRICS)?,
            episodes: folder.create_journal(EPISODES)?,
            best: None,
        })
    }

    /// Opens the journals and truncates them to their lengths at a checkpoint.
    ///
    /// # Errors
    /// If the files cannot be read or written, or are shorter than at the checkpoint.
    pub(super) fn resume(folder: &'a Folder, journal_lengths: JournalLengths) -> Result<Self> {
        let metrics = folder.resume_journal(METRICS, journal_lengths.metrics)?;
        let episodes = folder.resume_journal(EPISODES, journal_lengths.episodes)?;
        let mut best = None;
        Tail::new(&folder.path().join(METRICS)).read(|event| {
            if let TailEvent::Line(Line::Validation(line)) = event {
                best = line.best_score().into_iter().chain(best).reduce(f64::max);
            }
        })?;
        Ok(Self { folder, metrics, episodes, best })
    }

    /// Returns the run folder.
    pub(super) fn folder(&self) -> &Folder {
        self.folder
    }

    /// Appends a line to the metrics.
    ///
    /// # Errors
    /// If the line cannot be written. It is then kept in memory and written with the next line.
    pub(super) fn append(&mut self, line: &Line) -> Result<()> {
        append(&mut self.metrics, line)
    }

    /// Appends a line to the episodes.
    ///
    /// # Errors
    /// If the line cannot be written. It is then kept in memory and written with the next line.
    pub(super) fn append_episodes(&mut self, line: &EpisodesLine) -> Result<()> {
        append(&mut self.episodes, line)
    }

    /// Writes all lines to the disk durably and returns the lengths of the journals.
    ///
    /// # Errors
    /// If a line cannot be written. It is then kept in memory.
    pub(super) fn sync(&mut self) -> Result<JournalLengths> {
        Ok(JournalLengths { metrics: sync(&mut self.metrics)?, episodes: sync(&mut self.episodes)? })
    }

    /// Returns the file names of the checkpoints to write after an update. `BEST` comes first and `MODEL` last.
    pub(super) fn due_checkpoints(
        &mut self,
        update: usize,
        found: Option<&ValidationLine>,
        checkpoint_policy: &CheckpointPolicy,
    ) -> Vec<String> {
        let mut names = Vec::new();
        let score = found.and_then(ValidationLine::best_score);
        if score.is_some_and(|score| self.best.is_none_or(|best| score >= best)) {
            self.best = score;
            names.push(BEST.to_owned());
        }
        if checkpoint_policy.keep_every > 0 && update.is_multiple_of(checkpoint_policy.keep_every) {
            names.push(checkpoint::kept_name(update));
        }
        if update.is_multiple_of(checkpoint_policy.save_every) {
            names.push(MODEL.to_owned());
        }
        names
    }
}

fn append(journal: &mut Journal, line: &impl Serialize) -> Result<()> {
    let appended = journal.append(&json!(line).to_string());
    appended.map_err(|error| {
        Error::file("write", journal.path(), &error, "the lines stay in memory until the disk has space")
    })
}

fn sync(journal: &mut Journal) -> Result<u64> {
    let synced = journal.sync();
    synced.map_err(|error| {
        Error::file("write", journal.path(), &error, "the lines stay in memory until the disk has space")
    })
}
