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
use proofs::limit::ENOUGH;
use proofs::measure::{Measured, Method};
use proofs::{Case, Of};

/// What the pages have beside what is common to all.
const STYLE: &str = include_str!("gradcheck.css");

/// What the figures are, by the heads of their columns, and what the gaps are relative to.
const LEGEND: [(&str, &str); 9] = [
    ("duals", "from reverse mode to forward mode on dual numbers; relative to the largest entry of the gradient"),
    ("ulps", "the same gap, in numbers that lie between the two"),
    ("Richardson", "to central differences extrapolated to a step of nothing; relative to the same"),
    ("±", "what the extrapolation says that it is off by itself; relative to the same"),
    ("central", "to central differences at one step; relative to the same, but at least to 10⁻³·Σ |dy·y|"),
    ("dots", "from ⟨dx, u⟩ to ⟨dy, J·u⟩ along directions u, at any size; relative to the larger Σ of absolute terms"),
    ("second", "from H·u by reverse mode to H·u by duals of duals; relative to the largest entry of gradient and H·u"),
    (
        "limit",
        "the smallest factor 1 + d on a whole gradient that the dual check sees; factors inside rules: docs/teeth.md",
    ),
    (
        "ms",
        "the time on one thread, summed over cases; other cases run beside, so it is more than the work alone takes",
    ),
];

/// How far the methods can be trusted.
const WITNESSES: &str = "Every gap is the largest over all inputs, and over all entries or directions; 0 where both ways \
     come to the same floating-point formula. The methods share no derivative with reverse mode; all run the same \
     forward, whose values are anchored by plain loops and by PyTorch's numbers in the tests. What the tests prove \
     besides, such as the whole loss and the GRU by five ways: docs/gradients.md.";

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
    /// The factor on a whole gradient that is seen in every case.
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

/// Why a case is wrong whose check sees too little.
fn blind(measured: &Measured<'_>) -> Option<String> {
    let seen = || measured.limit.map_or("none is".into(), |limit| format!("the smallest is 1 + {limit:.1e}"));
    let words = || format!("a factor of 1 + {ENOUGH:e} on a whole gradient should be seen by duals; {}", seen());
    (!measured.sees_enough()).then(words)
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

/// What a reader asks next: how far off, whether a small factor would be seen, and what took longest.
fn details(measured: &[Measured<'_>]) -> String {
    let figures = Figures::of(measured);
    let duals = worst(measured, Method::Duals).map(|(at, compared)| {
        let Case { of, name, .. } = at.case;
        match compared.error {
            0.0 => "reverse mode and duals do not differ".to_owned(),
            error => format!("reverse mode and duals differ by at most {error:.1e}, in {}: {name}", of.name()),
        }
    });
    let limit = figures.limit.map(|limit| format!("a factor of 1 + {limit:.1e} on a whole gradient is seen"));
    let slowest = subjects(measured).max_by_key(|subject| Figures::of(subject).time);
    let seconds = |cases: &[Measured<'_>]| Figures::of(cases).time.as_secs_f64();
    let slowest = slowest.map(|subject| {
        let (name, all) = (subject[0].case.of.name(), seconds(measured));
        format!(
            "the slowest is {name}, {:.1} of {all:.1} s, as summed over cases that run side by side",
            seconds(subject)
        )
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

    #[test]
    fn a_check_that_sees_too_little_is_a_failure_and_says_so() {
        let cases = sample::cases();
        let mut measured = Measured::all(&cases[1..]);
        assert_eq!(measured.iter().find_map(blind), None);
        for (limit, says) in [(Some(1e-9), "; the smallest is 1 + 1.0e-9"), (None, "; none is")] {
            measured[0].limit = limit;
            assert!(blind(&measured[0]).is_some_and(|words| words.ends_with(says)), "{limit:?}");
            assert!(verdict(&measured).ends_with("1 DO NOT AGREE"));
            assert!(terminal::overview(&measured).contains(says), "{limit:?}");
            let page = page::page(&measured, &sample::curve());
            assert!(page.contains(says) && page.contains("<td class=\"n bad\">✗ "), "{page}");
        }
    }
}
