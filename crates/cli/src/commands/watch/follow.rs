//! Reads the files of runs that another process is still writing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::folder::outcome::TimedOutcome;
use crate::folder::{About, CONFIG, LOCK, Line, METRICS, TEST, Tail, TailEvent, list_seeds, no_run_error, seed_folder};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::input::tasks::Tasks;
use crate::live::{RunLimits, RunProgress, plain};
use crate::score::Score;

/// The run of a folder, or the runs of several seeds in it.
pub(super) struct FollowedRuns {
    /// The score of the task.
    pub(super) score: Score,
    /// True for a folder of several seeds.
    pub(super) several: bool,
    /// True if a stopped run can be resumed.
    pub(super) resumable: bool,
    /// Each run, in the order of the seeds.
    pub(super) runs: Vec<FollowedRun>,
}

/// One run.
pub(super) struct FollowedRun {
    path: PathBuf,
    tail: Tail,
    /// The last validation whose line was printed.
    printed_validation: usize,
    /// State of the run as read so far.
    pub(super) progress: RunProgress,
    /// Outcome of the run, once it has finished.
    pub(super) outcome: Option<TimedOutcome>,
}

/// Finds the runs in a folder. Returns `None` if training may be about to start there.
///
/// # Errors
/// If the folder holds no run, or a file is invalid.
pub(super) fn find_runs(dir: &Path, tasks: &Tasks) -> Result<Option<FollowedRuns>> {
    let about = About::read(dir)?;
    let seeds = list_seeds(dir, about.as_ref());
    let first = seeds.iter().flatten().next().map(|&seed| seed_folder(dir, seed));
    let config =
        first.map(|child| child.join(CONFIG)).into_iter().chain([dir.join(CONFIG)]).rfind(|path| path.exists());
    let Some(config) = config else {
        return if about.is_some() || may_start_soon(dir)? { Ok(None) } else { Err(no_run_error(dir, CONFIG)) };
    };
    let file = ConfigFile::read_regular(&config)?;
    let task = file.task(tasks)?;
    let config = settings::read(Some(&file), task)?.0;
    let spec = task.spec(&config);
    let limits = || RunLimits::new(&spec, &config);
    let runs = match &seeds {
        None => vec![FollowedRun::new(dir.into(), file.seed()?.unwrap_or(0), limits())],
        Some(seeds) => seeds.iter().map(|&seed| FollowedRun::new(seed_folder(dir, seed), seed, limits())).collect(),
    };
    Ok(Some(FollowedRuns { score: Score::new(&spec), several: seeds.is_some(), resumable: about.is_some(), runs }))
}

/// Returns true if training may be about to start: the folder is empty, or holds the lock, which is written first.
fn may_start_soon(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(dir.join(LOCK).exists() || entries.next().is_none()),
        Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::NotFound) => Ok(false),
        Err(error) => Err(Error::file("watch", dir, &error, "name a folder that gradus train has written")),
    }
}

impl FollowedRuns {
    /// Reads everything that was written since the last call, and passes a line of text for each validation to `line`.
    /// Returns true if there was anything new.
    ///
    /// # Errors
    /// If a file cannot be read or is invalid.
    pub(super) fn poll(&mut self, now: Duration, mut line: impl FnMut(String)) -> Result<bool> {
        let mut new = false;
        for run in &mut self.runs {
            new |= run.poll(now, self.several, &mut line)?;
        }
        Ok(new)
    }

    /// Outcomes of the finished runs.
    pub(super) fn finished(&self) -> impl Iterator<Item = &TimedOutcome> {
        self.runs.iter().filter_map(|run| run.outcome.as_ref())
    }

    /// States of the runs that have started and not finished.
    pub(super) fn running(&self) -> impl Iterator<Item = &RunProgress> {
        self.runs.iter().filter(|run| run.outcome.is_none() && run.progress.update > 0).map(|run| &run.progress)
    }
}

impl FollowedRun {
    fn new(path: PathBuf, seed: u64, limits: RunLimits) -> Self {
        let tail = Tail::new(&path.join(METRICS));
        Self { path, tail, printed_validation: 0, progress: RunProgress::new(seed, limits), outcome: None }
    }

    /// Reads everything new of this run, as [`FollowedRuns::poll`] does for all runs.
    fn poll(&mut self, now: Duration, is_one_of_several: bool, mut line: impl FnMut(String)) -> Result<bool> {
        if self.outcome.is_some() {
            return Ok(false);
        }
        let finished = self.path.join(TEST).exists(); // checked before reading: if it exists, the metrics are complete
        let (mut new, progress, printed) = (finished, &mut self.progress, &mut self.printed_validation);
        self.tail.read(|event| {
            new = true;
            progress.apply(&event);
            if let TailEvent::Line(Line::Validation(found)) = event
                && found.validation > *printed
            {
                *printed = found.validation;
                line(plain::format_progress(progress, is_one_of_several));
            }
        })?;
        if new {
            progress.record_time(now);
        }
        if finished {
            let run = self.outcome.insert(TimedOutcome::read(&self.path)?);
            self.progress.record_end(run.outcome.failed);
        }
        Ok(new)
    }
}
