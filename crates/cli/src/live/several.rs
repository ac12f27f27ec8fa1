//! The runs of several seeds: a line for each that goes on, and one for all.

use std::time::Duration;

use super::board::Board;
use super::row::{Paint, Row, duration, finished};
use super::screen::{Size, Style};
use crate::folder::outcome::Outcome;
use crate::output::table::share;

/// How far the runs of several seeds are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All of them.
    pub(crate) all: usize,
    /// Those that are over.
    pub(crate) over: usize,
    /// Those of them that solved every test episode.
    pub(crate) solved: usize,
    /// Those of them that failed.
    pub(crate) failed: usize,
}

impl Tally {
    /// Counts a run that is over.
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        self.over += 1;
        self.solved += usize::from(outcome.solved());
        self.failed += usize::from(outcome.failed);
    }
}

/// A line for each run that goes on, or for as many as there is room for, and one for all.
pub(super) fn rows(runs: &[Board], tally: &Tally, now: Duration, size: Size, style: Style) -> Vec<Row> {
    let room = size.height.saturating_sub(2); // for all together, and for what else is to be said
    let mut rows: Vec<_> = runs.iter().take(room).map(|board| row(board, now, size.width, style)).collect();
    rows.push(together(runs, tally, now, size.width));
    rows
}

fn row(board: &Board, now: Duration, width: usize, style: Style) -> Row {
    let Board { seed, update, goal, .. } = board;
    let mut row = Row::of(format!("seed {seed:<3}"), Paint::Strong);
    row.add_if_it_fits(&format!("{update:>4}/{}", goal.limit), Paint::Plain, width);
    let exact: Vec<_> = board.exact().collect();
    if !exact.is_empty() {
        let paint = finished(exact.iter().all(|&exact| exact == 1.0));
        let shares: Vec<_> = exact.into_iter().map(share).collect();
        row.add_if_it_fits(&format!("exact {}", shares.join(" ")), paint, width);
    }
    if let Some(reward) = board.reward.last() {
        row.add_if_it_fits(&format!("return {reward:>6.3}"), Paint::Plain, width);
    }
    if let Some(seconds) = board.left(now) {
        row.add_if_it_fits(&format!("{} left", duration(seconds)), Paint::Plain, width);
    }
    let curve = board.reward.line(row.room(width).saturating_sub(2), style.unicode);
    if !curve.is_empty() {
        row.add_if_it_fits(&curve, Paint::Curve, width);
    }
    row
}

fn together(runs: &[Board], tally: &Tally, now: Duration, width: usize) -> Row {
    let Tally { all, over, solved, failed } = *tally;
    let mut row = Row::default();
    row.add_if_it_fits(&format!("{over} of {all} over"), finished(over == all), width);
    row.add_if_it_fits(&format!("{solved} solved"), Paint::Plain, width);
    if failed > 0 {
        row.add_if_it_fits(&format!("{failed} failed"), Paint::Strong, width);
    }
    if let Some(seconds) = left(runs, all.saturating_sub(over), now) {
        row.add_if_it_fits(&format!("at most {} left", duration(seconds)), Paint::Plain, width);
    }
    row.add_if_it_fits(&format!("{} running", runs.len()), Paint::Plain, width);
    row.add_if_it_fits(&format!("{} to come", all.saturating_sub(over + runs.len())), Paint::Plain, width);
    let rates: Vec<_> = runs.iter().filter_map(Board::rate).collect();
    if !rates.is_empty() {
        row.add_if_it_fits(&format!("{:.0} steps/s", rates.iter().sum::<f64>()), Paint::Plain, width);
    }
    row
}

/// Seconds until all are over, if those to come take as long as those that go on would at most.
fn left(runs: &[Board], to_end: usize, now: Duration) -> Option<f64> {
    let lefts: Vec<_> = runs.iter().map(|board| board.left(now)).collect::<Option<_>>()?;
    let whole = |(board, left): (&Board, &f64)| left / (1.0 - board.done()).max(f64::EPSILON);
    let longest = lefts.iter().copied().reduce(f64::max)?;
    let full = runs.iter().zip(&lefts).map(whole).reduce(f64::max)?;
    let rounds = to_end.saturating_sub(runs.len()).div_ceil(runs.len());
    Some(longest + full * rounds as f64)
}
