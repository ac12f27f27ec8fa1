//! The end validation: the one after the last update of a run, where no regular one is due.
//!
//! A run with more updates does not make it. So a run that goes on takes it back: its lines in the journals, its effect on
//! curriculum and stop rule, and its best checkpoint. Each step can be repeated after an interruption.

use std::fs;
use std::path::Path;

use rl::config::Config;
use rl::curriculum::Progress;
use rl::env::Task;

use crate::error::{Error, Result, show_path};
use crate::folder::{BEST, BEST_BEFORE_END, CONFIG, EPISODES, EpisodesLine, Folder, Line, METRICS, jsonl};
use crate::run::Run;
use crate::run::checkpoint::{self, JournalLengths};

/// Returns true if a run with these settings makes a validation after `update`.
fn is_due(config: &Config, update: usize) -> bool {
    update.is_multiple_of(config.validate_every) || update == config.max_updates
}

/// Takes back the end validation of a shorter run, if the checkpoint that `run` was restored from includes one. Returns the
/// lengths of the journals without it. Writes no file.
///
/// # Errors
/// If a journal cannot be read or lacks a line, or the best checkpoint before the end validation does not exist.
pub(super) fn take_back(folder: &Path, run: &mut Run, lengths: JournalLengths) -> Result<Option<JournalLengths>> {
    let (updates, config) = (run.updates, &run.config);
    let best_is_lost = is_best_of_end(folder, config) && !folder.join(BEST_BEFORE_END).exists();
    if is_due(config, updates) && !best_is_lost {
        return Ok(None);
    }
    let belongs = |validation| validation <= updates && is_due(config, validation);
    let (lines, metrics) = jsonl::read_while(&folder.join(METRICS), "metrics", |line: &Line| match line {
        Line::Update(line) => line.update <= updates,
        Line::Validation(line) => belongs(line.validation),
    })?;
    let is_better_than_none = |line: &Line| matches!(line, Line::Validation(line) if line.best_score().is_some());
    if best_is_lost && lines.iter().any(is_better_than_none) {
        let (shown, config) = (show_path(folder), show_path(&folder.join(CONFIG)));
        return Err(Error::input(format!(
            "{shown} cannot go on: its {BEST} is of the validation at its end, which a longer run does not make, and the \
             one before, {BEST_BEFORE_END}, does not exist; train from the start with --config {config} --max-updates {}",
            run.config.max_updates
        )));
    }
    if is_due(config, updates) || metrics >= lengths.metrics {
        return Ok(None);
    }
    // Only the end validation may be missing: there is a line for each update and each regular validation.
    if lines.len() != updates + updates / config.validate_every {
        return Err(Error::input(format!(
            "{} has {metrics} bytes up to update {updates}, expected {} or more: it was cut off or lacks a line; restore the \
             file that the run wrote",
            show_path(&folder.join(METRICS)),
            lengths.metrics
        )));
    }
    let belongs = |line: &EpisodesLine| belongs(line.validation);
    let (_, episodes) = jsonl::read_while(&folder.join(EPISODES), "episodes", belongs)?;
    (run.progress, run.perfect) = (Progress::new(run.task.spec().stages), 0);
    for line in &lines {
        if let Line::Validation(line) = line {
            run.record_validation(&line.stages.iter().map(|stage| stage.exact.unwrap_or(0.0)).collect::<Vec<_>>());
        }
    }
    Ok(Some(JournalLengths { metrics, episodes }))
}

/// Keeps the best checkpoint in [`BEST_BEFORE_END`] if the end validation, after `update`, is about to replace it.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn keep_previous_best(folder: &Folder, config: &Config, update: usize) -> Result<()> {
    let path = folder.path().join(BEST);
    let replaces = !update.is_multiple_of(config.validate_every);
    if replaces && checkpoint::read_updates(&path).is_some_and(|best| best != update) {
        let advice = "expected the checkpoint that the run wrote";
        let best = fs::read(&path).map_err(|error| Error::file("read", &path, &error, advice))?;
        folder.write(BEST_BEFORE_END, best)?;
    }
    Ok(())
}

/// Restores the best checkpoint from before the end validation of a shorter run, or removes it if there was none. Also
/// removes the copy in [`BEST_BEFORE_END`] if no end validation has replaced the original: the process ended before.
///
/// # Errors
/// If a file cannot be renamed or removed.
pub(super) fn restore_best(folder: &Folder, config: &Config) -> Result<()> {
    match checkpoint::read_updates(&folder.path().join(BEST)) {
        Some(best) if best.is_multiple_of(config.validate_every) => folder.remove(BEST_BEFORE_END),
        Some(best) if is_due(config, best) => Ok(()),
        Some(_) if folder.contains_file(BEST_BEFORE_END) => folder.rename(BEST_BEFORE_END, BEST),
        Some(_) => folder.remove(BEST),
        None => Ok(()), // a copy may be all that is left
    }
}

/// Returns true if the best checkpoint is of the end validation of a shorter run.
fn is_best_of_end(folder: &Path, config: &Config) -> bool {
    checkpoint::read_updates(&folder.join(BEST)).is_some_and(|update| !is_due(config, update))
}
