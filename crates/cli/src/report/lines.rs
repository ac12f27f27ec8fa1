//! What is drawn of a series: a line for one run, thin lines for several, and their mean with its interval; each with a title
//! that says in words what it shows.

use super::chart::Shape;
use super::scale::{count, figure};
use super::thin::thin;
use crate::folder::Runs;
use crate::stats::curve::{Series, curve};
use crate::stats::{Bootstrap, estimate};

/// Points of a line of one run.
const POINTS: usize = 200;
/// Points of all thin lines of a chart together.
const THIN_POINTS: usize = 3000;
/// Thin lines of a chart at most.
pub(super) const THIN_LINES: usize = 50;
/// Points of a mean and its interval.
pub(super) const SPANS: usize = 50;

/// A run alone.
pub(super) fn one(series: &Series, name: &str, colour: usize, dots: bool) -> Vec<Shape> {
    let points: Vec<_> = series.iter().map(|&(update, value)| (update as f64, value)).collect();
    let class = format!("c{colour}");
    let line = Shape::Line { class: class.clone(), title: describe(name, series), points: thin(&points, POINTS) };
    let dot = |&(update, value): &(usize, f64)| {
        (update as f64, value, format!("update {}: {}", count(update), figure(value)))
    };
    let dots = dots && series.len() <= SPANS;
    let dots = dots.then(|| Shape::Dots { class, points: series.iter().map(dot).collect() });
    [line].into_iter().chain(dots).collect()
}

/// A thin line for each seed.
pub(super) fn seeds(runs: &[(u64, Series)], name: &str) -> Vec<Shape> {
    let shown = &runs[..runs.len().min(THIN_LINES)];
    let most = (THIN_POINTS / shown.len()).min(POINTS);
    let line = |(seed, series): &(u64, Series)| {
        let points: Vec<_> = series.iter().map(|&(update, value)| (update as f64, value)).collect();
        let title = describe(&format!("{name}, seed {seed}"), series);
        Shape::Line { class: "seed c0".into(), title, points: thin(&points, most) }
    };
    shown.iter().map(line).collect()
}

/// The interval and the mean of several runs; nothing if a value is no number.
pub(super) fn together(runs: &[Series], name: &str, colour: usize) -> [Option<Shape>; 2] {
    let Ok(points) = curve(runs, estimate::iqm, &Bootstrap::default()) else { return [None, None] };
    let (class, number) = (format!("c{colour}"), runs.len());
    let series: Series = points.iter().map(|point| (point.update, point.value.estimate)).collect();
    let title = describe(&format!("{name}, interquartile mean of {number} runs"), &series);
    let band = points.iter().map(|point| (point.update as f64, point.value.low, point.value.high)).collect();
    let line = series.iter().map(|&(update, value)| (update as f64, value)).collect();
    [
        Some(Shape::Band { class: class.clone(), title: format!("{name}, 95 % interval"), points: band }),
        Some(Shape::Line { class, title, points: line }),
    ]
}

/// A curve in words.
fn describe(name: &str, series: &Series) -> String {
    let by_value = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
    let (least, most) = (series.iter().min_by(by_value), series.iter().max_by(by_value));
    let (Some(first), Some(last), Some(least), Some(most)) = (series.first(), series.last(), least, most) else {
        return format!("{name}: none");
    };
    let at = |&(update, value): &(usize, f64)| format!("{} at update {}", figure(value), count(update));
    format!("{name}: from {} to {}; least {}, greatest {}", at(first), at(last), at(least), at(most))
}

/// β over the updates, as the first run that has begun had it.
pub(super) fn coefficient(runs: &Runs, colour: usize) -> Option<Shape> {
    let run = runs.runs.iter().max_by_key(|run| run.updates.len())?;
    let points: Vec<_> = run.updates.iter().map(|line| (line.update as f64, line.entropy_coefficient)).collect();
    let title = "β, the coefficient of the entropy".to_owned();
    (!points.is_empty()).then(|| Shape::Line {
        class: format!("dashed c{colour}"),
        title,
        points: thin(&points, POINTS),
    })
}
