//! The live display of running trainings. On a terminal it redraws a frame ten times a second: [`progress`] holds the state
//! of a run, [`frame`](mod@frame) lays it out, and [`screen`] draws it. Without a terminal it prints [`plain`] lines.
//!
//! Runs only record what they did; a separate thread draws. So the cost of an update does not depend on the display, and an
//! update never waits for a blocked terminal. Only printed lines wait for it.

mod frame;
mod many_runs;
mod pace;
pub(crate) mod plain;
mod progress;
mod row;
mod screen;
mod sparkline;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use frame::{Scene, frame};
pub(crate) use many_runs::Tally;
pub(crate) use progress::{RunLimits, RunProgress};
pub(crate) use screen::{Screen, Size, Style};

use crate::folder::outcome::Outcome;
use crate::folder::{Tail, UpdateLine, ValidationLine};
use crate::interrupt;
use crate::score::Score;

/// Time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// Returns true if standard output is a terminal, where the display is redrawn.
pub(crate) fn is_on_terminal() -> bool {
    stdout().is_terminal()
}

/// The display of all runs of a command.
pub(crate) struct Live {
    shared: Arc<SharedDisplay>,
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

/// The part of the display that belongs to one run.
pub(crate) struct View {
    shared: Arc<SharedDisplay>,
    seed: u64,
}

/// The state that runs write and the drawing thread reads. To hold both locks, lock `screen` first.
struct SharedDisplay {
    start: Instant,
    screen: Option<Mutex<Screen>>,
    scene: Mutex<Scene>,
}

impl Live {
    /// Creates the display of a single run.
    pub(crate) fn single_run() -> Self {
        Self::new(None)
    }

    /// Creates the display of this many runs of a task with this score.
    pub(crate) fn many_runs(total: usize, score: Score) -> Self {
        Self::new(Some(Tally::new(total, score)))
    }

    /// Creates the display of a single run that prints plain lines.
    #[cfg(test)]
    pub(crate) fn without_terminal() -> Self {
        Self::with_screen(None, None)
    }

    fn new(tally: Option<Tally>) -> Self {
        Self::with_screen(Screen::stdout(), tally)
    }

    fn with_screen(screen: Option<Screen>, tally: Option<Tally>) -> Self {
        let scene = Mutex::new(Scene { tally, ..Scene::default() });
        let shared = Arc::new(SharedDisplay { start: Instant::now(), screen: screen.map(Mutex::new), scene });
        let drawer = shared.screen.is_some().then(|| {
            let (end, ended) = channel();
            let shared = Arc::clone(&shared);
            let draw = move || {
                while ended.recv_timeout(FRAME_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    shared.draw();
                }
            };
            (end, thread::spawn(draw))
        });
        Self { shared, drawer }
    }

    /// Returns the view of the run with this seed.
    pub(crate) fn view(&self, seed: u64) -> View {
        View { shared: Arc::clone(&self.shared), seed }
    }
}

/// Stops the drawing thread and keeps the last frame.
impl Drop for Live {
    fn drop(&mut self) {
        if let Some((end, drawer)) = self.drawer.take() {
            drop(end);
            drawer.join().ok(); // if it panicked, its message was shown
        }
        self.shared.keep_frame();
    }
}

impl SharedDisplay {
    /// Draws a frame, if there is a screen.
    fn draw(&self) {
        if let Some(screen) = &self.screen {
            self.draw_frame(&mut lock(screen), interrupt::requested().then_some(interrupt::STOPPING_MESSAGE));
        }
    }

    /// Draws a last frame, which stays on the screen.
    fn keep_frame(&self) {
        if let Some(screen) = &self.screen {
            let mut screen = lock(screen);
            self.draw_frame(&mut screen, None);
            screen.keep_frame();
            lock(&self.scene).runs.clear();
        }
    }

    fn draw_frame(&self, screen: &mut Screen, note: Option<&str>) {
        let mut scene = lock(&self.scene);
        (scene.now, scene.note) = (self.start.elapsed(), note.map(str::to_owned));
        let lines = frame(&scene, screen.size(), screen.style());
        drop(scene); // so that a blocked terminal does not block the runs, which write to the scene
        screen.draw(&lines);
    }
}

impl View {
    /// Starts the view of a run. If `done` updates were made before, their history is read from the metrics file.
    pub(crate) fn begin(&mut self, limits: RunLimits, done: usize, metrics: &Path) {
        let mut progress = RunProgress::new(self.seed, limits);
        if done > 0 {
            self.print_line(format!("continuing after update {done}"));
            let history = Tail::new(metrics).read(|event| progress.apply(&event));
            history.ok(); // on an error the display starts without history; the run itself reads what it needs
        }
        let now = self.shared.start.elapsed();
        progress.record_time(now);
        progress.started = Some(now);
        lock(&self.shared.scene).runs.push(progress);
    }

    /// Shows an update and the validation after it, if there was one.
    pub(crate) fn show_update(&mut self, update: &UpdateLine, validation: Option<&ValidationLine>) {
        let (now, is_one_of_several) = (self.shared.start.elapsed(), self.is_one_of_several());
        let line = self.with_progress(|progress| {
            progress.record_update(update);
            validation.iter().for_each(|line| progress.record_validation(line));
            progress.record_time(now);
            validation.map(|_| plain::format_progress(progress, is_one_of_several))
        });
        if self.shared.screen.is_none() {
            line.flatten().iter().for_each(crate::output::print::print_line);
        }
    }

    /// Prints a line that stays above the frames.
    pub(crate) fn print_line(&self, text: impl Display) {
        let text = format!("{}{text}", plain::format_seed_prefix(self.seed, self.is_one_of_several()));
        match &self.shared.screen {
            Some(screen) => lock(screen).print_line(&text),
            None => crate::output::print::print_line(text),
        }
    }

    /// Prints how the run has ended. If it is the only run, its last frame stays above the text.
    pub(crate) fn show_outcome(&mut self, outcome: &Outcome, text: impl Display) {
        let counted = lock(&self.shared.scene).tally.as_mut().map(|tally| tally.count(outcome));
        if counted.is_none() {
            self.with_progress(|progress| progress.record_end(outcome.failed));
            self.shared.keep_frame();
        }
        self.print_line(text);
    }

    fn is_one_of_several(&self) -> bool {
        lock(&self.shared.scene).tally.is_some()
    }

    fn with_progress<T>(&self, act: impl FnOnce(&mut RunProgress) -> T) -> Option<T> {
        lock(&self.shared.scene).runs.iter_mut().find(|progress| progress.seed == self.seed).map(act)
    }
}

/// Removes the run from a display of several runs, which shows only running ones.
impl Drop for View {
    fn drop(&mut self) {
        let mut scene = lock(&self.shared.scene);
        if scene.tally.is_some() {
            scene.runs.retain(|progress| progress.seed != self.seed);
        }
    }
}

/// Locks a mutex, even if a thread panicked while it held the lock: the state is only for display.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
