//! The results of a folder: the tables of the final test, and the performance profile.

use maud::{Markup, html};

use super::chart::{Chart, PANEL, Shape};
use super::curves::{Group, legend_key};
use super::scale::{Scale, format_count};
use super::scores;
use crate::folder::outcome::TimedOutcome;
use crate::folder::{RunRecord, RunSet};
use crate::output::html::captioned;
use crate::output::score_stats::ScoreStats;
use crate::output::seeds_summary;
use crate::output::table::Table;
use crate::run::final_test;
use crate::score::Score;

/// Returns the table of the final test; `None` if no run has finished.
pub(super) fn table(runs: &RunSet) -> Option<Table> {
    match (&finished(runs)[..], runs.seeds) {
        ([], _) => None,
        ([run], None) => (!run.outcome.failed).then(|| final_test::to_table(&run.outcome.stages)),
        (all, _) => Some(seeds_summary::table(all, runs.task.score, runs.task.stages())),
    }
}

/// Returns the statistics of the scores, if several runs have finished.
pub(super) fn score_stats(runs: &RunSet) -> Option<ScoreStats> {
    let finished = finished(runs);
    if finished.len() > 1 { ScoreStats::from_runs(&finished, runs.task.score, runs.task.stages()) } else { None }
}

/// Returns the outcomes of the finished runs.
fn finished(runs: &RunSet) -> Vec<TimedOutcome> {
    let timed =
        |run: &RunRecord| Some(TimedOutcome { outcome: run.outcome.clone()?, seconds: run.seconds.unwrap_or(0.0) });
    runs.runs.iter().filter_map(timed).collect()
}

/// Describes the state of the runs, without a capital letter at the start.
pub(super) fn describe_status(runs: &RunSet) -> String {
    if let (None, [run]) = (runs.seeds, &runs.runs[..]) {
        return single_run_status(run);
    }
    let (started, all) = (runs.runs.len(), runs.seeds.unwrap_or(runs.runs.len()));
    let finished: Vec<_> = runs.runs.iter().filter_map(|run| run.outcome.as_ref()).collect();
    let perfect = finished.iter().filter(|outcome| outcome.is_perfect()).count();
    let failed = finished.iter().filter(|outcome| outcome.failed).count();
    let (done, is_over) = (finished.len(), finished.len() == all);
    let mut sentence = match runs.task.score {
        Score::ExactMatch if is_over => format!("{perfect} of {all} runs are perfect in the test"),
        Score::ExactMatch => {
            format!(
                "of {all} runs, {started} have started, {done} have finished, and {perfect} are perfect in the test"
            )
        }
        Score::Reward if is_over => format!("all {all} runs have finished"),
        Score::Reward => format!("of {all} runs, {started} have started, and {done} have finished"),
    };
    if failed > 0 {
        sentence += &format!("; {failed} failed");
    }
    sentence + "."
}

fn single_run_status(run: &RunRecord) -> String {
    match &run.outcome {
        None => {
            let updates = run.updates.last().map_or(0, |line| line.update);
            format!("not finished: {} updates so far.", format_count(updates as u64))
        }
        Some(outcome) => {
            let how = if outcome.failed { format!("failed: {}", outcome.end) } else { outcome.end.clone() };
            let seconds = run.seconds.map(|seconds| format!(", {seconds:.1} s including the test")).unwrap_or_default();
            let (updates, steps) = (format_count(outcome.updates as u64), format_count(outcome.steps));
            format!("{how}; {updates} updates, {steps} steps{seconds}.")
        }
    }
}

/// Returns the text with a capital letter at the start.
pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Renders a table as HTML. A table with many columns gets small type.
pub(super) fn render_table(table: &Table, caption: &str) -> Markup {
    let numeric = |column| table.is_numeric(column).then_some("n");
    let class = |column, cell: &str| numeric(column).or_else(|| (!cell.contains(' ')).then_some("short"));
    let dense = (table.header().len() > DENSE).then_some("dense");
    let content = html! {
        table class=[dense] {
            thead { tr { @for (k, cell) in table.header().iter().enumerate() { th class=[numeric(k)] scope="col" { (cell) } } } }
            tbody {
                @for row in table.body() {
                    tr {
                        @for (k, cell) in row.iter().enumerate() {
                            @if k == 0 { th class=[class(k, cell)] scope="row" { (cell) } }
                            @else { td class=[class(k, cell)] { (cell) } }
                        }
                    }
                }
            }
        }
    };
    captioned(caption, content)
}

/// A table with more columns than this gets small type.
const DENSE: usize = 7;

/// Draws the performance profile of each group.
pub(super) fn profile_chart(groups: &[Group<'_>]) -> Markup {
    let (mut back, mut front) = (Vec::new(), Vec::new());
    for (colour, group) in groups.iter().enumerate() {
        let Some(scores) = scores::test_scores(group.runs) else { continue };
        let levels = scores::profile_levels(&scores);
        let class = format!("c{colour}");
        let at = |k: usize| levels[k].threshold;
        let ends = (0..levels.len()).flat_map(|k| [(k, at(k)), (k, at((k + 1).min(levels.len() - 1)))]);
        let ends: Vec<_> = ends.collect();
        let band = ends.iter().map(|&(k, x)| (x, levels[k].share.low, levels[k].share.high)).collect();
        let line = ends.iter().map(|&(k, x)| (x, levels[k].share.estimate)).collect();
        let last = levels[levels.len() - 1].share;
        let title = format!("{}: share of perfect scores {last}", group.label);
        back.push(Shape::Band {
            class: class.clone(),
            title: format!("{}, 95 % confidence interval", group.label),
            points: band,
        });
        front.push(Shape::Line { class, title, points: line });
    }
    back.extend(front);
    let unit = Scale::linear(0.0, 1.0);
    let stages = groups.first().map_or(0, |group| group.runs.task.stages());
    let chart = Chart {
        size: PANEL,
        title: "Performance profile".into(),
        x_name: "exact match τ",
        x: unit,
        y: unit,
        shapes: back,
    };
    html! {
        div.legend {
            @if groups.len() > 1 {
                @for (colour, group) in groups.iter().enumerate() { (legend_key(&format!("line c{colour}"), &group.label)) }
            }
            (legend_key("band c0", "95 % confidence interval"))
        }
        div.panels {
            figure.panel { figcaption { b { "Performance profile" } " share of scores > τ" } (chart.draw()) }
            p.small.quiet.aside {
                "The share of all scores above each threshold τ, with pointwise confidence intervals. A score is the exact \
                 match of one run in one of the " (stages) " stages of its test. A higher curve is better. Its right end is the \
                 share of perfect scores."
            }
        }
    }
}
