//! How far a run has come: one line that changes, on a terminal; a line for each validation, elsewhere.

use std::fmt::Display;
use std::io::{IsTerminal, stdout};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::folder::{UpdateLine, ValidationLine};
use crate::table::{NONE, share};

/// The display of all runs of a command.
pub(crate) struct Live {
    screen: Option<MultiProgress>,
    /// Whether lines say which seed they are of.
    several: bool,
}

/// The display of one run.
pub(crate) struct View {
    screen: Option<MultiProgress>,
    line: Option<ProgressBar>,
    prefix: String,
    started: Instant,
    limit: usize,
    /// Steps that were made before the display began, and since.
    steps: (u64, u64),
    exact: Vec<f64>,
}

impl Live {
    /// The display of one run, or of several.
    pub(crate) fn new(several: bool) -> Self {
        let screen = stdout().is_terminal().then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        Self { screen, several }
    }

    /// No display.
    #[cfg(test)]
    pub(crate) fn quiet() -> Self {
        Self { screen: None, several: false }
    }

    /// The display of the run with this seed.
    pub(crate) fn view(&self, seed: u64) -> View {
        let line = self.screen.as_ref().map(|screen| {
            let style = ProgressStyle::with_template("{wide_msg}").expect("a valid template");
            screen.add(ProgressBar::new_spinner().with_style(style))
        });
        let prefix = if self.several { format!("seed {seed}: ") } else { String::new() };
        let screen = self.screen.clone();
        View { screen, line, prefix, started: Instant::now(), limit: 0, steps: (0, 0), exact: Vec::new() }
    }
}

impl View {
    /// Begins after `done` of at most `limit` updates and `steps` training steps.
    pub(crate) fn begin(&mut self, limit: usize, done: usize, steps: u64) {
        (self.limit, self.steps, self.started) = (limit, (steps, 0), Instant::now());
        if done > 0 {
            self.say(format!("going on after update {done}"));
        }
    }

    /// Shows an update, and the validation that followed it.
    pub(crate) fn show(&mut self, update: &UpdateLine, validation: Option<&ValidationLine>) {
        self.steps.1 += update.steps;
        if let Some(line) = validation {
            self.exact = line.stages.iter().map(|stage| stage.exact).collect();
        }
        if self.line.is_none() && validation.is_none() {
            return;
        }
        let exact: Vec<_> = self.exact.iter().copied().map(share).collect();
        let text = format!(
            "update {:>4}/{}  stage {}  exact {}  reward {:>6.3}  entropy {:.3}  {:.0} steps/s",
            update.update,
            self.limit,
            update.stage(),
            if exact.is_empty() { NONE.into() } else { exact.join(" ") },
            update.reward,
            update.entropy,
            self.steps.1 as f64 / self.started.elapsed().as_secs_f64(),
        );
        match &self.line {
            Some(line) => line.set_message(format!("{}{text}", self.prefix)),
            None => self.say(text),
        }
    }

    /// Says something that stays.
    pub(crate) fn say(&self, text: impl Display) {
        let text = format!("{}{text}", self.prefix);
        match &self.screen {
            Some(screen) => screen.suspend(|| crate::say(text)),
            None => crate::say(text),
        }
    }
}

/// What changes goes away with the view.
impl Drop for View {
    fn drop(&mut self) {
        self.line.iter().for_each(ProgressBar::finish_and_clear);
    }
}
