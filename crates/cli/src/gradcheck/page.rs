//! The HTML page of the gradient checks.

use std::slice;

use maud::{Markup, html};
use proofs::Target;
use proofs::curve::StepSizeCurve;
use proofs::limit::MAX_LIMIT;
use proofs::measure::{Measurement, Method};

use super::chart::{chart, format_short};
use super::{
    LEGEND, METHOD_NOTE, STYLE, Subject, Summary, details, is_operation, sensitivity_failure, subjects, tolerances,
    verdict,
};
use crate::output::html::{inline_code, page_with_style, scrollable};
use crate::output::table::NONE;
use crate::report::chart;

/// The purpose of the checks.
const INTRODUCTION: &str = "Exact: the gradient of reverse mode must equal forward mode on dual numbers, entry by entry, \
     along whole directions, and in its own derivatives. Both modes share the forward code but no backward rule. \
     Independent: the gradient must equal differences extrapolated to step 0, which share no derivative and estimate their \
     own error. If that estimate is too large, the check fails; its tolerance is never widened.";

/// Builds the whole page.
pub(crate) fn page(measured: &[Measurement<'_>], curve: &StepSizeCurve) -> String {
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let agree = measured.iter().all(Measurement::is_ok);
    let body = html! {
        h1 { "Gradient checks" }
        p.good[agree].bad[!agree] { b { (verdict(measured)) } }
        p.quiet { (to_sentence(&details(measured))) }
        p { (INTRODUCTION) }
        (mistakes(measured))
        h2 { "Limits of finite differences" }
        (chart(curve))
        h2 { "Columns" }
        dl.facts.small { @for (name, meaning) in LEGEND { dt { (name) } dd { (meaning) } } }
        p.small.quiet { (METHOD_NOTE) }
        @for (what, subjects) in [("Operations", operations), ("Layers", layers)] {
            @if !subjects.is_empty() {
                h2 { (what) }
                (overview(&subjects, measured))
            }
        }
        h2 { "All cases" }
        @for subject in subjects(measured) { (cases(subject)) }
    };
    page_with_style("Gradient checks", &format!("{}{STYLE}", chart::STYLE), body)
}

/// Shows the full reports of the failed cases.
fn mistakes(measured: &[Measurement<'_>]) -> Markup {
    html! {
        @for case in measured.iter().filter(|case| !case.is_ok()) {
            h3 { (case.case) }
            @for report in case.reports.iter().filter(|report| !report.is_ok()) { pre.mistake { (report) } }
            @if let Some(text) = sensitivity_failure(case) { pre.mistake { (text) } }
        }
    }
}

/// Renders a table with one row per operation or layer.
fn overview(subjects: &[Subject<'_>], measured: &[Measurement<'_>]) -> Markup {
    let row = |subject: &Subject<'_>| {
        let target = subject[0].case.target;
        html! { tr { th.code scope="row" { (target.name()) } (rule(target)) td.n { (subject.len()) } (summary_cells(subject)) } }
    };
    scrollable(html! {
        table.tight {
            thead { tr { th scope="col" { "name" } th scope="col" { "rule" } th.n scope="col" { "cases" } (header_cells()) } }
            tbody { @for subject in subjects { (row(subject)) } (tolerance_row(measured, 2)) }
        }
    })
}

fn rule(target: Target) -> Markup {
    html! {
        td.rule {
            @if let Some(rule) = target.rule() {
                (inline_code(rule.forward))
                @if let Some(backward) = rule.backward { br; (inline_code(backward)) }
            }
            span.file.code { (target.file().trim_start_matches("crates/")) }
        }
    }
}

/// Renders a collapsed table with one row per case of an operation or layer.
fn cases(subject: Subject<'_>) -> Markup {
    let target = subject[0].case.target;
    let row = |measured: &Measurement<'_>| {
        let inputs = measured.case.inputs.iter().map(|input| input.value.shape().to_string()).collect::<Vec<_>>();
        html! {
            tr {
                th scope="row" { (measured.case.name) } td.code { (inputs.join(" ")) } (summary_cells(slice::from_ref(measured)))
            }
        }
    };
    html! {
        details {
            summary {
                b { (target.name()) } span.quiet { ", " (subject.len()) @if subject.len() == 1 { " case" } @else { " cases" } }
            }
            (scrollable(html! {
                table.tight {
                    thead { tr { th scope="col" { "case" } th scope="col" { "inputs" } (header_cells()) } }
                    tbody { @for row in subject.iter().map(row) { (row) } (tolerance_row(subject, 1)) }
                }
            }))
        }
    }
}

fn header_cells() -> Markup {
    html! { @for name in LEGEND.map(|(name, _)| name) { th.n scope="col" { (name) } } }
}

/// Renders the cells of a summary, in the order of [`LEGEND`].
fn summary_cells(cases: &[Measurement<'_>]) -> Markup {
    let Summary { errors, ulps, estimate, limit, time, .. } = Summary::from_cases(cases);
    let error = |method: usize| {
        let agree = cases.iter().all(|case| case.reports[method].is_ok());
        html! { td.n.bad[!agree] { @if !agree { "✗ " } (errors[method].map_or(NONE.into(), format_short)) } }
    };
    html! {
        (error(0)) td.n { (ulps.map_or(NONE.into(), |ulps| ulps.to_string())) }
        (error(1)) td.n { (estimate.map_or(NONE.into(), format_short)) }
        @for method in 2..Method::ALL.len() { (error(method)) }
        @let sensitive = cases.iter().all(Measurement::is_sensitive);
        td.n.bad[!sensitive] { @if !sensitive { "✗ " } (limit.map_or(NONE.into(), format_short)) } td.n { (time.as_millis()) }
    }
}

/// Renders the last row with the tolerances, after this many empty cells.
fn tolerance_row(measured: &[Measurement<'_>], empty: usize) -> Markup {
    let estimate = tolerances(measured)[1].map_or(NONE.into(), |tolerance| format_short(tolerance / 5.0));
    let tolerances = tolerances(measured).map(|tolerance| tolerance.map_or(NONE.into(), format_short));
    html! {
        tr.bounds {
            th scope="row" { "at most" } @for _ in 0..empty { td {} }
            td.n { (tolerances[0]) } td {}
            td.n { (tolerances[1]) } td.n { (estimate) }
            @for tolerance in &tolerances[2..] { td.n { (tolerance) } }
            td.n { (format_short(MAX_LIMIT)) } td {}
        }
    }
}

/// Makes a sentence: a capital letter, a full stop, and typographic minus signs.
fn to_sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().replace("e-", "e−"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn page_marks_and_explains_failed_cases() {
        let cases = sample::cases();
        let measured = Measurement::run_all(&cases);
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
