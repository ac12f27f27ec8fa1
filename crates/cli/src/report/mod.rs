//! `report.html`: one self-contained page of everything in a run folder; and the comparison of several folders.
//!
//! ```text
//! folder ──▶ RunSet ──▶ header, results, curves, behaviour ──▶ page        scores ──▶ results, compare, JSON
//!                       (chart, heatmap: SVG; lines: series; scale: axes; downsample: long runs in few points)
//! ```
//!
//! The page depends only on the files: the same folder gives the same bytes. A curve has at most a few hundred points,
//! however long the run was, and keeps its extremes.

mod behaviour;
pub(crate) mod chart;
mod compare;
mod curves;
mod downsample;
mod header;
mod heatmap;
mod json;
mod lines;
mod results;
#[cfg(test)]
mod sample;
pub(crate) mod scale;
mod scores;

use std::path::Path;

use maud::{Markup, html};

use crate::error::Result;
use crate::folder::{REPORT, RunRecord, RunSet};
use crate::input::tasks::TaskChoice;
use crate::output::html::{self, page_with_style};
use crate::run::{known_kinds, learned_rule};
use crate::score::Score;
use chart::STYLE;
use curves::{Curves, Group};

pub(crate) use compare::Comparison;
pub(crate) use json::json;

/// Writes `report.html` of runs of a task from the current contents of the folder. It needs no lock: it replaces only this file, and
/// atomically.
///
/// # Errors
/// If the folder holds no run, or the file cannot be written.
pub(crate) fn write(folder: &Path, task: TaskChoice) -> Result<()> {
    html::write(&folder.join(REPORT), &page(&RunSet::read_of_task(folder, task)?))
}

/// Builds the HTML page of one folder.
pub(crate) fn page(runs: &RunSet) -> String {
    let groups = [Group { label: runs.name.clone(), runs }];
    let shown = median_run(runs);
    let curves = Curves::new(&groups, shown);
    let body = html! {
        header { (header::header(runs)) }
        h2 { "Final test" }
        (test_section(runs, &groups))
        h2 { "Learning curves" }
        (curves.learning())
        h2 { "Training metrics" }
        (curves.training())
        (rule_section(runs, shown))
        (hindsight_section(runs, shown))
        (policy_section(runs, shown))
        h2 { "Settings" }
        (header::settings(runs))
    };
    page_with_style(&format!("{}: gradus report", runs.name), STYLE, body)
}

