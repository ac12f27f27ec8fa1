//! The checks as a page.

use std::slice;

use maud::{Markup, html};
use proofs::Of;
use proofs::curve::Curve;
use proofs::limit::ENOUGH;
use proofs::measure::{Measured, Method};

use super::chart::{chart, small};
use super::{Figures, LEGEND, STYLE, Subject, WITNESSES, blind, details, is_operation, subjects, tolerances, verdict};
use crate::output::html::{page_with, prose, wide};
use crate::output::table::NONE;
use crate::report::chart;

/// What the checks are for, in two sentences.
const LEVELS: &str = "Exact: what comes back through the tape must equal forward mode on dual numbers, entry by entry, along \
     whole directions and in its own derivatives; the two share the forward code and not one backward rule. Independent: \
     it must equal differences extrapolated to a step of nothing, which share no derivative and say how far off they are \
     themselves; a check that is not sure of itself is a failure here, never a wider tolerance.";

/// The whole page.
pub(crate) fn page(measured: &[Measured<'_>], curve: &Curve) -> String {
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let agree = measured.iter().all(Measured::is_ok);
    let body = html! {
        h1 { "Gradients that are proved" }
        p.good[agree].bad[!agree] { b { (verdict(measured)) } }
        p.quiet { (sentence(&details(measured))) }
        p { (LEVELS) }
        (mistakes(measured))
        h2 { "Why not by differences alone" }
        (chart(curve))
        h2 { "What the figures are" }
        dl.facts.small { @for (name, meaning) in LEGEND { dt { (name) } dd { (meaning) } } }
        p.small.quiet { (WITNESSES) }
        @for (what, subjects) in [("Operations", operations), ("Layers", layers)] {
            @if !subjects.is_empty() {
                h2 { (what) }
                (overview(&subjects, measured))
            }
        }
        h2 { "Every case" }
        @for subject in subjects(measured) { (cases(subject)) }
    };
    page_with("Gradients that are proved", &format!("{}{STYLE}", chart::STYLE), body)
}

/// What is wrong, in full.
fn mistakes(measured: &[Measured<'_>]) -> Markup {
    html! {
        @for case in measured.iter().filter(|case| !case.is_ok()) {
            h3 { (case.case) }
            @for report in case.reports.iter().filter(|report| !report.is_ok()) { pre.mistake { (report) } }
            @if let Some(words) = blind(case) { pre.mistake { (words) } }
        }
    }
}

/// A row for each operation or layer.
fn overview(subjects: &[Subject<'_>], measured: &[Measured<'_>]) -> Markup {
    let row = |subject: &Subject<'_>| {
        let of = subject[0].case.of;
        html! { tr { th.code scope="row" { (of.name()) } (rule(of)) td.n { (subject.len()) } (figures(subject)) } }
    };
    wide(html! {
        table.tight {
            thead { tr { th scope="col" { "name" } th scope="col" { "rule" } th.n scope="col" { "cases" } (heads()) } }
            tbody { @for subject in subjects { (row(subject)) } (bounds(measured, 2)) }
        }
    })
}

fn rule(of: Of) -> Markup {
    html! {
        td.rule {
            @if let Some(rule) = of.rule() {
                (prose(rule.forward))
                @if let Some(backward) = rule.backward { br; (prose(backward)) }
            }
            span.file.code { (of.file().trim_start_matches("crates/")) }
        }
    }
}

/// A row for each case of an operation or a layer, folded away.
fn cases(subject: Subject<'_>) -> Markup {
    let of = subject[0].case.of;
    let row = |measured: &Measured<'_>| {
        let inputs = measured.case.inputs.iter().map(|input| input.value.shape().to_string()).collect::<Vec<_>>();
        html! {
            tr { th scope="row" { (measured.case.name) } td.code { (inputs.join(" ")) } (figures(slice::from_ref(measured))) }
        }
    };
    html! {
        details {
            summary { b { (of.name()) } span.quiet { ", " (subject.len()) @if subject.len() == 1 { " case" } @else { " cases" } } }
            (wide(html! {
                table.tight {
                    thead { tr { th scope="col" { "case" } th scope="col" { "inputs" } (heads()) } }
                    tbody { @for row in subject.iter().map(row) { (row) } (bounds(subject, 1)) }
                }
            }))
        }
    }
}

fn heads() -> Markup {
    html! { @for name in LEGEND.map(|(name, _)| name) { th.n scope="col" { (name) } } }
}

/// The figures, in the order of the heads.
fn figures(cases: &[Measured<'_>]) -> Markup {
    let Figures { errors, ulps, estimate, limit, time, .. } = Figures::of(cases);
    let error = |method: usize| {
        let agree = cases.iter().all(|case| case.reports[method].is_ok());
        html! { td.n.bad[!agree] { @if !agree { "✗ " } (errors[method].map_or(NONE.into(), small)) } }
    };
    html! {
        (error(0)) td.n { (ulps.map_or(NONE.into(), |ulps| ulps.to_string())) }
        (error(1)) td.n { (estimate.map_or(NONE.into(), small)) }
        @for method in 2..Method::ALL.len() { (error(method)) }
        @let sees = cases.iter().all(Measured::sees_enough);
        td.n.bad[!sees] { @if !sees { "✗ " } (limit.map_or(NONE.into(), small)) } td.n { (time.as_millis()) }
    }
}

/// The last row: what passes, after as many empty cells.
fn bounds(measured: &[Measured<'_>], empty: usize) -> Markup {
    let estimate = tolerances(measured)[1].map_or(NONE.into(), |tolerance| small(tolerance / 5.0));
    let tolerances = tolerances(measured).map(|tolerance| tolerance.map_or(NONE.into(), small));
    html! {
        tr.bounds {
            th scope="row" { "at most" } @for _ in 0..empty { td {} }
            td.n { (tolerances[0]) } td {}
            td.n { (tolerances[1]) } td.n { (estimate) }
            @for tolerance in &tolerances[2..] { td.n { (tolerance) } }
            td.n { (small(ENOUGH)) } td {}
        }
    }
}

/// A sentence, with the signs that printers use.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().replace("e-", "e−"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_says_what_is_wrong_and_marks_it() {
        let cases = sample::cases();
        let measured = Measured::all(&cases);
        let page = page(&measured, &sample::curve());
        for part in [
            "<b>2 operations, 1 layer, 4 cases: 1 DO NOT AGREE</b>",
            "<h3>tanh, cut off: [2]</h3>",
            "&lt;x&gt; at [",
            "<td class=\"n bad\">✗ ",
            "y = tanh x<br>dx += (1 − y²)·dy",
            ">autograd/src/ops/mul.rs</span>",
            "best, 1.0e−5: error 1.0e−10",
            "PyTorch, 10⁻⁶: error 1.0e−9",
            "Richardson, 1.0e−13",
            "duals, 2.0e−16",
            "a &lt; b",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        let right = super::page(&measured[1..], &sample::curve());
        assert!(!right.contains('✗') && !right.contains("pre class") && right.contains("all agree"), "{right}");
    }
}
