//! What the policy does: the probabilities of its actions at each step over the course of training, and episodes of the
//! beginning, the middle and the end.

use maud::{Markup, html};
use rl::tasks::{GOALS, STAGES};

use super::heatmap::{self, Heatmap, Row};
use super::scale::{count, figure};
use super::thin::pick;
use crate::folder::{Episode, EpisodeStep, EpisodesLine, Record, Register};
use crate::output::html::wide;
use crate::output::table::share;

/// Columns of a heatmap at most.
const COLUMNS: usize = 40;
/// Rows of a heatmap at most.
const ROWS: usize = 24;
/// An action that never reaches this probability has no heatmap.
const SELDOM: f64 = 0.02;

/// Stage by stage, a heatmap for each action: steps from above, validations from left to right.
pub(super) fn heatmaps(run: &Record) -> Markup {
    html! {
        (by_stage(run, |lines| stage_heatmaps(&pick(lines, COLUMNS))))
        p.legend { span.key { (heatmap::legend()) "probability" } }
    }
}

/// Shows the validations of each stage that has some, below its name.
fn by_stage(run: &Record, show: impl Fn(&[&EpisodesLine]) -> Markup) -> Markup {
    html! {
        @for stage in 0..STAGES {
            @let lines: Vec<_> = run.episodes.iter().filter(|line| line.stage == stage).collect();
            @if !lines.is_empty() {
                h3 { "Stage " (stage) ": " (GOALS[stage]) }
                (show(&lines))
            }
        }
    }
}

fn stage_heatmaps(lines: &[&&EpisodesLine]) -> Markup {
    let actions = &lines[lines.len() - 1].actions;
    let update = |line: &EpisodesLine| count(line.validation as u64);
    let ends = || [update(lines[0]), format!("update {}", update(lines[lines.len() - 1]))];
    let steps = lines.iter().map(|line| line.probabilities.len()).max().unwrap_or(0);
    let shown = steps.min(ROWS);
    let cell = |line: &EpisodesLine, step: usize, action: usize| line.probabilities.get(step)?.get(action).copied();
    let greatest = |action| {
        let cells = lines.iter().flat_map(|line| (0..shown).filter_map(move |step| cell(line, step, action)));
        cells.fold(0.0, f64::max)
    };
    let (often, seldom): (Vec<usize>, Vec<usize>) = (0..actions.len()).partition(|&action| greatest(action) >= SELDOM);
    let row = |step: usize, action: usize| {
        let cells: Vec<_> = lines.iter().map(|line| cell(line, step, action)).collect();
        let known = || cells.iter().flatten();
        let (first, last) = (known().next().map_or(0.0, |&p| p), known().last().map_or(0.0, |&p| p));
        let title = format!("step {}, {}: from {} to {}", step + 1, actions[action], figure(first), figure(last));
        Row { name: (step + 1).to_string(), title, cells }
    };
    html! {
        div.heatmaps {
            @for &action in &often {
                figure.panel {
                    figcaption { b.code { (actions[action]) } }
                    (Heatmap {
                        title: format!("Probability of {} at each step, over the validations", actions[action]),
                        rows: (0..shown).map(|step| row(step, action)).collect(),
                        ends: ends(),
                    }.draw())
                }
            }
        }
        @if !seldom.is_empty() || steps > ROWS {
            p.small.quiet {
                @if !seldom.is_empty() {
                    "Never as probable as " (SELDOM) ": "
                    (seldom.iter().map(|&action| actions[action].as_str()).collect::<Vec<_>>().join(", ")) ". "
                }
                @if steps > ROWS { "Of " (steps) " steps the first " (ROWS) " are shown." }
            }
        }
    }
}

/// Stage by stage, the first episode of the first, the middle and the last validation.
pub(super) fn episodes(run: &Record) -> Markup {
    by_stage(run, |lines| html! { div.panels { @for line in pick(lines, 3) { (gpu(line)) } } })
}

fn gpu(line: &EpisodesLine) -> Markup {
    let Episode { context, goals, steps, solved, .. } = &line.episode;
    let probability = |step: &EpisodeStep| {
        let action = line.actions.iter().position(|action| *action == step.action);
        action.and_then(|action| step.probabilities.get(action)).map_or("–".to_owned(), |&p| share(p))
    };
    html! {
        section.gpu {
            p { b { "Update " (count(line.validation as u64)) } " "
                @if *solved { span.good { "✓ exact match" } } @else { span.bad { "✗ no exact match" } }
            }
            p.small { "reads " span.code { (context.join(" ")) } @for goal in goals { br; span.code { (goal.line()) } } }
            (wide(html! {
                table {
                    thead { tr { th scope="col" { "action" } th.n scope="col" { "p" } th scope="col" { "state after it" } } }
                    tbody {
                        @for step in steps {
                            tr {
                                th.code scope="row" { (step.action) }
                                td.n { (probability(step)) }
                                td.code { (state(&step.state)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// What the registers hold, but for those that are empty.
fn state(registers: &[Register]) -> Markup {
    let held: Vec<_> = registers.iter().filter(|register| register.holds.is_some()).collect();
    html! {
        @for (k, register) in held.iter().enumerate() { @if k > 0 { br; } (register.line()) }
        @if held.is_empty() { "empty" }
    }
}
