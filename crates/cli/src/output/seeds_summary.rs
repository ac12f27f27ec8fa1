//! Runs of several seeds: a row for each, then median and range.

use rl::tasks::STAGES;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::folder::outcome::Timed;
use crate::input::task_name;
use crate::output::exact_match::Exact;
use crate::output::table::{NONE, Table, share};
use crate::stats::estimate;

/// A figure of a run, or of one of its stages; a run that failed does not have all.
type Figure = fn(&Timed, usize) -> Option<f64>;

/// A column of figures.
struct Column {
    name: String,
    stage: usize,
    figure: Figure,
    show: fn(f64) -> String,
}

impl Column {
    fn of(&self, run: &Timed) -> Option<f64> {
        (self.figure)(run, self.stage)
    }
}

fn columns() -> Vec<Column> {
    let of_run = |name: &str, figure: Figure, show| Column { name: name.to_owned(), stage: 0, figure, show };
    let of_stages = |name: &'static str, figure: Figure, show| {
        (0..STAGES).map(move |stage| Column { name: format!("{name} {stage}"), stage, figure, show })
    };
    let mut columns = vec![
        of_run("updates", |run, _| Some(run.outcome.updates as f64), whole),
        of_run("steps", |run, _| Some(run.outcome.steps as f64), whole),
        of_run("seconds", |run, _| Some(run.seconds), |x| format!("{x:.1}")),
    ];
    columns.extend(of_stages("exact", |run, stage| Some(run.outcome.stages.get(stage)?.exact), share));
    columns.push(of_run("shuffled", |run, _| run.outcome.stages.iter().map(|s| s.shuffled).reduce(f64::min), share));
    let programs: Figure = |run, _| run.outcome.stages.iter().map(|s| s.programs as f64).reduce(|a, b| a + b);
    columns.push(of_run("programs", programs, whole));
    columns
}

/// A whole number, or the half that a median of two of them may be.
fn whole(x: f64) -> String {
    if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.1}") }
}

/// What the last two figures of the table are.
pub(crate) const LEGEND: &str = "shuffled: the lowest exact match of a stage when each episode is shown another one's \
     context; programs: distinct greedy programs, all stages together.";

/// The runs of all seeds, a row for each, failed ones included; then median and range of all that have the figure.
pub(crate) fn table(runs: &[Timed]) -> Table {
    let columns = columns();
    let row = |first: [String; 2], cell: &dyn Fn(&Column) -> String, last: &str| {
        first.into_iter().chain(columns.iter().map(cell)).chain([last.to_owned()]).collect::<Vec<_>>()
    };
    let mut table = Table::new(row(["seed".into(), "solved".into()], &|column| column.name.clone(), "end"));
    for run in runs {
        let solved = if run.outcome.solved() { "yes" } else { "no" };
        let cell = |column: &Column| column.of(run).map_or(NONE.into(), column.show);
        table.row(row([run.outcome.seed.to_string(), solved.into()], &cell, &run.outcome.end));
    }
    let spread = |column: &Column| Spread::of(runs.iter().filter_map(|run| column.of(run)));
    let median = |column: &Column| spread(column).map_or(NONE.into(), |s| (column.show)(s.median));
    let range = |column: &Column| {
        spread(column).map_or(NONE.into(), |s| format!("{} to {}", (column.show)(s.least), (column.show)(s.most)))
    };
    table.row(row(["median".into(), format!("{} of {}", solved(runs), runs.len())], &median, ""));
    table.row(row(["range".into(), String::new()], &range, ""));
    table
}

/// Which runs these are: the task, and the settings that are not at their defaults.
pub(crate) fn title(changes: &[(&str, String)]) -> String {
    let changes: Vec<_> = changes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let except = if changes.is_empty() { String::new() } else { format!(" except {}", changes.join(", ")) };
    format!("{}, default settings{except}", task_name::NAME)
}

/// The same as JSON.
pub(crate) fn json(changes: &[(&str, String)], runs: &[Timed], exact: &Exact) -> Value {
    let spreads = columns().into_iter().map(|column| {
        let spread = Spread::of(runs.iter().filter_map(|run| column.of(run)));
        (column.name, json!(spread))
    });
    let changes: Map<_, _> = changes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "task": task_name::NAME,
        "changed_settings": changes,
        "solved": solved(runs),
        "of": runs.len(),
        "spread": spreads.collect::<Map<_, _>>(),
        "exact_match": exact,
        "runs": runs,
    })
}

fn solved(runs: &[Timed]) -> usize {
    runs.iter().filter(|run| run.outcome.solved()).count()
}

/// Median and range of some figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Of no figures there is none.
    fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let figures: Vec<f64> = figures.collect();
        (!figures.is_empty()).then(|| {
            let (median, (least, most)) = (estimate::median(&figures), estimate::range(&figures));
            Self { median, least, most }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let of = |figures: &[f64]| Spread::of(figures.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(of(&[4.0, 1.0, 2.0, 8.0]), Some(Spread { median: 3.0, least: 1.0, most: 8.0 }));
    }
}
