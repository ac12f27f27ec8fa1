//! The behaviour of the policy: action probabilities at each step over the course of training, and episodes from its
//! beginning, middle and end.

use maud::{Markup, html};

use super::downsample::pick_evenly;
use super::heatmap::{self, Heatmap, Row};
use super::scale::{format_count, format_significant};
use crate::folder::{Episode, EpisodesLine, Register, RunRecord, TaskFacts, round};
use crate::output::html::scrollable;

/// Maximum number of heatmap columns.
const COLUMNS: usize = 40;
/// Maximum number of heatmap rows.
const ROWS: usize = 24;
/// Maximum number of episodes per stage. With an odd number, the middle one is the middle of all.
const EPISODES: usize = 11;
/// An action whose probability never reaches this value has no heatmap.
const MIN_SHOWN_PROBABILITY: f64 = 0.02;

/// Draws one heatmap per stage and action. Rows are steps, from the top; columns are validations, from left to right.
pub(super) fn heatmaps(run: &RunRecord, task: &TaskFacts) -> Markup {
    html! {
        (by_stage(run, task, |lines| stage_heatmaps(&pick_evenly(lines, COLUMNS))))
        p.legend { span.key { (heatmap::legend()) "probability" } }
    }
}

/// Renders the validations of each stage below a heading. A stage without validations is skipped.
fn by_stage(run: &RunRecord, task: &TaskFacts, show: impl Fn(&[&EpisodesLine]) -> Markup) -> Markup {
    html! {
        @for (stage, goal) in task.goals.iter().enumerate() {
            @let lines: Vec<_> = run.episodes.iter().filter(|line| line.stage == stage).collect();
            @if !lines.is_empty() {
                h3 { "Stage " (stage) @if !goal.is_empty() { ": " (goal) } }
                (show(&lines))
            }
        }
    }
}

fn stage_heatmaps(lines: &[&&EpisodesLine]) -> Markup {
    let actions = &lines[lines.len() - 1].actions;
    let update = |line: &EpisodesLine| format_count(line.validation as u64);
    let ends = || [update(lines[0]), format!("update {}", update(lines[lines.len() - 1]))];
    let steps = lines.iter().map(|line| line.probabilities.len()).max().unwrap_or(0);
    let shown = steps.min(ROWS);
    let cell = |line: &EpisodesLine, step: usize, action: usize| line.probabilities.get(step)?.get(action).copied();
    let greatest = |action| {
        let cells = lines.iter().flat_map(|line| (0..shown).filter_map(move |step| cell(line, step, action)));
        cells.fold(0.0, f64::max)
    };
    let (often, seldom): (Vec<usize>, Vec<usize>) =
        (0..actions.len()).partition(|&action| greatest(action) >= MIN_SHOWN_PROBABILITY);
    let row = |step: usize, action: usize| {
        let cells: Vec<_> = lines.iter().map(|line| cell(line, step, action)).collect();
        let known = || cells.iter().flatten();
        let (first, last) = (known().next().map_or(0.0, |&p| p), known().last().map_or(0.0, |&p| p));
        let title = format!(
            "step {}, {}: from {} to {}",
            step + 1,
            actions[action],
            format_significant(first),
            format_significant(last)
        );
        Row { name: (step + 1).to_string(), title, cells }
    };
    html! {
        div.heatmaps {
            @for &action in &often {
                figure.panel {
                    figcaption { b.code { (actions[action]) } }
                    (Heatmap {
                        title: format!("Probability of {} by step and validation", actions[action]),
                        rows: (0..shown).map(|step| row(step, action)).collect(),
                        ends: ends(),
                    }.draw())
                }
            }
        }
        @if !seldom.is_empty() || steps > ROWS {
            p.small.quiet {
                @if !seldom.is_empty() {
                    "The probability of these actions never reaches " (MIN_SHOWN_PROBABILITY) ": "
                    (seldom.iter().map(|&action| actions[action].as_str()).collect::<Vec<_>>().join(", ")) ". "
                }
                @if steps > ROWS { "Only the first " (ROWS) " of " (steps) " steps are shown." }
            }
        }
    }
}

/// Shows, for each stage, the first episode of the first, the middle and the last validation. Some others are hidden until
/// a link leads to them.
pub(super) fn episodes(run: &RunRecord, task: &TaskFacts) -> Markup {
    by_stage(run, task, |lines| {
        let lines = pick_evenly(lines, EPISODES);
        let open: Vec<_> = pick_evenly(&lines, 3).iter().map(|line| line.validation).collect();
        html! { div.panels { @for line in lines { (episode_panel(line, open.contains(&line.validation))) } } }
    })
}

/// Returns the validations of a stage whose episodes [`episodes`] has, in order.
pub(super) fn episode_validations(run: &RunRecord, stage: usize) -> Vec<usize> {
    let all: Vec<_> = run.episodes.iter().filter(|line| line.stage == stage).map(|line| line.validation).collect();
    pick_evenly(&all, EPISODES).into_iter().copied().collect()
}

/// Returns the identifier of an episode's panel.
pub(super) fn episode_id(stage: usize, validation: usize) -> String {
    format!("episode-{stage}-{validation}")
}

fn episode_panel(line: &EpisodesLine, open: bool) -> Markup {
    let Episode { context, goals, steps, solved, truncated, .. } = &line.episode;
    let (count, reward) = line.episode.totals();
    let is_explained = steps.iter().all(|step| step.observation.is_none());
    html! {
        section.episode.more[!open] id=(episode_id(line.stage, line.validation)) {
            p { b { "Update " (format_count(line.validation as u64)) } " "
                @match solved {
                    Some(true) => span.good { "✓ exact match" },
                    Some(false) => span.bad { "✗ no exact match" },
                    None => { "reward " (round(reward)) ", " @if *truncated { "truncated" } @else { "terminated" } },
                }
            }
            @if !context.is_empty() || !goals.is_empty() { p.small { "context " span.code { (context.join(" ")) } @for goal in goals { br; span.code { (goal.to_line()) } } } }
            (scrollable(html! {
                table {
                    thead {
                        tr {
                            th scope="col" { "action" } th.n scope="col" { "p" }
                            @if is_explained { th scope="col" { "registers after it" } }
                            @else { th.n scope="col" { "reward" } th scope="col" { "observed before it" } }
                        }
                    }
                    tbody {
                        @for step in steps.iter().take(ROWS) {
                            tr {
                                th.code scope="row" { (step.action) }
                                td.n { (step.describe_distribution(&line.actions)) }
                                @if is_explained { td.code { (register_text(&step.state)) } }
                                @if let Some(observation) = &step.observation {
                                    td.n { (round(step.reward)) } td.code { (observation) }
                                }
                            }
                        }
                    }
                }
            }))
            @if count > ROWS { p.small.quiet { "Only the first " (ROWS) " of " (count) " steps are shown." } }
        }
    }
}

/// Lists the registers that are not empty.
fn register_text(registers: &[Register]) -> Markup {
    let held: Vec<_> = registers.iter().filter(|register| register.holds.is_some()).collect();
    html! {
        @for (k, register) in held.iter().enumerate() { @if k > 0 { br; } (register.to_line()) }
        @if held.is_empty() { "empty" }
    }
}
