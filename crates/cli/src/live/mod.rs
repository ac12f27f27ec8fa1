//! How far runs have come, while they go on. On a terminal a frame that is drawn anew ten times a second: [`board`] is
//! what is known of a run, [`frame`](mod@frame) how it looks, [`screen`] where it is drawn. Elsewhere [`plain`] lines.
//!
//! Runs only write down what they did; a thread of its own draws. So an update costs the same whatever is shown, and never
//! waits for a terminal that stands still; only a line that is said does.

mod board;
mod curve;
mod frame;
mod pace;
pub(crate) mod plain;
mod row;
mod screen;
mod several;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use board::{Board, Goal};
pub(crate) use frame::{Scene, frame};
pub(crate) use screen::{Screen, Size, Style};
pub(crate) use several::Tally;

use crate::folder::outcome::Outcome;
use crate::folder::{Tail, UpdateLine, ValidationLine};
use crate::interrupt;

/// The time between two frames.
const BETWEEN: Duration = Duration::from_millis(100);

/// Whether there is a display that changes, or lines.
pub(crate) fn on_screen() -> bool {
    stdout().is_terminal()
}

/// The display of all runs of a command.
pub(crate) struct Live {
    stage: Arc<Stage>,
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

/// The display of one run.
pub(crate) struct View {
    stage: Arc<Stage>,
    seed: u64,
}

/// What runs write to and the drawer reads. Who needs both locks takes the screen's first.
struct Stage {
    begun: Instant,
    screen: Option<Mutex<Screen>>,
    scene: Mutex<Scene>,
}

impl Live {
    /// The display of one run.
    pub(crate) fn alone() -> Self {
        Self::new(None)
    }

    /// The display of this many runs.
    pub(crate) fn several(all: usize) -> Self {
        Self::new(Some(Tally { all, ..Tally::default() }))
    }

    /// The display of one run as where there is no terminal.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self::on(None, None)
    }

    fn new(tally: Option<Tally>) -> Self {
        Self::on(Screen::stdout(), tally)
    }

    fn on(screen: Option<Screen>, tally: Option<Tally>) -> Self {
        let scene = Mutex::new(Scene { tally, ..Scene::default() });
        let stage = Arc::new(Stage { begun: Instant::now(), screen: screen.map(Mutex::new), scene });
        let drawer = stage.screen.is_some().then(|| {
            let (end, ended) = channel();
            let stage = Arc::clone(&stage);
            let draw = move || {
                while ended.recv_timeout(BETWEEN) == Err(RecvTimeoutError::Timeout) {
                    stage.draw();
                }
            };
            (end, thread::spawn(draw))
        });
        Self { stage, drawer }
    }

    /// The display of the run with this seed.
    pub(crate) fn view(&self, seed: u64) -> View {
        View { stage: Arc::clone(&self.stage), seed }
    }
}

/// The last frame stays.
impl Drop for Live {
    fn drop(&mut self) {
        if let Some((end, drawer)) = self.drawer.take() {
            drop(end);
            drawer.join().ok(); // if it panicked, its message was shown
        }
        self.stage.leave();
    }
}

impl Stage {
    /// Draws a frame, if there is a screen.
    fn draw(&self) {
        if let Some(screen) = &self.screen {
            self.draw_on(&mut lock(screen), interrupt::requested().then_some(interrupt::WORDS));
        }
    }

    /// Draws a last frame, which stays.
    fn leave(&self) {
        if let Some(screen) = &self.screen {
            let mut screen = lock(screen);
            self.draw_on(&mut screen, None);
            screen.leave();
            lock(&self.scene).runs.clear();
        }
    }

    fn draw_on(&self, screen: &mut Screen, note: Option<&str>) {
        let mut scene = lock(&self.scene);
        (scene.now, scene.note) = (self.begun.elapsed(), note.map(str::to_owned));
        let lines = frame(&scene, screen.size(), screen.style());
        drop(scene); // a terminal that stands still must not hold up those who write there
        screen.draw(&lines);
    }
}

impl View {
    /// Begins after `done` updates, of which the metrics tell.
    pub(crate) fn begin(&mut self, goal: Goal, done: usize, metrics: &Path) {
        let mut board = Board::new(self.seed, goal);
        if done > 0 {
            self.say(format!("going on after update {done}"));
            let past = Tail::new(metrics).read(|news| board.take(&news));
            past.ok(); // the display begins without a past then; the run itself reads what it needs
        }
        let now = self.stage.begun.elapsed();
        board.clock(now);
        board.began = Some(now);
        lock(&self.stage.scene).runs.push(board);
    }

    /// Shows an update, and the validation that followed it.
    pub(crate) fn show(&mut self, update: &UpdateLine, validation: Option<&ValidationLine>) {
        let now = self.stage.begun.elapsed();
        let line = self.on_board(|board| {
            board.update(update);
            validation.iter().for_each(|line| board.validation(line));
            board.clock(now);
            validation.map(|_| plain::line(board))
        });
        if self.stage.screen.is_none() {
            line.flatten().iter().for_each(|line| self.say(line));
        }
    }

    /// Says something that stays.
    pub(crate) fn say(&self, text: impl Display) {
        let several = lock(&self.stage.scene).tally.is_some();
        let text = if several { format!("seed {}: {text}", self.seed) } else { text.to_string() };
        match &self.stage.screen {
            Some(screen) => lock(screen).say(&text),
            None => crate::output::print::say(text),
        }
    }

    /// Says how the run has ended. If it is the only one, its last frame stays above that.
    pub(crate) fn end(&mut self, outcome: &Outcome, text: impl Display) {
        let counted = lock(&self.stage.scene).tally.as_mut().map(|tally| tally.count(outcome));
        if counted.is_none() {
            self.stage.leave();
        }
        self.say(text);
    }

    fn on_board<T>(&self, act: impl FnOnce(&mut Board) -> T) -> Option<T> {
        lock(&self.stage.scene).runs.iter_mut().find(|board| board.seed == self.seed).map(act)
    }
}

/// Of several runs only those that go on are shown.
impl Drop for View {
    fn drop(&mut self) {
        let mut scene = lock(&self.stage.scene);
        if scene.tally.is_some() {
            scene.runs.retain(|board| board.seed != self.seed);
        }
    }
}

/// What a panic left behind may still be shown.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
