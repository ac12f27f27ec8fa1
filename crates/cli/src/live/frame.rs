//! Frames of the live display: the lines of text for a given state and terminal size.

use std::time::Duration;

use super::many_runs::{self, Tally};
use super::progress::{RunProgress, StopCondition};
use super::row::{Paint, Row, duration, good_if};
use super::screen::{Size, Style};
use crate::score::Score;

/// A frame with fewer columns is one short line. This is the usable width of a terminal with 40 columns.
const NARROW: usize = 39;

/// Everything that a frame shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// The time since the display began.
    pub(crate) now: Duration,
    /// The unfinished runs: exactly one, unless there is a tally.
    pub(crate) runs: Vec<RunProgress>,
    /// The counts of runs, if there are several seeds.
    pub(crate) tally: Option<Tally>,
    /// A note below the runs, such as the reason why training is stopping.
    pub(crate) note: Option<String>,
}

/// Lays out the scene as lines. No line is wider than `size`, there are at most as many lines as `size` allows, and no
/// line contains a line break.
pub(crate) fn frame(scene: &Scene, size: Size, style: Style) -> Vec<String> {
    let mut rows = match (&scene.tally, scene.runs.as_slice()) {
        (Some(tally), runs) => many_runs::many_run_rows(runs, tally, scene.now, size, style),
        (None, [progress, ..]) => single_run_rows(progress, scene.now, size.width, style),
        (None, []) => Vec::new(),
    };
    rows.extend(scene.note.iter().map(|note| Row::from_text(note, Paint::Strong)));
    if size.width < NARROW || rows.len() > size.height {
        rows = vec![short_row(scene, size.width)];
    }
    rows.iter().take(size.height).map(|row| row.render(size.width, style.colour)).collect()
}

/// Returns the rows of a single run.
fn single_run_rows(progress: &RunProgress, now: Duration, width: usize, style: Style) -> Vec<Row> {
    let mut rows = vec![title_row(progress, width), bar_row(progress, width, style)];
    let score = progress.limits.score;
    rows.extend(progress.scores.iter().enumerate().map(|(stage, sparkline)| {
        let (last, is_share) = (sparkline.last().unwrap_or(0.0), score == Score::ExactMatch);
        let name = format!("{} {stage}", score.short_name());
        let mut row = metric_row(&name, &score.format(last), good_if(is_share && last == 1.0));
        let (room, unicode) = (row.room(width), style.unicode);
        let curve = if is_share { sparkline.render_share(room, unicode) } else { sparkline.render(room, unicode) };
        row.add(curve, Paint::Curve);
        row
    }));
    let metrics = [("return", &progress.reward), ("entropy", &progress.entropy), ("gradient", &progress.grad_norm)];
    rows.extend(metrics.into_iter().filter_map(|(name, sparkline)| {
        let mut row = metric_row(name, &format!("{:.3}", sparkline.last()?), Paint::Plain);
        row.add(sparkline.render(row.room(width), style.unicode), Paint::Curve);
        Some(row)
    }));
    rows.push(pace_row(progress, now, width));
    rows
}

fn title_row(progress: &RunProgress, width: usize) -> Row {
    let mut row = Row::from_text(&*progress.limits.task, Paint::Strong);
    row.add_if_fits(&format!("seed {}", progress.seed), Paint::Plain, width);
    row.add_if_fits(&format!("update {}/{}", progress.update, progress.limits.max_updates), Paint::Plain, width);
    if let Some(stage) = progress.later_stage() {
        row.add_if_fits(&format!("stage {stage}"), Paint::Plain, width);
    }
    row
}

fn bar_row(progress: &RunProgress, width: usize, style: Style) -> Row {
    let percent = format!(" {:3.0} %", (100.0 * progress.fraction_done()).floor());
    let mut row = Row::default();
    add_bar(&mut row, progress.fraction_done(), width.saturating_sub(percent.len()), style);
    row.add(percent, Paint::Plain);
    row
}

/// Adds a progress bar of this many columns.
fn add_bar(row: &mut Row, done: f64, columns: usize, style: Style) {
    let full = (done * columns as f64) as usize;
    let [filled, empty] = if style.unicode { ["█", "░"] } else { ["#", "."] };
    row.add(filled.repeat(full), Paint::Curve);
    row.add(empty.repeat(columns - full), Paint::Dim);
}

/// Returns a row with a name and a value in fixed columns.
fn metric_row(name: &str, value: &str, paint: Paint) -> Row {
    let mut row = Row::from_text(format!("{name:<9}"), Paint::Dim);
    row.add(format!("{value:>7}  "), paint);
    row
}

/// Returns a row with the time left, the speed, the elapsed time, and the progress towards early stopping.
fn pace_row(progress: &RunProgress, now: Duration, width: usize) -> Row {
    let mut row = Row::default();
    let left = match progress.is_trained() {
        true => Some("testing".to_owned()),
        false => progress.seconds_left(now).map(|seconds| format!("at most {} left", duration(seconds))),
    };
    let left = progress.describe_end().or(left);
    let steps = progress.steps_per_second().map(|rate| format!("{rate:.0} steps/s"));
    let elapsed =
        progress.started.map(|started| format!("{} elapsed", duration(now.saturating_sub(started).as_secs_f64())));
    for text in [left, steps, elapsed].into_iter().flatten() {
        row.add_if_fits(&text, Paint::Plain, width);
    }
    let Some(StopCondition { patience, exploration_updates }) = progress.limits.stop_condition else { return row };
    let (text, paint) = match progress.perfect {
        perfect if perfect < patience => (format!("{perfect} of {patience} perfect"), Paint::Plain),
        _ if progress.update < exploration_updates => {
            (format!("perfect, exploring until {exploration_updates}"), Paint::Good)
        }
        _ => (format!("{patience} of {patience} perfect"), Paint::Good),
    };
    row.add_if_fits(&text, paint, width);
    row
}

/// Returns a row with the most important values, as many as fit.
fn short_row(scene: &Scene, width: usize) -> Row {
    let mut row = Row::default();
    let mut add = |text: String| row.add_if_fits(&text, Paint::Plain, width);
    if let Some(tally) = &scene.tally {
        add(format!("{}/{} finished", tally.finished, tally.total));
        tally.perfect.iter().for_each(|perfect| add(format!("{perfect} perfect")));
    } else if let Some(progress) = scene.runs.first() {
        let update = || format!("{}/{}", progress.update, progress.limits.max_updates);
        add(progress.describe_end().unwrap_or_else(update));
        let scores: Vec<_> = progress.last_scores().map(|x| progress.limits.score.format(x)).collect();
        if !scores.is_empty() {
            add(scores.join(" "));
        }
        if progress.describe_end().is_none() {
            progress.seconds_left(scene.now).into_iter().for_each(|seconds| add(format!("{} left", duration(seconds))));
        }
    }
    scene.note.iter().for_each(|note| add(note.clone()));
    row
}
