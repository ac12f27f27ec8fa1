//! Gradients, proved: what the checks say, as tables in [`terminal`], as a page in [`page`], and for programs in [`json`];
//! and the [`museum`] of those that were wrong.

mod chart;
pub(crate) mod json;
pub(crate) mod museum;
pub(crate) mod page;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod terminal;

use std::time::Duration;

use autograd::gradcheck::Compared;
use proofs::Of;
use proofs::measure::{Measured, Method};

/// What the pages have beside what is common to all.
const STYLE: &str = include_str!("gradcheck.css");

/// What the figures are, by the heads of their columns.
const LEGEND: [(&str, &str); 8] = [
    ("duals", "the gap between reverse mode and forward mode on dual numbers, which shares none of its rules"),
    ("ulps", "the same gap, in numbers that lie between the two"),
    ("Richardson", "the gap to central differences extrapolated to a step of nothing, which share nothing"),
    ("±", "what the extrapolation says that it is off by itself"),
    ("central", "the gap to central differences at one step"),
    ("dots", "the gap between ⟨dx, u⟩ and ⟨dy, J·u⟩ along directions u: a check for any size"),
    ("second", "the gap between derivatives of the gradient and second derivatives by duals of duals"),
    ("limit", "the smallest d for which a factor 1 + d on the gradient of any input is seen"),
];

/// What the gaps are measured by.
const SCALE: &str = "Every gap is the largest over all entries, relative to the largest entry of its gradient.";

/// All cases of an operation or a layer, of which there is at least one.
type Subject<'a> = &'a [Measured<'a>];

/// The operations and layers, in their order.
fn subjects<'a>(measured: &'a [Measured<'a>]) -> impl Iterator<Item = Subject<'a>> {
    measured.chunk_by(|a, b| a.case.of == b.case.of)
}

fn is_operation(subject: &Subject<'_>) -> bool {
    matches!(subject[0].case.of, Of::Operation(_))
}

/// The worst of some cases.
struct Figures {
    /// The largest error that each method found.
    errors: [Option<f64>; Method::ALL.len()],
    /// In numbers between the two, where duals differ most.
    ulps: Option<u64>,
    /// What Richardson's extrapolation says that it is off by.
    estimate: Option<f64>,
    /// What is seen in every case.
    limit: Option<f64>,
    time: Duration,
    agree: bool,
}

impl Figures {
    fn of(cases: &[Measured<'_>]) -> Self {
        let worst = |method| worst(cases, method).map(|(_, compared)| compared);
        let estimates = cases.iter().flat_map(|case| &case.report(Method::Richardson).compared);
        let limits: Option<Vec<f64>> = cases.iter().map(|case| case.limit).collect();
        Self {
            errors: Method::ALL.map(|method| worst(method).map(|compared| compared.error)),
            ulps: worst(Method::Duals).map(|compared| compared.ulps),
            estimate: estimates.filter_map(|compared| compared.estimate).reduce(f64::max),
            limit: limits.and_then(|limits| limits.into_iter().reduce(f64::max)),
            time: cases.iter().map(|case| case.time).sum(),
            agree: cases.iter().all(Measured::is_ok),
        }
    }
}

/// Where a method finds the largest error.
fn worst<'a>(cases: &'a [Measured<'a>], method: Method) -> Option<(&'a Measured<'a>, &'a Compared)> {
    let worst = cases.iter().filter_map(|case| Some((case, case.report(method).worst()?)));
    worst.max_by(|a, b| a.1.error.total_cmp(&b.1.error))
}

/// What passes, by method: the same in every case.
fn tolerances(measured: &[Measured<'_>]) -> [Option<f64>; Method::ALL.len()] {
    Method::ALL.map(|method| Some(measured.first()?.report(method).tolerance))
}

/// The verdict on all cases, in a sentence.
pub(crate) fn verdict(measured: &[Measured<'_>]) -> String {
    let failed = measured.iter().filter(|case| !case.is_ok()).count();
    let of = |one: &str, n: usize| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let counts = [of("operation", operations.len()), of("layer", layers.len()), of("case", measured.len())];
    let agree = if failed == 0 { "all agree".to_owned() } else { format!("{failed} DO NOT AGREE") };
    format!("{}: {agree}", counts.join(", "))
}

/// What a reader asks next: how far off, how small a mistake is seen, and what took longest.
fn details(measured: &[Measured<'_>]) -> String {
    let figures = Figures::of(measured);
    let duals = worst(measured, Method::Duals).map(|(at, compared)| {
        format!(
            "reverse mode and duals differ by at most {:.1e} ({}, {})",
            compared.error,
            at.case.of.name(),
            at.case.name
        )
    });
    let limit = figures.limit.map(|limit| format!("a factor of 1 + {limit:.1e} on any gradient is seen"));
    let slowest = subjects(measured).max_by_key(|subject| Figures::of(subject).time);
    let slowest = slowest.map(|subject| {
        format!("the slowest is {}, {:.1} s", subject[0].case.of.name(), Figures::of(subject).time.as_secs_f64())
    });
    [duals, limit, slowest].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_cases_is_shown() {
        let cases = sample::cases();
        let measured = Measured::all(&cases);
        let all = Figures::of(&measured);
        for (k, &error) in all.errors.iter().enumerate() {
            let each: Vec<_> = measured.iter().map(|case| Figures::of(std::slice::from_ref(case)).errors[k]).collect();
            assert!(each.contains(&error) && each.iter().all(|other| *other <= error), "{error:?} of {each:?}");
        }
        assert!(!all.agree && Figures::of(&measured[1..]).agree);
        assert!(all.limit.is_some_and(|limit| measured.iter().all(|case| case.limit <= Some(limit))));
    }

    #[test]
    fn the_verdict_counts() {
        let cases = sample::cases();
        let measured = Measured::all(&cases);
        assert_eq!(verdict(&measured), "2 operations, 1 layer, 4 cases: 1 DO NOT AGREE");
        assert_eq!(verdict(&measured[1..2]), "1 operation, 0 layers, 1 case: all agree");
        let details = details(&measured);
        assert!(details.contains("differ by at most") && details.contains("the slowest is"), "{details}");
    }
}
