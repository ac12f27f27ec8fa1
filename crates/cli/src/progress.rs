//! How far a run has come: one line that changes, on a terminal; a line for each validation, elsewhere.

use std::io::{IsTerminal, stdout};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::say;
use crate::table::{NONE, share};
use crate::training::Update;

/// The display of one run.
pub(crate) struct Progress {
    line: Option<ProgressBar>,
    started: Instant,
    limit: usize,
    exact: Vec<f64>,
}

impl Progress {
    /// Before the first of at most `limit` updates.
    pub(crate) fn new(limit: usize) -> Self {
        let line = stdout().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_msg}").expect("a valid template");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style)
        });
        Self { line, started: Instant::now(), limit, exact: Vec::new() }
    }

    /// Shows an update, the last of `steps` training steps.
    pub(crate) fn show(&mut self, update: &Update, steps: u64) {
        if let Some(figures) = &update.validation {
            self.exact = figures.iter().map(|figures| figures.exact).collect();
        }
        if self.line.is_none() && update.validation.is_none() {
            return;
        }
        let exact: Vec<_> = self.exact.iter().copied().map(share).collect();
        let text = format!(
            "update {:>4}/{}  stage {}  exact {}  reward {:>6.3}  entropy {:.3}  {:.0} steps/s",
            update.number,
            self.limit,
            update.stage,
            if exact.is_empty() { NONE.into() } else { exact.join(" ") },
            update.reward,
            update.entropy,
            steps as f64 / self.started.elapsed().as_secs_f64(),
        );
        match &self.line {
            Some(line) => line.set_message(text),
            None => say(text),
        }
    }

    /// Takes the changing line away.
    pub(crate) fn finish(self) {
        self.line.iter().for_each(ProgressBar::finish_and_clear);
    }
}
