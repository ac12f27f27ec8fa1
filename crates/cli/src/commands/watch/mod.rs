//! `gradus watch`: follows a run, or the runs of several seeds, from another terminal. It never writes to the folder.

mod follow;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use console::Term;
use serde_json::Value;

use super::results;
use crate::error::{Error, Result, program, show_path};
use crate::folder::outcome::TimedOutcome;
use crate::folder::{ABOUT, TABLE, TABLE_JSON, contains_run, is_locked};
use crate::input::numbers::parse_whole_in;
use crate::input::regular_file;
use crate::input::tasks::Tasks;
use crate::interrupt;
use crate::live::{Scene, Screen, Size, Style, Tally, frame};
use crate::output::print::{print_line, print_result};
use crate::output::width::terminal_columns;
use follow::{FollowedRuns, find_runs};

/// Interval at which a wait checks for Ctrl-C.
const CTRL_C_POLL: Duration = Duration::from_millis(50);

/// Number of consecutive polls without a lock after which a run counts as stopped. A run that is just starting or being
/// resumed may not hold its lock yet.
const IDLE_LIMIT: usize = 2;

/// Columns of a frame that is not printed to a terminal, unless `COLUMNS` is set.
const PLAIN_COLUMNS: usize = 80;

/// Style of a frame that is not printed to a terminal.
const PLAIN_STYLE: Style = Style { colour: false, unicode: true };

/// Arguments of `gradus watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Folder of a run or of several seeds; watch only reads it
    pub(crate) dir: PathBuf,
    /// Milliseconds between two updates of the view
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = parse_whole_in(10..=3_600_000u64))]
    pub(crate) interval: u64,
    /// Show the current state and exit
    #[arg(long)]
    pub(crate) once: bool,
}

/// Runs `gradus watch`.
///
/// # Errors
/// If the folder holds no run, the run fails or stops before its end, or Ctrl-C ends the command.
pub(crate) fn watch(args: &WatchArgs, tasks: &Tasks) -> Result<()> {
    interrupt::listen(None)?;
    let mut watcher = Watcher::new(&args.dir, tasks);
    if args.once { watcher.show_once() } else { watcher.follow(Duration::from_millis(args.interval)) }
}

/// Follows the runs of a folder.
struct Watcher<'a> {
    dir: &'a Path,
    tasks: &'a Tasks,
    started: Instant,
    runs: Option<FollowedRuns>,
    /// Number of consecutive polls without a lock and without new data.
    idle_polls: usize,
}

impl<'a> Watcher<'a> {
    fn new(dir: &'a Path, tasks: &'a Tasks) -> Self {
        Self { dir, tasks, started: Instant::now(), runs: None, idle_polls: 0 }
    }

    /// Shows the current state once.
    fn show_once(&mut self) -> Result<()> {
        self.poll(|_| {})?;
        let plain = || (terminal_columns(&Term::stdout()).unwrap_or(PLAIN_COLUMNS), PLAIN_STYLE);
        let (width, style) = Screen::stdout().map_or_else(plain, |screen| (screen.size().width, screen.style()));
        let size = Size { width, height: usize::MAX }; // may scroll, since no second frame is drawn over it
        print_result(frame(&self.scene(), size, style).join("\n"))?;
        if self.is_finished() {
            return self.print_results();
        }
        let waiting = || format!("training has not started in {} yet", show_path(self.dir));
        match self.stopped_message().filter(|_| self.idle_polls > 0) {
            Some(message) => print_result(message),
            None if self.runs.is_none() => print_result(waiting()),
            None => Ok(()),
        }
    }

    /// Shows the state until the runs finish.
    fn follow(&mut self, interval: Duration) -> Result<()> {
        let mut screen = Screen::stdout();
        let result = loop {
            let plain = screen.is_none();
            self.poll(|line| {
                if plain {
                    print_line(line)
                }
            })?;
            if let Some(screen) = &mut screen {
                screen.draw(&frame(&self.scene(), screen.size(), screen.style()));
            }
            if self.is_finished() {
                break Ok(());
            }
            if let Some(message) = self.stopped_message().filter(|_| self.idle_polls >= IDLE_LIMIT) {
                break Err(Error::Run(message));
            }
            if !sleep_unless_interrupted(interval) {
                break Err(Error::Interrupted);
            }
        };
        screen.iter_mut().for_each(Screen::keep_frame);
        result.and_then(|()| self.print_results())
    }

