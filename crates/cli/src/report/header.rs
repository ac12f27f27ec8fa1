//! What these runs are: the task and what its figures mean, where they came from, and all settings.

use maud::{Markup, html};
use rl::env::Task;
use rl::tasks::Calculator;

use super::results;
use crate::folder::{About, Runs, Setting};
use crate::input::task_name;
use crate::output::html::wide;

/// The head of the page of one folder.
pub(super) fn header(runs: &Runs) -> Markup {
    let changes: Vec<_> = runs.changes().map(|Setting { name, value, .. }| format!("{name} = {value}")).collect();
    let seeds: Vec<_> = runs.runs.iter().map(|run| run.seed).collect();
    html! {
        h1 { (runs.name) }
        p { (results::state(runs)) }
        p.caveat { (caveat()) }
        dl.facts {
            dt { "Task" } dd { (task_name::NAME) }
            dt { @if seeds.len() == 1 { "Seed" } @else { "Seeds" } }
            dd { @if seeds.is_empty() { "none has begun" } @else { (ranges(&seeds)) } }
            dt { "Settings" }
            dd { @if changes.is_empty() { "the defaults" } @else { "the defaults, except " span.code { (changes.join(", ")) } } }
            @match &runs.about {
                Some(about) => (origin(about)),
                None => { dt { "Made by" } dd { "a gradus that did not write down its version, the time and the machine" } },
            }
        }
    }
}

/// What a reader of any figure of these runs must know.
pub(super) fn caveat() -> &'static str {
    Calculator::default().caveat()
}

fn origin(about: &About) -> Markup {
    let machine = &about.machine;
    let threads = if machine.threads == 1 { "thread" } else { "threads" };
    html! {
        dt { "Command" } dd.code { "gradus " (about.arguments.join(" ")) }
        dt { "Made" } dd { (date(&about.made)) ", by gradus " (about.version) }
        dt { "Machine" }
        dd {
            @if let Some(processor) = &machine.processor { (processor) ", " }
            (machine.threads) " " (threads) ", " (machine.system) ", " (machine.architecture)
            @if let Some(kernels) = &machine.kernels { ", kernels " (kernels) }
            @for went_on in &about.went_on { ", then " (went_on.kernels) }
        }
    }
}

/// `0..4, 9` of 0, 1, 2, 3, 4 and 9, as `--seeds` takes them.
fn ranges(seeds: &[u64]) -> String {
    let range = |part: &[u64]| match part {
        [first, .., last] => format!("{first}..{last}"),
        part => part[0].to_string(),
    };
    let parts = seeds.chunk_by(|&a, &b| a.checked_add(1) == Some(b));
    parts.map(range).collect::<Vec<_>>().join(", ")
}

/// `2026-11-22 13:45 UTC` of `20261122T134512Z`; anything else as it is.
fn date(stamp: &str) -> String {
    let digits =
        |range: std::ops::Range<usize>| stamp.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    match (digits(0..4), digits(4..6), digits(6..8), digits(9..11), digits(11..13)) {
        (Some(year), Some(month), Some(day), Some(hour), Some(minute)) => {
            format!("{year}-{month}-{day} {hour}:{minute} UTC")
        }
        _ => stamp.to_owned(),
    }
}

/// Every setting, with those that are not at their defaults in bold.
pub(super) fn settings(runs: &Runs) -> Markup {
    let row = |setting: &Setting| {
        let changed = setting.value != setting.default;
        html! {
            tr {
                th.code scope="row" { (setting.name) }
                td.code { @if changed { b { (setting.value) } } @else { (setting.value) } }
                td.code { @if changed { (setting.default) } }
                td.small { (setting.doc) }
            }
        }
    };
    html! {
        details {
            summary { "All settings" }
            (wide(html! {
                table {
                    thead { tr { @for name in ["setting", "value", "default, if another", "meaning"] { th scope="col" { (name) } } } }
                    tbody { @for setting in &runs.settings { (row(setting)) } }
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_are_one_range() {
        assert_eq!(ranges(&[0, 1, 2, 9, 4, 5, u64::MAX]), "0..2, 9, 4..5, 18446744073709551615");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn dates_are_for_people() {
        assert_eq!(date("20261122T134512Z"), "2026-11-22 13:45 UTC");
        assert_eq!([date("yesterday"), date("2026é122T1345Z"), date("")], ["yesterday", "2026é122T1345Z", ""]);
    }
}
