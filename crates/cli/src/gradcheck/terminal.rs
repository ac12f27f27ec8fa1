//! The gradient checks as text: one row per operation and layer, or one row per case of the selected ones.

use std::slice;

use console::style;
use proofs::limit::MAX_LIMIT;
use proofs::measure::Measurement;

use super::{
    LEGEND, METHOD_NOTE, Subject, Summary, details, is_operation, sensitivity_failure, subjects, tolerances, verdict,
};
use crate::output::table::{NONE, Table};

/// Formats all operations and layers, without a line break at the end.
pub(crate) fn overview(measured: &[Measurement<'_>]) -> String {
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let row = |subject: &Subject<'_>| row(subject[0].case.target.name(), subject);
    let parts = [("operation", operations), ("layer", layers)].map(|(what, subjects)| {
        let mut table = table(what);
        subjects.iter().for_each(|subject| table.row(row(subject)));
        table.row(tolerance_row(measured));
        format!("{table}\n")
    });
    parts.concat() + &closing_text(measured)
}

/// Formats each case of a few operations or layers.
pub(crate) fn cases(measured: &[Measurement<'_>]) -> String {
    let part = |subject: Subject<'_>| {
        let mut table = table("case");
        for case in subject {
            let shapes = case.case.inputs.iter().map(|input| input.value.shape().to_string());
            let row = row(&case.case.name, slice::from_ref(case));
            table.row(row.into_iter().chain([shapes.collect::<Vec<_>>().join(" ")]));
        }
        table.row(tolerance_row(measured));
        format!("{}\n\n{table}\n", title(subject))
    };
    subjects(measured).map(part).collect::<String>() + &closing_text(measured)
}

/// Names the operation or layer, its rule, and the file that derives it.
fn title(subject: Subject<'_>) -> String {
    let target = subject[0].case.target;
    let rule = target.rule().into_iter().flat_map(|rule| [Some(rule.forward), rule.backward]).flatten();
    let rule: String = rule.map(|formula| format!("{formula}; ")).collect();
    format!("{}: {rule}{}", target.name(), target.file())
}

fn table(what: &str) -> Table {
    let shapes = (what == "case").then_some("inputs");
    Table::new([what].into_iter().chain(LEGEND.map(|(name, _)| name)).chain(shapes))
}

fn row(name: &str, cases: &[Measurement<'_>]) -> Vec<String> {
    let Summary { errors: [duals, richardson, central, dots, second], ulps, estimate, limit, time, agree } =
        Summary::from_cases(cases);
    let mark = if agree { "" } else { "✗ " };
    let ulps = ulps.map_or(NONE.into(), |ulps| ulps.to_string());
    let [duals, richardson, estimate, central, dots, second, limit] =
        [duals, richardson, estimate, central, dots, second, limit].map(magnitude);
    let time = time.as_millis().to_string();
    vec![format!("{mark}{name}"), duals, ulps, richardson, estimate, central, dots, second, limit, time]
}

/// Returns the last row, with the tolerances.
fn tolerance_row(measured: &[Measurement<'_>]) -> Vec<String> {
    let [duals, richardson, central, dots, second] = tolerances(measured).map(magnitude);
    let estimate = tolerances(measured)[1].map(|tolerance| tolerance / 5.0);
    let none = String::new;
    vec![
        "at most".into(),
        duals,
        none(),
        richardson,
        magnitude(estimate),
        central,
        dots,
        second,
        magnitude(Some(MAX_LIMIT)),
        none(),
    ]
}

/// Formats a number as one digit and a power of ten.
fn magnitude(x: Option<f64>) -> String {
    x.map_or(NONE.into(), |x| if x == 0.0 { "0".into() } else { format!("{x:.0e}") })
}

/// Formats the full reports of failed cases, the legend, and the verdict.
fn closing_text(measured: &[Measurement<'_>]) -> String {
    let mut out = String::new();
    for case in measured.iter().filter(|case| !case.is_ok()) {
        out += &format!("{}\n", style(case.case).red());
        case.reports.iter().filter(|report| !report.is_ok()).for_each(|report| out += &format!("{report}\n"));
        out.extend(sensitivity_failure(case).map(|text| format!("{text}\n\n")));
    }
    let legend = LEGEND.map(|(name, meaning)| format!("{name:<10}  {meaning}\n")).concat();
    let verdict = verdict(measured);
    let agree = measured.iter().all(Measurement::is_ok);
    let verdict = if agree { style(verdict).green() } else { style(verdict).red() };
    out + &format!("{legend}\n{METHOD_NOTE}\n\n{verdict}; {}", details(measured))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn overview_and_cases_show_failed_reports_in_full() {
        let cases = sample::cases();
        let measured = Measurement::run_all(&cases);
        for text in [overview(&measured), super::cases(&measured)] {
            for part in
                ["| ✗ ", "tanh, cut off: [2]", "Richardson's extrapolation DO NOT AGREE", "<x> at [", "1 DO NOT AGREE"]
            {
                assert!(text.contains(part), "no {part} in {text}");
            }
        }
        let right = overview(&measured[1..]);
        assert!(!right.contains('✗') && right.contains("all agree"), "{right}");
    }

    #[test]
    fn magnitude_has_one_digit() {
        assert_eq!([Some(0.0), Some(3.4e-16), Some(0.5), None].map(magnitude), ["0", "3e-16", "5e-1", NONE]);
    }
}