    /// Reads everything new. The lock is checked before reading, so that the last lines of a process that has ended are read.
    fn poll(&mut self, line: impl FnMut(String)) -> Result<()> {
        let started = self.dir.join(ABOUT).exists() || contains_run(self.dir); // both files are written under the lock
        let unlocked = started && is_locked(self.dir)? == Some(false);
        if self.runs.is_none() {
            self.runs = find_runs(self.dir, self.tasks)?;
        }
        let now = self.started.elapsed();
        let new = self.runs.as_mut().map(|runs| runs.poll(now, line)).transpose()?.unwrap_or(false);
        self.idle_polls = match (unlocked, new) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => self.idle_polls + 1,
        };
        Ok(())
    }

    /// Returns the scene to draw.
    fn scene(&self) -> Scene {
        let mut scene = Scene { now: self.started.elapsed(), ..Scene::default() };
        if let Some(runs) = &self.runs {
            scene.runs = match runs.several {
                true => runs.running().cloned().collect(),
                false => runs.runs.iter().map(|run| run.progress.clone()).collect(),
            };
            scene.tally = runs.several.then(|| {
                let mut tally = Tally::new(runs.runs.len(), runs.score);
                runs.finished().for_each(|run| tally.count(&run.outcome));
                tally
            });
        }
        scene
    }

    /// Returns true if all runs have finished. For several seeds, their table must also be complete, unless no process is
    /// left to complete it.
    fn is_finished(&self) -> bool {
        let Some(runs) = &self.runs else { return false };
        let table = || {
            let text = regular_file::read(&self.dir.join(TABLE_JSON)).unwrap_or_default();
            let table: Value = serde_json::from_slice(&text).unwrap_or_default();
            table["of"].as_u64() == Some(runs.runs.len() as u64)
        };
        runs.finished().count() == runs.runs.len() && (!runs.several || self.idle_polls > 0 || table())
    }

    /// Returns the message for the case that no process holds the lock any more. `None` if training has not started at all.
    fn stopped_message(&self) -> Option<String> {
        let dir = show_path(self.dir);
        let Some(runs) = &self.runs else {
            let ended =
                format!("no process trains in {dir}: its run ended before it started; delete it and start a new one");
            return self.dir.join(ABOUT).exists().then_some(ended);
        };
        let progress = match runs.runs.as_slice() {
            [run] => format!("stopped after update {}", run.progress.update),
            all => format!("{} of {} runs have finished", runs.finished().count(), all.len()),
        };
        let advice = match runs.resumable {
            true => format!("resume with: {} train --resume {}", program(), show_path(self.dir)),
            false => "the folder has format version 1, whose runs cannot be resumed".to_owned(),
        };
        Some(format!("no process trains in {dir}: {progress}; {advice}"))
    }

    /// Prints the outcome, as the training command does.
    fn print_results(&self) -> Result<()> {
        let Some(runs) = &self.runs else { return Ok(()) };
        if !runs.several {
            let Some(TimedOutcome { outcome, seconds }) = runs.finished().next() else { return Ok(()) };
            print_result(outcome.to_sentence(*seconds))?;
            return results::print_test_table(outcome);
        }
        let path = self.dir.join(TABLE);
        let advice = "write it again with gradus train --resume";
        let table = fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error, advice))?;
        print_result(format!("\n{table}"))?;
        results::check_failures(runs.finished())
    }
}

/// Sleeps for `time`, or until Ctrl-C. Returns false after Ctrl-C.
fn sleep_unless_interrupted(time: Duration) -> bool {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|_| !interrupt::requested()) {
        sleep(left.min(CTRL_C_POLL));
    }
    !interrupt::requested()
}
