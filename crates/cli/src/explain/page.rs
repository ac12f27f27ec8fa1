//! The HTML page of an episode.

use maud::{Markup, html};

use super::ExplainedEpisode;
use crate::folder::{Episode, EpisodeStep, Register};
use crate::output::html::{self, captioned, format_number, heat_cell};

/// Builds the whole page.
pub(crate) fn page(explained: &ExplainedEpisode) -> String {
    let episode = &explained.episode;
    let body = html! {
        h1 { "One episode, step by step" }
        p.quiet { (explained.title()) }
        (facts(explained))
        @if !episode.read.is_empty() {
            h2 { "Context" }
            (gate_table(episode))
        }
        @if episode.steps.iter().any(|step| !step.attention.is_empty()) {
            h2 { "Attention" }
            (attention_table(episode))
        }
        h2 { "Decisions" }
        @if explained.actions.is_empty() { (number_table(episode)) } @else { (probability_table(explained)) }
        (step_table(explained))
        @if !episode.goals.is_empty() {
            h2 { "Registers" }
            (register_table(episode))
        }
        h2 { "Legend" }
        dl.facts { @for (name, meaning) in explained.legend() { dt { (name) } dd { (meaning) } } }
        @if !explained.caveat.is_empty() { p { (explained.caveat) } }
    };
    html::page(&explained.title(), body)
}

fn facts(explained: &ExplainedEpisode) -> Markup {
    let episode = &explained.episode;
    let program: Vec<_> = episode.steps.iter().map(|step| step.action.as_str()).collect();
    html! {
        dl.facts {
            @if !episode.context.is_empty() { dt { "context" } dd.code { (episode.context.join(" ")) } }
            @for goal in &episode.goals {
                dt { (goal.name) } dd.code { (goal) }
            }
            @if !episode.drawing.is_empty() { dt { "tree" } dd { pre.code { (episode.drawing.join("\n")) } } }
            @if !explained.actions.is_empty() { dt { "program" } dd.code { (program.join(" ")) } }
            dt { "outcome" } dd.good[episode.solved == Some(true)].bad[episode.solved == Some(false)] { (explained.verdict()) }
            dt { "agent" } dd.code { (explained.checkpoint) }
        }
    }
}

/// Shows the gates at each token before the first step.
fn gate_table(episode: &Episode) -> Markup {
    captioned(
        "The GRU's gates at each token of the context, averaged over units",
        html! {
            table {
                thead { tr { th scope="col" { "token" } @for read in &episode.read { th.n scope="col" { (read.token) } } } }
                tbody {
                    tr { th scope="row" { "reset" } @for read in &episode.read { (heat_cell(read.reset, false)) } }
                    tr { th scope="row" { "update" } @for read in &episode.read { (heat_cell(read.update, false)) } }
                }
            }
        },
    )
}

/// Shows the weight of each token of the context at each step.
fn attention_table(episode: &Episode) -> Markup {
    captioned(
        "The weight of each token of the context in the attention, before each action",
        html! {
            table {
                thead {
                    tr {
                        th.n scope="col" { "step" } th scope="col" { "action" }
                        @for token in &episode.context { th.n scope="col" { (token) } }
                    }
                }
                tbody {
                    @for (t, step) in episode.steps.iter().enumerate() {
                        tr {
                            th.n scope="row" { (t + 1) } td.code { (step.action) }
                            @for &weight in &step.attention { (heat_cell(weight, false)) }
                        }
                    }
                }
            }
        },
    )
}

/// Shows the probability of each action at each step.
fn probability_table(explained: &ExplainedEpisode) -> Markup {
    let row = |(t, step): (usize, &EpisodeStep)| {
        let cells = explained.actions.iter().zip(&step.probabilities);
        html! {
            tr { th.n scope="row" { (t + 1) } @for (name, &p) in cells { (heat_cell(p, *name == step.action)) } }
        }
    };
    captioned(
        "The probability of each action at each step. The action taken has a frame.",
        html! {
            table {
                thead { tr { th.n scope="col" { "step" } @for action in &explained.actions { th.n scope="col" { (action) } } } }
                tbody { @for row in explained.episode.steps.iter().enumerate().map(row) { (row) } }
            }
        },
    )
}

/// Shows the numbers of each action and their distributions.
fn number_table(episode: &Episode) -> Markup {
    let row = |(t, step): (usize, &EpisodeStep)| {
        html! {
            tr { th.n scope="row" { (t + 1) } td.code { (step.action) } td.code { (step.describe_distribution(&[])) } }
        }
    };
    captioned(
        "The numbers of each action, and the mean ± standard deviation of each number.",
        html! {
            table {
                thead {
                    tr { th.n scope="col" { "step" } th scope="col" { "action" } th scope="col" { "mean ± deviation" } }
                }
                tbody { @for row in episode.steps.iter().enumerate().map(row) { (row) } }
            }
        },
    )
}

/// Shows the metrics of each step, and its observation if it has one.
fn step_table(explained: &ExplainedEpisode) -> Markup {
    let episode = &explained.episode;
    let is_observed = episode.steps.iter().any(|step| step.observation.is_some());
    let row = |(t, step): (usize, &EpisodeStep)| {
        html! {
            tr {
                th.n scope="row" { (t + 1) }
                @for x in [step.value, step.reward, step.entropy] { td.n { (format_number(x)) } }
                @for gate in step.reset.into_iter().chain(step.update) { (heat_cell(gate, false)) }
                @if let Some(observation) = &step.observation { td.code { (observation) } }
            }
        }
    };
    let has_gates = episode.steps.iter().any(|step| step.reset.is_some());
    let gates = if has_gates { ", and the gates at the token before it" } else { "" };
    captioned(
        &format!("Value, reward and entropy of each step{gates}"),
        html! {
            table {
                thead {
                    tr { th.n scope="col" { "step" } @for (name, _) in explained.legend() { th.n scope="col" { (name) } } @if is_observed { th scope="col" { "observed" } } }
                }
                tbody { @for row in episode.steps.iter().enumerate().map(row) { (row) } }
            }
        },
    )
}

/// Shows the registers after each step.
fn register_table(episode: &Episode) -> Markup {
    let Some(first) = episode.steps.first() else { return html! { p.quiet { "The episode has no steps." } } };
    let cell = |register: &Register| {
        html! {
            td.code.quiet[register.holds.is_none()] { (register) }
        }
    };
    captioned(
        "The registers after each step: the expression in the operands, and its value",
        html! {
            table {
                thead {
                    tr {
                        th.n scope="col" { "step" } th scope="col" { "action" }
                        @for register in &first.state { th scope="col" { (register.name) } }
                    }
                }
                tbody {
                    @for (t, step) in episode.steps.iter().enumerate() {
                        tr {
                            th.n scope="row" { (t + 1) } td.code { (step.action) }
                            @for register in &step.state { (cell(register)) }
                        }
                    }
                }
            }
        },
    )
}
