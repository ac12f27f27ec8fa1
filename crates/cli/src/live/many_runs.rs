//! The display of several seeds: one line per running seed, and one line for all runs.

use std::time::Duration;

use super::progress::RunProgress;
use super::row::{Paint, Row, duration, good_if};
use super::screen::{Size, Style};
use crate::folder::outcome::Outcome;
use crate::score::Score;

/// Counts of the runs of several seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All runs.
    pub(crate) total: usize,
    /// Finished runs.
    pub(crate) finished: usize,
    /// Finished runs whose test is perfect, if the task has success.
    pub(crate) perfect: Option<usize>,
    /// Finished runs that failed.
    pub(crate) failed: usize,
}

impl Tally {
    /// Starts to count `total` runs of a task with this score.
    pub(crate) fn new(total: usize, score: Score) -> Self {
        Self { total, perfect: (score == Score::ExactMatch).then_some(0), ..Self::default() }
    }

    /// Counts a finished run.
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        self.finished += 1;
        self.perfect = self.perfect.map(|perfect| perfect + usize::from(outcome.is_perfect()));
        self.failed += usize::from(outcome.failed);
    }
}

/// Returns one row per running seed, as many as fit, and one row for all runs.
pub(super) fn many_run_rows(runs: &[RunProgress], tally: &Tally, now: Duration, size: Size, style: Style) -> Vec<Row> {
    let room = size.height.saturating_sub(2); // two rows are for the total and the note
    let mut rows: Vec<_> = runs.iter().take(room).map(|progress| run_row(progress, now, size.width, style)).collect();
    rows.push(total_row(runs, tally, now, size.width));
    rows
}

fn run_row(progress: &RunProgress, now: Duration, width: usize, style: Style) -> Row {
    let RunProgress { seed, update, limits, .. } = progress;
    let mut row = Row::from_text(format!("seed {seed:<3}"), Paint::Strong);
    row.add_if_fits(&format!("{update:>4}/{}", limits.max_updates), Paint::Plain, width);
    let (score, scores): (_, Vec<_>) = (limits.score, progress.last_scores().collect());
    if !scores.is_empty() {
        let paint = good_if(score == Score::ExactMatch && scores.iter().all(|&exact| exact == 1.0));
        let texts: Vec<_> = scores.into_iter().map(|x| score.format(x)).collect();
        row.add_if_fits(&format!("{} {}", score.short_name(), texts.join(" ")), paint, width);
    }
    if let Some(reward) = progress.reward.last() {
        row.add_if_fits(&format!("return {reward:>6.3}"), Paint::Plain, width);
    }
    if let Some(seconds) = progress.seconds_left(now) {
        row.add_if_fits(&format!("{} left", duration(seconds)), Paint::Plain, width);
    }
    let sparkline = progress.reward.render(row.room(width).saturating_sub(2), style.unicode);
    if !sparkline.is_empty() {
        row.add_if_fits(&sparkline, Paint::Curve, width);
    }
    row
}

fn total_row(runs: &[RunProgress], tally: &Tally, now: Duration, width: usize) -> Row {
    let Tally { total, finished, perfect, failed } = *tally;
    let mut row = Row::default();
    row.add_if_fits(&format!("{finished} of {total} finished"), good_if(finished == total), width);
    if let Some(perfect) = perfect {
        row.add_if_fits(&format!("{perfect} perfect"), Paint::Plain, width);
    }
    if failed > 0 {
        row.add_if_fits(&format!("{failed} failed"), Paint::Strong, width);
    }
    if let Some(seconds) = seconds_left(runs, total.saturating_sub(finished), now) {
        row.add_if_fits(&format!("at most {} left", duration(seconds)), Paint::Plain, width);
    }
    row.add_if_fits(&format!("{} running", runs.len()), Paint::Plain, width);
    row.add_if_fits(&format!("{} waiting", total.saturating_sub(finished + runs.len())), Paint::Plain, width);
    let rates: Vec<_> = runs.iter().filter_map(RunProgress::steps_per_second).collect();
    if !rates.is_empty() {
        row.add_if_fits(&format!("{:.0} steps/s", rates.iter().sum::<f64>()), Paint::Plain, width);
    }
    row
}

/// Estimates the seconds until all runs finish. A waiting run is assumed to take as long as the slowest running one.
fn seconds_left(runs: &[RunProgress], unfinished: usize, now: Duration) -> Option<f64> {
    let lefts: Vec<_> = runs.iter().map(|progress| progress.seconds_left(now)).collect::<Option<_>>()?;
    let whole = |(progress, left): (&RunProgress, &f64)| left / (1.0 - progress.fraction_done()).max(f64::EPSILON);
    let longest = lefts.iter().copied().reduce(f64::max)?;
    let slowest = runs.iter().zip(&lefts).map(whole).reduce(f64::max)?;
    let rounds = unfinished.saturating_sub(runs.len()).div_ceil(runs.len());
    Some(longest + slowest * rounds as f64)
}
