//! The shapes of a series: a line for a single run, thin lines for several runs, and their mean with its interval. Each
//! shape has a title that describes it in words.

use super::behaviour::episode_id;
use super::chart::{Dot, Shape};
use super::downsample::keep_extremes;
use super::scale::{format_count, format_significant};
use crate::folder::{RunRecord, RunSet};
use crate::stats::curve::{Series, aggregate_curve};
use crate::stats::{Bootstrap, estimate};

/// Maximum points of the line of one run.
const POINTS: usize = 200;
/// Maximum points of all thin lines of a chart together.
const THIN_POINTS: usize = 3000;
/// Maximum number of thin lines in a chart.
pub(super) const THIN_LINES: usize = 50;
/// Maximum points of a mean and its interval.
pub(super) const SPANS: usize = 50;

/// Draws a single run as a line.
pub(super) fn run_line(series: &Series, name: &str, colour: usize) -> Shape {
    let points: Vec<_> = series.iter().map(|&(update, value)| (update as f64, value)).collect();
    Shape::Line {
        class: format!("c{colour}"),
        title: describe_series(name, series),
        points: keep_extremes(&points, POINTS),
    }
}

/// Draws the validations of a run as dots: all of them if they are few and `alone` is set, otherwise those in `episodes`,
/// the validations whose episodes are on the page. Each dot links to the nearest of these episodes.
pub(super) fn validation_dots(series: &Series, stage: usize, colour: usize, episodes: &[usize], alone: bool) -> Shape {
    let all = alone && series.len() <= SPANS;
    let class = if alone { format!("c{colour}") } else { "seed".to_owned() };
    let dot = |&(update, value): &(usize, f64)| {
        let nearest = episodes.iter().min_by_key(|episode| episode.abs_diff(update));
        let link = nearest.map(|&episode| format!("; leads to the episode of update {}", format_count(episode)));
        let (x, y) = (format_count(update), format_significant(value));
        Dot {
            at: (update as f64, value),
            title: format!("update {x}: {y}{}", link.unwrap_or_default()),
            target: nearest.map(|&episode| episode_id(stage, episode)),
        }
    };
    let shown = series.iter().filter(|(update, _)| all || episodes.contains(update));
    Shape::Dots { class, points: shown.map(dot).collect() }
}

/// Draws a thin line for each seed, for at most [`THIN_LINES`] seeds.
pub(super) fn seed_lines(runs: &[(&RunRecord, Series)], name: &str) -> Vec<Shape> {
    let shown = &runs[..runs.len().min(THIN_LINES)];
    let max_points = (THIN_POINTS / shown.len()).min(POINTS);
    let line = |(run, series): &(&RunRecord, Series)| {
        let points: Vec<_> = series.iter().map(|&(update, value)| (update as f64, value)).collect();
        let title = describe_series(&format!("{name}, seed {}", run.seed), series);
        Shape::Line { class: "seed c0".into(), title, points: keep_extremes(&points, max_points) }
    };
    shown.iter().map(line).collect()
}

/// Draws the confidence interval and the interquartile mean of several runs; none if a value is not finite.
pub(super) fn mean_and_interval(runs: &[Series], name: &str, colour: usize) -> [Option<Shape>; 2] {
    let Ok(points) = aggregate_curve(runs, estimate::iqm, &Bootstrap::default()) else { return [None, None] };
    let (class, number) = (format!("c{colour}"), runs.len());
    let series: Series = points.iter().map(|point| (point.update, point.value.estimate)).collect();
    let title = describe_series(&format!("{name}, interquartile mean of {number} runs"), &series);
    let band = points.iter().map(|point| (point.update as f64, point.value.low, point.value.high)).collect();
    let line = series.iter().map(|&(update, value)| (update as f64, value)).collect();
    [
        Some(Shape::Band { class: class.clone(), title: format!("{name}, 95 % confidence interval"), points: band }),
        Some(Shape::Line { class, title, points: line }),
    ]
}

/// Describes a curve in words.
fn describe_series(name: &str, series: &Series) -> String {
    let by_value = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
    let (min, max) = (series.iter().min_by(by_value), series.iter().max_by(by_value));
    let (Some(first), Some(last), Some(min), Some(max)) = (series.first(), series.last(), min, max) else {
        return format!("{name}: none");
    };
    let at =
        |&(update, value): &(usize, f64)| format!("{} at update {}", format_significant(value), format_count(update));
    format!("{name}: from {} to {}; minimum {}, maximum {}", at(first), at(last), at(min), at(max))
}

/// Draws the entropy coefficient β by update, taken from the run with the most updates.
pub(super) fn entropy_coefficient_line(runs: &RunSet, colour: usize) -> Option<Shape> {
    let run = runs.runs.iter().max_by_key(|run| run.updates.len())?;
    let points: Vec<_> = run.updates.iter().map(|line| (line.update as f64, line.entropy_coefficient)).collect();
    let title = "entropy coefficient β".to_owned();
    (!points.is_empty()).then(|| Shape::Line {
        class: format!("dashed c{colour}"),
        title,
        points: keep_extremes(&points, POINTS),
    })
}
