//! The summary table of several seeds: one row per run, then the median and the range.

use rl::env::Spec;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::folder::outcome::TimedOutcome;
use crate::output::score_stats::ScoreStats;
use crate::output::table::{NONE, Table};
use crate::run::final_test::StageTest;
use crate::score::Score;
use crate::stats::estimate;

/// A metric of a run. A failed run lacks some metrics.
type Metric = Box<dyn Fn(&TimedOutcome) -> Option<f64>>;

/// A column of the table.
struct Column {
    name: String,
    metric: Metric,
    format: fn(f64) -> String,
}

impl Column {
    fn new(
        name: impl Into<String>,
        format: fn(f64) -> String,
        metric: impl Fn(&TimedOutcome) -> Option<f64> + 'static,
    ) -> Self {
        Self { name: name.into(), metric: Box::new(metric), format }
    }

    fn value(&self, run: &TimedOutcome) -> Option<f64> {
        (self.metric)(run)
    }
}

/// Returns the columns of these runs, without those that no run has although one has been tested.
fn columns_of(runs: &[TimedOutcome], score: Score, stages: usize) -> Vec<Column> {
    let format: fn(f64) -> String = match score {
        Score::ExactMatch => |x| Score::ExactMatch.format(x),
        Score::Reward => |x| Score::Reward.format(x),
    };
    let lowest = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::min);
    let mut columns = vec![
        Column::new("updates", format_count, |run| Some(run.outcome.updates as f64)),
        Column::new("steps", format_count, |run| Some(run.outcome.steps as f64)),
        Column::new("seconds", |x| format!("{x:.1}"), |run| Some(run.seconds)),
    ];
    columns.extend((0..stages).map(|stage| {
        let name = format!("{} {stage}", score.short_name());
        Column::new(name, format, move |run| Some(run.outcome.stages.get(stage)?.score()))
    }));
    let mut sets: Vec<String> = Vec::new();
    for test in runs.iter().flat_map(|run| &run.outcome.stages).filter(|test| !test.set.is_empty()) {
        if !sets.contains(&test.set) {
            sets.push(test.set.clone());
        }
    }
    columns.extend(sets.into_iter().map(|set| {
        Column::new(set.clone(), format, move |run| {
            lowest(&mut run.outcome.stages.iter().filter(|test| test.set == set).map(StageTest::score))
        })
    }));
    columns.push(Column::new("shuffled", format, move |run| {
        lowest(&mut run.outcome.stages.iter().filter_map(StageTest::shuffled_score))
    }));
    columns.push(Column::new("programs", format_count, |run| {
        run.outcome.stages.iter().filter_map(|test| Some(test.programs? as f64)).reduce(|a, b| a + b)
    }));
    let is_tested = runs.iter().any(|run| !run.outcome.stages.is_empty());
    let is_known = |column: &Column| !is_tested || runs.iter().any(|run| column.value(run).is_some());
    columns.into_iter().filter(is_known).collect()
}

/// Formats a count. The median of two counts may end in a half.
fn format_count(x: f64) -> String {
    if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.1}") }
}

/// The meaning of some of the table's columns.
pub(crate) fn legend(score: Score) -> &'static str {
    match score {
        Score::ExactMatch => {
            "perfect: every test episode of every stage ended in an exact match. shuffled: the \
             lowest exact match of any stage when each episode is shown the context of another episode. programs: the \
             number of distinct greedy programs, added over all stages. A column named after a test set \
             has the lowest exact match of any of its stages."
        }
        Score::Reward => {
            "reward: the mean sum of rewards of a test episode. shuffled: the lowest of any stage when each episode is shown the \
             first observation of another episode. programs: the number of distinct greedy programs, added over all stages. A column named after a test set \
             has the lowest reward of any of its stages."
        }
    }
}

/// Returns one row per run, including failed runs, then the median and the range of the runs that have the metric.
pub(crate) fn table(runs: &[TimedOutcome], score: Score, stages: usize) -> Table {
    let (columns, has_success) = (columns_of(runs, score, stages), score == Score::ExactMatch);
    let row = |seed: String, perfect: &str, cell: &dyn Fn(&Column) -> String, last: &str| {
        let perfect = has_success.then(|| perfect.to_owned());
        let cells = columns.iter().map(cell).chain([last.to_owned()]);
        [seed].into_iter().chain(perfect).chain(cells).collect::<Vec<_>>()
    };
    let mut table = Table::new(row("seed".into(), "perfect", &|column| column.name.clone(), "end"));
    for run in runs {
        let perfect = if run.outcome.is_perfect() { "yes" } else { "no" };
        let cell = |column: &Column| column.value(run).map_or(NONE.into(), column.format);
        table.row(row(run.outcome.seed.to_string(), perfect, &cell, &run.outcome.end));
    }
    let spread = |column: &Column| Spread::from_values(runs.iter().filter_map(|run| column.value(run)));
    let median = |column: &Column| spread(column).map_or(NONE.into(), |s| (column.format)(s.median));
    let range = |column: &Column| {
        spread(column).map_or(NONE.into(), |s| format!("{} to {}", (column.format)(s.least), (column.format)(s.most)))
    };
    table.row(row("median".into(), &format!("{} of {}", count_perfect(runs), runs.len()), &median, ""));
    table.row(row("range".into(), "", &range, ""));
    table
}

/// Names the task and the settings that differ from their defaults.
pub(crate) fn title(task: &str, changes: &[(&str, String)]) -> String {
    let changes: Vec<_> = changes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let except = if changes.is_empty() { String::new() } else { format!(" except {}", changes.join(", ")) };
    format!("{task}, default settings{except}")
}

/// Returns the summary of runs of a task as JSON.
pub(crate) fn json(
    spec: &Spec,
    changes: &[(&str, String)],
    runs: &[TimedOutcome],
    stats: Option<&ScoreStats>,
) -> Value {
    let score = Score::new(spec);
    let spreads = columns_of(runs, score, spec.stages).into_iter().map(|column| {
        let spread = Spread::from_values(runs.iter().filter_map(|run| column.value(run)));
        (column.name, json!(spread))
    });
    let changes: Map<_, _> = changes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut summary = Map::new();
    summary.insert("task".into(), json!(spec.name));
    summary.insert("changed_settings".into(), json!(changes));
    if score == Score::ExactMatch {
        summary.insert("solved".into(), json!(count_perfect(runs)));
    }
    summary.insert("of".into(), json!(runs.len()));
    summary.insert("spread".into(), json!(spreads.collect::<Map<_, _>>()));
    summary.insert(score.name().replace(' ', "_"), json!(stats));
    summary.insert("runs".into(), json!(runs));
    Value::Object(summary)
}

fn count_perfect(runs: &[TimedOutcome]) -> usize {
    runs.iter().filter(|run| run.outcome.is_perfect()).count()
}

/// Median and range of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Computes median and range; `None` if there are no values.
    fn from_values(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| {
            let (median, (least, most)) = (estimate::median(&values), estimate::range(&values));
            Self { median, least, most }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_has_median_and_range_and_none_of_no_values() {
        let spread = |values: &[f64]| Spread::from_values(values.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 8.0]), Some(Spread { median: 3.0, least: 1.0, most: 8.0 }));
    }
}