fn test_section(runs: &RunSet, groups: &[Group<'_>]) -> Markup {
    let Some(table) = results::table(runs) else {
        return match runs.runs.iter().any(|run| run.outcome.is_some()) {
            true => html! { p.nothing { "There was no test, because the run failed." } },
            false => html! { p.nothing { "There is no test yet, because no run has finished." } },
        };
    };
    let episodes = scale::format_number(runs.setting_as_number("test_episodes").unwrap_or(0.0), 0);
    let caption = match runs.task.lists_contexts {
        true => "Measured on every context of each stage, after training.".to_owned(),
        false => format!("Measured on {episodes} new episodes per stage, drawn once after training."),
    };
    html! {
        (results::render_table(&table, &caption))
        @if let Some(stats) = results::score_stats(runs) {
            (results::render_table(&stats.table(), &stats.notes().join(" ")))
            @if runs.task.score == Score::ExactMatch { (results::profile_chart(groups)) }
        }
    }
}

/// Says which of several runs is shown.
fn which(runs: &RunSet, run: &RunRecord) -> String {
    match runs.runs.len() {
        1 => String::new(),
        _ => format!(
            "Shown for seed {}, the run with the median {} at its last validation. ",
            run.seed,
            runs.task.score.name()
        ),
    }
}

/// Shows the rule that one run has learned; nothing if the task has none.
fn rule_section(runs: &RunSet, shown: Option<&RunRecord>) -> Markup {
    let known =
        shown.and_then(|run| Some((run, run.outcome.as_ref()?))).filter(|(_, outcome)| !outcome.rule.is_empty());
    let Some((run, outcome)) = known else { return html! {} };
    let caption = format!(
        "{}The action after each observation, in the state before the first one: {}.",
        which(runs, run),
        learned_rule::to_sentence(&outcome.rule)
    );
    html! {
        h2 { "The rule" }
        (results::render_table(&learned_rule::to_table(&outcome.rule), &caption))
    }
}

/// Shows the programs that hindsight knew at the end of one run; nothing without hindsight.
fn hindsight_section(runs: &RunSet, shown: Option<&RunRecord>) -> Markup {
    let known =
        shown.and_then(|run| Some((run, run.outcome.as_ref()?))).filter(|(_, outcome)| !outcome.kinds.is_empty());
    let Some((run, outcome)) = known else { return html! {} };
    let caption = format!(
        "{}The shortest programs that training has found for each kind of problem, as they were after the last update, with one \
         of the problems and its program.",
        which(runs, run)
    );
    html! {
        h2 { "Programs of hindsight" }
        details {
            summary { (outcome.kinds.len()) " kinds of problem" }
            (results::render_table(&known_kinds::to_table(&outcome.kinds), &caption))
        }
    }
}

/// Shows the behaviour of the policy of one run.
fn policy_section(runs: &RunSet, shown: Option<&RunRecord>) -> Markup {
    html! {
        h2 { "Action probabilities" }
        @let has_probabilities = shown.is_some_and(|run| run.episodes.iter().any(|line| !line.probabilities.is_empty()));
        @match shown {
            None => p.nothing { "These runs recorded no validation episodes." },
            Some(run) => {
                @if !has_probabilities {
                    p.nothing { "The actions of this task are numbers, so they have no probabilities." }
                }
                @else { p.small.quiet {
                    (which(runs, run))
                    "Each heatmap shows the probability of one action. Rows are steps, with the first step at the top. Columns \
                     are validations, from left to right. A cell is the mean over the episodes that have not ended at that \
                     step. A grey cell means that no episode reached that step."
                }
                (behaviour::heatmaps(run, &runs.task)) }
                h2 { "Episodes" }
                p.small.quiet {
                    (which(runs, run))
                    "The first episode of the first, the middle and the last validation, with the probability of each action. \
                     The points of the learning curves lead to more episodes."
                }
                (behaviour::episodes(run, &runs.task))
            }
        }
    }
}

/// Returns the run with the median score at its last validation, among the runs that recorded episodes.
fn median_run(runs: &RunSet) -> Option<&RunRecord> {
    let mut runs: Vec<&RunRecord> = runs.runs.iter().filter(|run| !run.episodes.is_empty()).collect();
    let score = |run: &RunRecord| run.validations.last().map_or(0.0, |line| line.score());
    runs.sort_by(|a, b| score(a).total_cmp(&score(b)));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

/// Summarizes the page as text for a terminal.
pub(crate) fn to_text(runs: &RunSet) -> String {
    let mut text = format!("{}: {}\n", runs.name, results::describe_status(runs));
    if let Some(table) = results::table(runs) {
        text += &format!("\n{table}");
    }
    if let Some(stats) = results::score_stats(runs) {
        text += &format!("\n{stats}\n");
    }
    (text + "\n" + &runs.task.caveat).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::metrics::StageStats;
    use crate::folder::{UpdateLine, ValidationLine};

    /// Makes a run with a validation after every tenth update.
    fn long_run(updates: usize, seed: u64) -> RunRecord {
        let update = |update| UpdateLine {
            update,
            grad_norm: if update == updates / 3 { 987.6 } else { 0.5 + (update % 7) as f64 },
            entropy: (seed + update as u64 % 5) as f64,
            episodes: vec![1; 3],
            solved: vec![update % 2; 3],
            ..UpdateLine::default()
        };
        let stages =
            |exact| (0..3).map(|stage| StageStats { stage, exact: Some(exact), ..StageStats::default() }).collect();
        let validation = |k: usize| ValidationLine { validation: 10 * k, stages: stages(1.0 - 1.0 / k as f64) };
        RunRecord {
            seed,
            updates: (1..=updates).map(update).collect(),
            validations: (1..=updates / 10).map(validation).collect(),
            ..RunRecord::default()
        }
    }

    /// Maximum page size of a run of any length.
    const MAX_BYTES: usize = 120_000;

    #[test]
    fn page_long_run_is_small_and_keeps_peaks() {
        for updates in [1_500, 100_000] {
            let page = page(&sample::run_set(vec![long_run(updates, 0)]));
            assert!(page.len() < MAX_BYTES, "{updates} updates: {} bytes", page.len());
            let peak = format!("maximum 987.6 at update {}", scale::format_count(updates as u64 / 3));
            assert!(page.contains(&peak), "{updates} updates");
        }
    }

    #[test]
    fn page_many_seeds_draws_bounded_number_of_curves() {
        let page = page(&sample::run_set((0..60).map(|seed| long_run(1_000, seed)).collect()));
        assert!(page.len() < 5 * MAX_BYTES, "{} bytes", page.len());
        // Three stages, and the two metrics that are not 0.
        assert_eq!(page.matches("class=\"line seed c0\"").count(), 5 * lines::THIN_LINES + 2, "lines and legends");
        assert!(page.contains("Only the first 50 of 60 runs are drawn."));
    }
}
