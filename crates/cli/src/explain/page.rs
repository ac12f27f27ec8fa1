//! An episode as a page.

use maud::{Markup, html};

use super::{Explained, LEGEND};
use crate::folder::{Episode, EpisodeStep, Register};
use crate::output::html::{self, captioned, heat, number};

/// The whole page.
pub(crate) fn page(told: &Explained) -> String {
    let episode = &told.episode;
    let body = html! {
        h1 { "An episode, step by step" }
        p.quiet { (told.title()) }
        (facts(told))
        h2 { "What it reads" }
        (reading(episode))
        h2 { "What it weighs" }
        (weighed(told))
        (judged(episode))
        h2 { "What its tools hold" }
        (tools(episode))
        h2 { "How to read this" }
        dl.facts { @for (name, meaning) in LEGEND { dt { (name) } dd { (meaning) } } }
        p { (told.caveat) }
    };
    html::page(&told.title(), body)
}

fn facts(told: &Explained) -> Markup {
    let episode = &told.episode;
    let program: Vec<_> = episode.steps.iter().map(|step| step.action.as_str()).collect();
    html! {
        dl.facts {
            dt { "shown" } dd.code { (episode.context.join(" ")) }
            @for goal in &episode.goals {
                dt { (goal.name) } dd.code { (goal) }
            }
            dt { "program" } dd.code { (program.join(" ")) }
            dt { "outcome" } dd.good[episode.solved].bad[!episode.solved] { (told.verdict()) }
            dt { "agent" } dd.code { (told.checkpoint) }
        }
    }
}

/// The gates at each token before the first step.
fn reading(episode: &Episode) -> Markup {
    captioned(
        "The GRU's gates at each token, as means over its units",
        html! {
            table {
                thead { tr { th scope="col" { "token" } @for read in &episode.read { th.n scope="col" { (read.token) } } } }
                tbody {
                    tr { th scope="row" { "reset" } @for read in &episode.read { (heat(read.reset, false)) } }
                    tr { th scope="row" { "update" } @for read in &episode.read { (heat(read.update, false)) } }
                }
            }
        },
    )
}

/// Steps × actions.
fn weighed(told: &Explained) -> Markup {
    let row = |(t, step): (usize, &EpisodeStep)| {
        let cells = told.actions.iter().zip(&step.probabilities);
        html! {
            tr { th.n scope="row" { (t + 1) } @for (name, &p) in cells { (heat(p, *name == step.action)) } }
        }
    };
    captioned(
        "The probability of each action at each step; the one that was taken is framed",
        html! {
            table {
                thead { tr { th.n scope="col" { "step" } @for action in &told.actions { th.n scope="col" { (action) } } } }
                tbody { @for row in told.episode.steps.iter().enumerate().map(row) { (row) } }
            }
        },
    )
}

/// Steps × figures.
fn judged(episode: &Episode) -> Markup {
    let row = |(t, step): (usize, &EpisodeStep)| {
        html! {
            tr {
                th.n scope="row" { (t + 1) }
                @for x in [step.value, step.reward, step.entropy] { td.n { (number(x)) } }
                (heat(step.reset, false)) (heat(step.update, false))
            }
        }
    };
    captioned(
        "What each step was worth, how sure it was, and the gates at the token before it",
        html! {
            table {
                thead {
                    tr { th.n scope="col" { "step" } @for (name, _) in LEGEND { th.n scope="col" { (name) } } }
                }
                tbody { @for row in episode.steps.iter().enumerate().map(row) { (row) } }
            }
        },
    )
}

/// Steps × registers.
fn tools(episode: &Episode) -> Markup {
    let Some(first) = episode.steps.first() else { return html! { p.quiet { "It did nothing." } } };
    let cell = |register: &Register| {
        html! {
            td.code.quiet[register.holds.is_none()] { (register) }
        }
    };
    captioned(
        "After each step, as computed from the operands and as a number",
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
