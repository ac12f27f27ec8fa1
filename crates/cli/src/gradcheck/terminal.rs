//! The checks for terminals: a row for each operation and layer, or for each case of those that were asked for.

use std::slice;

use console::style;
use proofs::limit::ENOUGH;
use proofs::measure::Measured;

use super::{Figures, LEGEND, Subject, WITNESSES, blind, details, is_operation, subjects, tolerances, verdict};
use crate::output::table::{NONE, Table};

/// All operations and all layers, without a line's end after the last.
pub(crate) fn overview(measured: &[Measured<'_>]) -> String {
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let row = |subject: &Subject<'_>| row(subject[0].case.of.name(), subject);
    let parts = [("operation", operations), ("layer", layers)].map(|(what, subjects)| {
        let mut table = table(what);
        subjects.iter().for_each(|subject| table.row(row(subject)));
        table.row(bounds(measured));
        format!("{table}\n")
    });
    parts.concat() + &end(measured)
}

/// Each case of a few operations or layers.
pub(crate) fn cases(measured: &[Measured<'_>]) -> String {
    let part = |subject: Subject<'_>| {
        let mut table = table("case");
        for case in subject {
            let shapes = case.case.inputs.iter().map(|input| input.value.shape().to_string());
            let row = row(&case.case.name, slice::from_ref(case));
            table.row(row.into_iter().chain([shapes.collect::<Vec<_>>().join(" ")]));
        }
        table.row(bounds(measured));
        format!("{}\n\n{table}\n", title(subject))
    };
    subjects(measured).map(part).collect::<String>() + &end(measured)
}

/// What is proved, and where it is derived.
fn title(subject: Subject<'_>) -> String {
    let of = subject[0].case.of;
    let rule = of.rule().into_iter().flat_map(|rule| [Some(rule.forward), rule.backward]).flatten();
    let rule: String = rule.map(|words| format!("{words}; ")).collect();
    format!("{}: {rule}{}", of.name(), of.file())
}

fn table(what: &str) -> Table {
    let shapes = (what == "case").then_some("inputs");
    Table::new([what].into_iter().chain(LEGEND.map(|(name, _)| name)).chain(shapes))
}

fn row(name: &str, cases: &[Measured<'_>]) -> Vec<String> {
    let Figures { errors: [duals, richardson, central, dots, second], ulps, estimate, limit, time, agree } =
        Figures::of(cases);
    let mark = if agree { "" } else { "✗ " };
    let ulps = ulps.map_or(NONE.into(), |ulps| ulps.to_string());
    let [duals, richardson, estimate, central, dots, second, limit] =
        [duals, richardson, estimate, central, dots, second, limit].map(magnitude);
    let time = time.as_millis().to_string();
    vec![format!("{mark}{name}"), duals, ulps, richardson, estimate, central, dots, second, limit, time]
}

/// The last row: what passes.
fn bounds(measured: &[Measured<'_>]) -> Vec<String> {
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
        magnitude(Some(ENOUGH)),
        none(),
    ]
}

/// A number as its order: one digit and a power of ten.
fn magnitude(x: Option<f64>) -> String {
    x.map_or(NONE.into(), |x| if x == 0.0 { "0".into() } else { format!("{x:.0e}") })
}

/// What is wrong in full, the verdict, and what the columns are.
fn end(measured: &[Measured<'_>]) -> String {
    let mut out = String::new();
    for case in measured.iter().filter(|case| !case.is_ok()) {
        out += &format!("{}\n", style(case.case).red());
        case.reports.iter().filter(|report| !report.is_ok()).for_each(|report| out += &format!("{report}\n"));
        out.extend(blind(case).map(|words| format!("{words}\n\n")));
    }
    let legend = LEGEND.map(|(name, meaning)| format!("{name:<10}  {meaning}\n")).concat();
    let verdict = verdict(measured);
    let agree = measured.iter().all(Measured::is_ok);
    let verdict = if agree { style(verdict).green() } else { style(verdict).red() };
    out + &format!("{legend}\n{WITNESSES}\n\n{verdict}; {}", details(measured))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_full() {
        let cases = sample::cases();
        let measured = Measured::all(&cases);
        for told in [overview(&measured), super::cases(&measured)] {
            for part in
                ["| ✗ ", "tanh, cut off: [2]", "Richardson's extrapolation DO NOT AGREE", "<x> at [", "1 DO NOT AGREE"]
            {
                assert!(told.contains(part), "no {part} in {told}");
            }
        }
        let right = overview(&measured[1..]);
        assert!(!right.contains('✗') && right.contains("all agree"), "{right}");
    }

    #[test]
    fn orders_of_magnitude() {
        assert_eq!([Some(0.0), Some(3.4e-16), Some(0.5), None].map(magnitude), ["0", "3e-16", "5e-1", NONE]);
    }
}
