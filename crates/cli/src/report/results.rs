//! What came out: the tables of the test, and the performance profile.

use maud::{Markup, html};
use rl::tasks::STAGES;

use super::chart::{Chart, PANEL, Shape};
use super::curves::{Group, key};
use super::scale::Scale;
use super::scores;
use crate::folder::outcome::Timed;
use crate::folder::{Record, Runs};
use crate::output::exact_match::Exact;
use crate::output::html::captioned;
use crate::output::seeds_summary;
use crate::output::table::Table;
use crate::run::final_test;

/// The test, as a table; nothing if no run is over.
pub(super) fn table(runs: &Runs) -> Option<Table> {
    match (&over(runs)[..], runs.seeds) {
        ([], _) => None,
        ([run], None) => (!run.outcome.failed).then(|| final_test::table(&run.outcome.stages)),
        (all, _) => Some(seeds_summary::table(all)),
    }
}

/// How sure the exact match of several runs is.
pub(super) fn exact(runs: &Runs) -> Option<Exact> {
    let over = over(runs);
    (over.len() > 1).then(|| Exact::of(&over))
}

/// The runs that are over.
fn over(runs: &Runs) -> Vec<Timed> {
    let timed = |run: &Record| Some(Timed { outcome: run.outcome.clone()?, seconds: run.seconds.unwrap_or(0.0) });
    runs.runs.iter().filter_map(timed).collect()
}

/// How the runs stand, in a sentence.
pub(super) fn state(runs: &Runs) -> String {
    if let (None, [run]) = (runs.seeds, &runs.runs[..]) {
        return alone(run);
    }
    let (begun, all) = (runs.runs.len(), runs.seeds.unwrap_or(runs.runs.len()));
    let over: Vec<_> = runs.runs.iter().filter_map(|run| run.outcome.as_ref()).collect();
    let solved = over.iter().filter(|outcome| outcome.solved()).count();
    let failed = over.iter().filter(|outcome| outcome.failed).count();
    let mut words = match over.len() == all {
        true => format!("{solved} of {all} runs solved every stage"),
        false => format!("{begun} of {all} runs have begun, {} are over, {solved} of them solved", over.len()),
    };
    if failed > 0 {
        words += &format!("; {failed} failed");
    }
    words + "."
}

fn alone(run: &Record) -> String {
    let count = |n: u64| super::scale::count(n);
    match &run.outcome {
        None => {
            let updates = run.updates.last().map_or(0, |line| line.update);
            format!("Not over: {} updates so far.", count(updates as u64))
        }
        Some(outcome) => {
            let how = if outcome.failed { format!("Failed: {}", outcome.end) } else { capital(&outcome.end) };
            let seconds = run.seconds.map(|seconds| format!(", {seconds:.1} s with the test")).unwrap_or_default();
            let (updates, steps) = (count(outcome.updates as u64), count(outcome.steps));
            format!("{how}; {updates} updates, {steps} steps{seconds}.")
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A table on a page; one of many columns in small type.
pub(super) fn show(table: &Table, caption: &str) -> Markup {
    let number = |column| table.is_numeric(column).then_some("n");
    let class = |column, cell: &str| number(column).or_else(|| (!cell.contains(' ')).then_some("short"));
    let dense = (table.header().len() > DENSE).then_some("dense");
    let content = html! {
        table class=[dense] {
            thead { tr { @for (k, cell) in table.header().iter().enumerate() { th class=[number(k)] scope="col" { (cell) } } } }
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

/// More columns than this need small type.
const DENSE: usize = 7;

/// The performance profiles of several runs.
pub(super) fn profiles(groups: &[Group<'_>]) -> Markup {
    let (mut back, mut front) = (Vec::new(), Vec::new());
    for (colour, group) in groups.iter().enumerate() {
        let Some(scores) = scores::tested(group.runs) else { continue };
        let levels = scores::levels(&scores);
        let class = format!("c{colour}");
        let at = |k: usize| levels[k].threshold;
        let ends = (0..levels.len()).flat_map(|k| [(k, at(k)), (k, at((k + 1).min(levels.len() - 1)))]);
        let ends: Vec<_> = ends.collect();
        let band = ends.iter().map(|&(k, x)| (x, levels[k].share.low, levels[k].share.high)).collect();
        let line = ends.iter().map(|&(k, x)| (x, levels[k].share.estimate)).collect();
        let last = levels[levels.len() - 1].share;
        let title = format!("{}: {last} of the scores are 1", group.label);
        back.push(Shape::Band { class: class.clone(), title: format!("{}, 95 % interval", group.label), points: band });
        front.push(Shape::Line { class, title, points: line });
    }
    back.extend(front);
    let unit = Scale::linear(0.0, 1.0);
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
            @if groups.len() > 1 { @for (colour, group) in groups.iter().enumerate() { (key(&format!("line c{colour}"), &group.label)) } }
            (key("band c0", "95 % interval"))
        }
        div.panels {
            figure.panel { figcaption { b { "Performance profile" } " share of scores > τ" } (chart.draw()) }
            p.small.quiet.aside {
                "How large a share of all scores (the exact match of a run in one of " (STAGES) " stages of its test) lies \
                 above each threshold τ, with pointwise intervals. A higher line is better; the value at the right end is the \
                 share of perfect scores."
            }
        }
    }
}
