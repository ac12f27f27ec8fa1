//! `report.html`: everything that a folder of runs holds, on one page that asks for nothing from elsewhere; and a
//! comparison of several folders.
//!
//! ```text
//! folder ──▶ Runs ──▶ header, results, curves, behaviour ──▶ page        scores ──▶ results, compare, JSON
//!                     (chart, heatmap: SVG; lines: series; scale: axes; thin: long runs in few points)
//! ```
//!
//! The page is made of the files alone: the same folder gives the same bytes. However long a run was, its curves are
//! drawn in at most a few hundred points each, with every extreme.

mod behaviour;
pub(crate) mod chart;
mod compare;
mod curves;
mod header;
mod heatmap;
mod json;
mod lines;
mod results;
#[cfg(test)]
mod sample;
pub(crate) mod scale;
mod scores;
mod thin;

use std::path::Path;

use maud::{Markup, html};

use crate::error::Result;
use crate::folder::{REPORT, Record, Runs};
use crate::output::html::{self, page_with};
use chart::STYLE;
use curves::{Curves, Group};

pub(crate) use compare::Comparison;
pub(crate) use json::json;

/// Writes `report.html` of what the folder holds now. It needs no lock: it replaces no file but this one, which is written
/// whole or not at all.
///
/// # Errors
/// If the folder holds no run, or the file cannot be written.
pub(crate) fn write(folder: &Path) -> Result<()> {
    html::write(&folder.join(REPORT), &page(&Runs::read(folder)?))
}

/// The page of one folder.
pub(crate) fn page(runs: &Runs) -> String {
    let groups = [Group { label: runs.name.clone(), runs }];
    let curves = Curves::new(&groups);
    let body = html! {
        header { (header::header(runs)) }
        h2 { "Test" }
        (test(runs, &groups))
        h2 { "Learning" }
        (curves.learning())
        h2 { "Training" }
        (curves.training())
        (example(runs))
        h2 { "Settings" }
        (header::settings(runs))
    };
    page_with(&format!("{}: a report of gradus", runs.name), STYLE, body)
}

fn test(runs: &Runs, groups: &[Group<'_>]) -> Markup {
    let Some(table) = results::table(runs) else {
        return match runs.runs.iter().any(|run| run.outcome.is_some()) {
            true => html! { p.nothing { "There was no test: the run failed." } },
            false => html! { p.nothing { "There is no test yet: no run is over." } },
        };
    };
    let episodes = scale::number(runs.number("test_episodes").unwrap_or(0.0), 0);
    html! {
        (results::show(&table, &format!("Each figure over {episodes} fresh episodes a stage, drawn once, after training.")))
        @if let Some(exact) = results::exact(runs) {
            (results::show(&exact.table(), &exact.notes().join(" ")))
            (results::profiles(groups))
        }
    }
}

/// What the policy does, shown on one run.
fn example(runs: &Runs) -> Markup {
    let which = |run: &Record| match runs.runs.len() {
        1 => String::new(),
        _ => format!("Of seed {}, whose final exact match is the median of the runs. ", run.seed),
    };
    html! {
        h2 { "What the policy does" }
        @match median(runs) {
            None => p.nothing { "No validation of these runs has left its episodes." },
            Some(run) => {
                p.small.quiet {
                    (which(run))
                    "The probability of each action at each step, from the first step at the top, over the validations from left to \
                     right: a mean over the episodes that are not over. Grey: no episode had such a step."
                }
                (behaviour::heatmaps(run))
                h2 { "Episodes" }
                p.small.quiet {
                    (which(run))
                    "The first episode of the first, the middle and the last validation, with the probability of what was done."
                }
                (behaviour::episodes(run))
            }
        }
    }
}

/// Of the runs that have left episodes, the one in the middle by exact match at its last validation.
fn median(runs: &Runs) -> Option<&Record> {
    let mut runs: Vec<&Record> = runs.runs.iter().filter(|run| !run.episodes.is_empty()).collect();
    let exact = |run: &Record| run.validations.last().map_or(0.0, |line| line.exact());
    runs.sort_by(|a, b| exact(a).total_cmp(&exact(b)));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

/// What the page says, in words for a terminal.
pub(crate) fn words(runs: &Runs) -> String {
    let mut words = format!("{}: {}\n", runs.name, results::state(runs));
    if let Some(table) = results::table(runs) {
        words += &format!("\n{table}");
    }
    if let Some(exact) = results::exact(runs) {
        words += &format!("\n{exact}\n");
    }
    words + "\n" + header::caveat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::metrics::StageFigures;
    use crate::folder::{UpdateLine, ValidationLine};

    /// A run with a validation every tenth update.
    fn long(updates: usize, seed: u64) -> Record {
        let update = |update| UpdateLine {
            update,
            grad_norm: if update == updates / 3 { 987.6 } else { 0.5 + (update % 7) as f64 },
            entropy: (seed + update as u64 % 5) as f64,
            episodes: vec![1; 3],
            solved: vec![update % 2; 3],
            ..UpdateLine::default()
        };
        let figures = |exact| (0..3).map(|stage| StageFigures { stage, exact, ..StageFigures::default() }).collect();
        let validation = |k: usize| ValidationLine { validation: 10 * k, stages: figures(1.0 - 1.0 / k as f64) };
        Record {
            seed,
            updates: (1..=updates).map(update).collect(),
            validations: (1..=updates / 10).map(validation).collect(),
            ..Record::default()
        }
    }

    /// However long the run, its page stays below this.
    const BYTES: usize = 120_000;

    #[test]
    fn long_runs_have_small_pages_that_keep_their_peaks() {
        for updates in [1_500, 100_000] {
            let page = page(&sample::runs(vec![long(updates, 0)]));
            assert!(page.len() < BYTES, "{updates} updates: {} bytes", page.len());
            let peak = format!("greatest 987.6 at update {}", scale::count(updates as u64 / 3));
            assert!(page.contains(&peak), "{updates} updates");
        }
    }

    #[test]
    fn many_seeds_have_a_page_of_bounded_curves() {
        let page = page(&sample::runs((0..60).map(|seed| long(1_000, seed)).collect()));
        assert!(page.len() < 5 * BYTES, "{} bytes", page.len());
        assert_eq!(page.matches("class=\"line seed c0\"").count(), 9 * lines::THIN_LINES + 2, "lines and legends");
        assert!(page.contains("Of the 60 runs the first 50 are drawn."));
    }
}
