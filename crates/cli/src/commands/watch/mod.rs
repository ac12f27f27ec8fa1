//! `gradus watch`: follows a run, or the runs of several seeds, from another terminal. It only reads.

mod follow;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{Args, value_parser};
use serde_json::Value;

use super::results;
use crate::error::{Error, Result, word};
use crate::folder::outcome::Timed;
use crate::folder::{ABOUT, TABLE, TABLE_JSON, holds_run, in_use};
use crate::input::regular_file;
use crate::interrupt;
use crate::live::{Scene, Screen, Size, Style, Tally, frame};
use crate::output::print::{say, show};
use follow::{Runs, find};

/// The longest time that Ctrl-C waits.
const MOMENT: Duration = Duration::from_millis(50);

/// Looks in a row at which nobody was there before a run is taken to have stopped: one that is just about to begin, or to
/// go on, may not have its lock yet.
const PATIENCE: usize = 2;

/// What a frame looks like that goes to no terminal.
const PAGE: (Size, Style) = (Size { width: 80, height: usize::MAX }, Style { colour: false, unicode: true });

/// What to follow, and how closely.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The folder of a run, or of the runs of several seeds; nothing is written there
    pub(crate) dir: PathBuf,
    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = value_parser!(u64).range(10..=3_600_000))]
    pub(crate) interval: u64,
    /// Show how far it is now, and do not wait
    #[arg(long)]
    pub(crate) once: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// If there is no run, it fails, it stops before it is over, or Ctrl-C ends the watching.
pub(crate) fn watch(args: &WatchArgs) -> Result<()> {
    interrupt::listen(None)?;
    let mut watcher = Watcher::new(&args.dir);
    if args.once { watcher.once() } else { watcher.follow(Duration::from_millis(args.interval)) }
}

/// Who looks at a folder.
struct Watcher<'a> {
    dir: &'a Path,
    begun: Instant,
    runs: Option<Runs>,
    /// At how many looks in a row nobody was there and nothing was new.
    idle: usize,
}

impl<'a> Watcher<'a> {
    fn new(dir: &'a Path) -> Self {
        Self { dir, begun: Instant::now(), runs: None, idle: 0 }
    }

    /// Shows how far it is, once.
    fn once(&mut self) -> Result<()> {
        self.look(|_| {})?;
        let (size, style) = Screen::stdout().map_or(PAGE, |screen| (screen.size(), screen.style()));
        let size = Size { height: PAGE.0.height, ..size }; // it may scroll: nothing is drawn over it
        show(frame(&self.scene(), size, style).join("\n"))?;
        if self.is_over() {
            return self.results();
        }
        let waiting = || format!("{} has not begun yet", self.dir.display());
        match self.stopped().filter(|_| self.idle > 0) {
            Some(words) => show(words),
            None if self.runs.is_none() => show(waiting()),
            None => Ok(()),
        }
    }

    /// Shows how far it is, until it is over.
    fn follow(&mut self, interval: Duration) -> Result<()> {
        let mut screen = Screen::stdout();
        let result = loop {
            let plain = screen.is_none();
            self.look(|line| {
                if plain {
                    say(line)
                }
            })?;
            if let Some(screen) = &mut screen {
                screen.draw(&frame(&self.scene(), screen.size(), screen.style()));
            }
            if self.is_over() {
                break Ok(());
            }
            if let Some(words) = self.stopped().filter(|_| self.idle >= PATIENCE) {
                break Err(Error::Run(words));
            }
            if !rest(interval) {
                break Err(Error::Interrupted);
            }
        };
        screen.iter_mut().for_each(Screen::leave);
        result.and_then(|()| self.results())
    }

    /// Reads what is new. Whether anybody is there is asked first: what he wrote before he left is read then.
    fn look(&mut self, line: impl FnMut(String)) -> Result<()> {
        let begun = self.dir.join(ABOUT).exists() || holds_run(self.dir); // both are written under the lock
        let nobody = begun && in_use(self.dir)? == Some(false);
        if self.runs.is_none() {
            self.runs = find(self.dir)?;
        }
        let now = self.begun.elapsed();
        let new = self.runs.as_mut().map(|runs| runs.look(now, line)).transpose()?.unwrap_or(false);
        self.idle = match (nobody, new) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => self.idle + 1,
        };
        Ok(())
    }

    /// What is known.
    fn scene(&self) -> Scene {
        let mut scene = Scene { now: self.begun.elapsed(), ..Scene::default() };
        if let Some(runs) = &self.runs {
            scene.runs = match runs.several {
                true => runs.running().cloned().collect(),
                false => runs.all.iter().map(|run| run.board.clone()).collect(),
            };
            scene.tally = runs.several.then(|| {
                let mut tally = Tally { all: runs.all.len(), ..Tally::default() };
                runs.over().for_each(|run| tally.count(&run.outcome));
                tally
            });
        }
        scene
    }

    /// Whether all runs are over, and the table of several is complete, or nobody is there to complete it.
    fn is_over(&self) -> bool {
        let Some(runs) = &self.runs else { return false };
        let table = || {
            let text = regular_file::read(&self.dir.join(TABLE_JSON)).unwrap_or_default();
            let table: Value = serde_json::from_slice(&text).unwrap_or_default();
            table["of"].as_u64() == Some(runs.all.len() as u64)
        };
        runs.over().count() == runs.all.len() && (!runs.several || self.idle > 0 || table())
    }

    /// What to say if nobody is there any more.
    fn stopped(&self) -> Option<String> {
        let dir = self.dir.display();
        let Some(runs) = &self.runs else {
            let ended =
                format!("nobody trains in {dir}: its run was ended before it began; remove it, and start a new one");
            return self.dir.join(ABOUT).exists().then_some(ended);
        };
        let whither = match runs.all.as_slice() {
            [run] => format!("stopped after update {}", run.board.update),
            all => format!("{} of {} runs are over", runs.over().count(), all.len()),
        };
        let advice = match runs.resumable {
            true => format!("go on with: gradus train --resume {}", word(self.dir)),
            false => "it is of version 1, which cannot be gone on with".to_owned(),
        };
        Some(format!("nobody trains in {dir}: {whither}; {advice}"))
    }

    /// Prints how it ended, as the training did.
    fn results(&self) -> Result<()> {
        let Some(runs) = &self.runs else { return Ok(()) };
        if !runs.several {
            let Some(Timed { outcome, seconds }) = runs.over().next() else { return Ok(()) };
            show(outcome.sentence(*seconds))?;
            return results::result(outcome);
        }
        let path = self.dir.join(TABLE);
        let advice = "gradus train --resume writes it again";
        let table = fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error, advice))?;
        show(format!("\n{table}"))?;
        results::failures(runs.over())
    }
}

/// Waits, and says whether to go on.
fn rest(time: Duration) -> bool {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|_| !interrupt::requested()) {
        sleep(left.min(MOMENT));
    }
    !interrupt::requested()
}
