//! The header of a report: the task with its caveat, the origin of the runs, and all settings.

use maud::{Markup, html};

use super::results;
use crate::folder::{About, RunSet, Setting};
use crate::output::html::scrollable;

/// Builds the header of one folder's page.
pub(super) fn header(runs: &RunSet) -> Markup {
    let changes: Vec<_> =
        runs.changed_settings().map(|Setting { name, value, .. }| format!("{name} = {value}")).collect();
    let seeds: Vec<_> = runs.runs.iter().map(|run| run.seed).collect();
    html! {
        h1 { (runs.name) }
        p { (results::capitalize(&results::describe_status(runs))) }
        @if !runs.task.caveat.is_empty() { p.caveat { (runs.task.caveat) } }
        dl.facts {
            dt { "Task" } dd { (runs.task.name) }
            dt { @if seeds.len() == 1 { "Seed" } @else { "Seeds" } }
            dd { @if seeds.is_empty() { "none has started" } @else { (format_ranges(&seeds)) } }
            dt { "Settings" }
            dd { @if changes.is_empty() { "the defaults" } @else { "the defaults, except " span.code { (changes.join(", ")) } } }
            @match &runs.about {
                Some(about) => (origin(about)),
                None => {
                    dt { "Made by" } dd { "an early gradus, which did not record its version, the time and the machine" }
                },
            }
        }
    }
}

fn origin(about: &About) -> Markup {
    let machine = &about.machine;
    let threads = if machine.threads == 1 { "thread" } else { "threads" };
    html! {
        dt { "Command" } dd.code { "gradus " (about.arguments.join(" ")) }
        dt { "Created" } dd { (format_date(&about.made)) ", by gradus " (about.version) }
        @for change in &about.changes {
            dt { "Changed" }
            dd {
                (format_date(&change.at))
                @for setting in &change.settings { ", " (setting.name) " from " (setting.from) " to " (setting.to) }
            }
        }
        dt { "Machine" }
        dd {
            @if let Some(processor) = &machine.processor { (processor) ", " }
            (machine.threads) " " (threads) ", " (machine.system) ", " (machine.architecture)
            @if let Some(kernels) = &machine.kernels { ", kernels " (kernels) }
            @for went_on in &about.went_on { ", then " (went_on.kernels) }
        }
    }
}

/// Formats the seeds 0, 1, 2, 3, 4 and 9 as `0..4, 9`, the syntax of `--seeds`.
fn format_ranges(seeds: &[u64]) -> String {
    let range = |part: &[u64]| match part {
        [first, .., last] => format!("{first}..{last}"),
        part => part[0].to_string(),
    };
    let parts = seeds.chunk_by(|&a, &b| a.checked_add(1) == Some(b));
    parts.map(range).collect::<Vec<_>>().join(", ")
}

/// Formats `20261122T134512Z` as `2026-11-22 13:45 UTC`; other text is returned unchanged.
fn format_date(stamp: &str) -> String {
    let digits =
        |range: std::ops::Range<usize>| stamp.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    match (digits(0..4), digits(4..6), digits(6..8), digits(9..11), digits(11..13)) {
        (Some(year), Some(month), Some(day), Some(hour), Some(minute)) => {
            format!("{year}-{month}-{day} {hour}:{minute} UTC")
        }
        _ => stamp.to_owned(),
    }
}

/// Lists every setting. Values that differ from their defaults are bold.
pub(super) fn settings(runs: &RunSet) -> Markup {
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
            (scrollable(html! {
                table {
                    thead {
                        tr {
                            @for name in ["setting", "value", "default, if different", "meaning"] { th scope="col" { (name) } }
                        }
                    }
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
    fn format_ranges_merges_consecutive_seeds() {
        assert_eq!(format_ranges(&[0, 1, 2, 9, 4, 5, u64::MAX]), "0..2, 9, 4..5, 18446744073709551615");
        assert_eq!(format_ranges(&[]), "");
    }

    #[test]
    fn format_date_of_timestamp_is_readable_and_other_text_is_unchanged() {
        assert_eq!(format_date("20261122T134512Z"), "2026-11-22 13:45 UTC");
        assert_eq!(
            [format_date("yesterday"), format_date("2026é122T1345Z"), format_date("")],
            ["yesterday", "2026é122T1345Z", ""]
        );
    }
}
