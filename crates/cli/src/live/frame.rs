//! What a display shows, as lines of text: a function of what is known and of the room there is.

use std::time::Duration;

use super::board::{Board, Rule};
use super::row::{Paint, Row, duration, finished};
use super::screen::{Size, Style};
use super::several::{self, Tally};
use crate::output::table::share;

/// Columns below which there is only one short line: those of a terminal of 40, less the last one.
const NARROW: usize = 39;

/// All that is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// The time since the display began.
    pub(crate) now: Duration,
    /// The runs that go on: one, unless there is a tally.
    pub(crate) runs: Vec<Board>,
    /// How far the runs of several seeds are.
    pub(crate) tally: Option<Tally>,
    /// What else is to be said: why it goes no further.
    pub(crate) note: Option<String>,
}

/// What is shown. No line is wider than the room, there are no more lines than it has, and none has a line break.
pub(crate) fn frame(scene: &Scene, size: Size, style: Style) -> Vec<String> {
    let mut rows = match (&scene.tally, scene.runs.as_slice()) {
        (Some(tally), runs) => several::rows(runs, tally, scene.now, size, style),
        (None, [board, ..]) => rows(board, scene.now, size.width, style),
        (None, []) => Vec::new(),
    };
    rows.extend(scene.note.iter().map(|note| Row::of(note, Paint::Strong)));
    if size.width < NARROW || rows.len() > size.height {
        rows = vec![short(scene, size.width)];
    }
    rows.iter().take(size.height).map(|row| row.text(size.width, style.colour)).collect()
}

/// One run.
fn rows(board: &Board, now: Duration, width: usize, style: Style) -> Vec<Row> {
    let mut rows = vec![title(board, width), bar_row(board, width, style)];
    rows.extend(board.exact.iter().enumerate().map(|(stage, curve)| {
        let exact = curve.last().unwrap_or(0.0);
        let mut row = figure(&format!("exact {stage}"), &share(exact), finished(exact == 1.0));
        row.add(curve.share_line(row.room(width), style.unicode), Paint::Curve);
        row
    }));
    let figures = [("return", &board.reward), ("entropy", &board.entropy), ("gradient", &board.grad_norm)];
    rows.extend(figures.into_iter().filter_map(|(name, curve)| {
        let mut row = figure(name, &format!("{:.3}", curve.last()?), Paint::Plain);
        row.add(curve.line(row.room(width), style.unicode), Paint::Curve);
        Some(row)
    }));
    rows.push(pace(board, now, width));
    rows
}

fn title(board: &Board, width: usize) -> Row {
    let mut row = Row::of(board.goal.task, Paint::Strong);
    row.add_if_it_fits(&format!("seed {}", board.seed), Paint::Plain, width);
    row.add_if_it_fits(&format!("update {}/{}", board.update, board.goal.limit), Paint::Plain, width);
    row.add_if_it_fits(&format!("stage {}", board.stage), Paint::Plain, width);
    row
}

fn bar_row(board: &Board, width: usize, style: Style) -> Row {
    let percent = format!(" {:3.0} %", (100.0 * board.done()).floor());
    let mut row = Row::default();
    bar(&mut row, board.done(), width.saturating_sub(percent.len()), style);
    row.add(percent, Paint::Plain);
    row
}

/// Adds a bar of this many columns.
fn bar(row: &mut Row, done: f64, columns: usize, style: Style) {
    let full = (done * columns as f64) as usize;
    let [made, to_make] = if style.unicode { ["█", "░"] } else { ["#", "."] };
    row.add(made.repeat(full), Paint::Curve);
    row.add(to_make.repeat(columns - full), Paint::Dim);
}

/// A name and its figure, in columns of their own.
fn figure(name: &str, value: &str, paint: Paint) -> Row {
    let mut row = Row::of(format!("{name:<9}"), Paint::Dim);
    row.add(format!("{value:>7}  "), paint);
    row
}

/// How fast it goes, how long it has gone and may still go, and how near the rule is that ends it before.
fn pace(board: &Board, now: Duration, width: usize) -> Row {
    let mut row = Row::default();
    let left = match board.is_trained() {
        true => Some("testing".to_owned()),
        false => board.left(now).map(|seconds| format!("at most {} left", duration(seconds))),
    };
    let steps = board.rate().map(|rate| format!("{rate:.0} steps/s"));
    let went = board.began.map(|began| format!("{} so far", duration(now.saturating_sub(began).as_secs_f64())));
    for text in [left, steps, went].into_iter().flatten() {
        row.add_if_it_fits(&text, Paint::Plain, width);
    }
    let Rule { patience, explore } = board.goal.rule;
    let (text, paint) = match board.perfect {
        perfect if perfect < patience => (format!("{perfect} of {patience} perfect"), Paint::Plain),
        _ if board.update < explore => (format!("perfect, exploring to {explore}"), Paint::Good),
        _ => (format!("{patience} of {patience} perfect"), Paint::Good),
    };
    row.add_if_it_fits(&text, paint, width);
    row
}

/// The most important figures, as many as fit.
fn short(scene: &Scene, width: usize) -> Row {
    let mut row = Row::default();
    let mut add = |text: String| row.add_if_it_fits(&text, Paint::Plain, width);
    if let Some(tally) = &scene.tally {
        add(format!("{}/{} over", tally.over, tally.all));
        add(format!("{} solved", tally.solved));
    } else if let Some(board) = scene.runs.first() {
        add(format!("{}/{}", board.update, board.goal.limit));
        let exact: Vec<_> = board.exact().map(share).collect();
        if !exact.is_empty() {
            add(exact.join(" "));
        }
        board.left(scene.now).into_iter().for_each(|seconds| add(format!("{} left", duration(seconds))));
    }
    scene.note.iter().for_each(|note| add(note.clone()));
    row
}
