//! Results of the gradient checks: tables in [`terminal`], a page in [`page`], JSON in [`json`]; and the [`museum`] of
//! wrong gradients.

mod chart;
pub(crate) mod json;
pub(crate) mod museum;
pub(crate) mod page;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod terminal;

use std::time::Duration;

use autograd::gradcheck::Comparison;
use proofs::limit::MAX_LIMIT;
use proofs::measure::{Measurement, Method};
use proofs::{Case, Target};

/// CSS of the gradcheck pages, in addition to the common style.
const STYLE: &str = include_str!("gradcheck.css");

/// The columns and their meaning.
const LEGEND: [(&str, &str); 9] = [
    ("duals", "error of reverse mode against forward mode on dual numbers; relative to the largest gradient entry"),
    ("ulps", "the same error, counted in floating-point numbers between the two values"),
    ("Richardson", "error against central differences extrapolated to step 0; relative to the largest gradient entry"),
    ("±", "the extrapolation's estimate of its own error; relative to the largest gradient entry"),
    (
        "central",
        "error against central differences at one step; relative to the largest gradient entry, at least 10⁻³·Σ |dy·y|",
    ),
    (
        "dots",
        "error of ⟨dx, u⟩ against ⟨dy, J·u⟩ along directions u, for tensors of any size; relative to the larger sum of \
         absolute terms",
    ),
    (
        "second",
        "error of H·u by reverse mode against duals of duals; relative to the largest entry of gradient and H·u",
    ),
    (
        "limit",
        "the smallest d for which the dual check detects a factor 1 + d on a whole gradient; for factors inside rules see \
         docs/teeth.md",
    ),
    ("ms", "time on one thread, summed over cases; cases run in parallel, so it exceeds the time of the work alone"),
];

/// A note on how far the methods can be trusted.
const METHOD_NOTE: &str = "Every error is the largest over all inputs and over all entries or directions. It is 0 if both \
     sides evaluate the same floating-point formula. The methods share no derivative with reverse mode. All run the same \
     forward code; tests compare its values with plain loops and with PyTorch. docs/gradients.md lists further tests, such \
     as the whole loss and the GRU computed in five ways.";

/// All cases of an operation or a layer; at least one.
type Subject<'a> = &'a [Measurement<'a>];

/// Iterates over the operations and layers, in their order.
fn subjects<'a>(measured: &'a [Measurement<'a>]) -> impl Iterator<Item = Subject<'a>> {
    measured.chunk_by(|a, b| a.case.target == b.case.target)
}

fn is_operation(subject: &Subject<'_>) -> bool {
    matches!(subject[0].case.target, Target::Operation(_))
}

/// The largest errors of some cases.
struct Summary {
    /// The largest error that each method found.
    errors: [Option<f64>; Method::ALL.len()],
    /// The largest dual error, in floating-point numbers between the two values.
    ulps: Option<u64>,
    /// The largest error estimate of the Richardson extrapolation.
    estimate: Option<f64>,
    /// The smallest d for which a factor 1 + d on a whole gradient is detected in every case.
    limit: Option<f64>,
    time: Duration,
    agree: bool,
}

impl Summary {
    fn from_cases(cases: &[Measurement<'_>]) -> Self {
        let worst = |method| largest_error(cases, method).map(|(_, compared)| compared);
        let estimates = cases.iter().flat_map(|case| &case.report(Method::Richardson).compared);
        let limits: Option<Vec<f64>> = cases.iter().map(|case| case.limit).collect();
        Self {
            errors: Method::ALL.map(|method| worst(method).map(|compared| compared.error)),
            ulps: worst(Method::Duals).map(|compared| compared.ulps),
            estimate: estimates.filter_map(|compared| compared.estimate).reduce(f64::max),
            limit: limits.and_then(|limits| limits.into_iter().reduce(f64::max)),
            time: cases.iter().map(|case| case.time).sum(),
            agree: cases.iter().all(Measurement::is_ok),
        }
    }
}

/// Returns the case and the comparison with the largest error of a method.
fn largest_error<'a>(cases: &'a [Measurement<'a>], method: Method) -> Option<(&'a Measurement<'a>, &'a Comparison)> {
    let worst = cases.iter().filter_map(|case| Some((case, case.report(method).worst()?)));
    worst.max_by(|a, b| a.1.error.total_cmp(&b.1.error))
}

/// Explains the failure of a case whose dual check is not sensitive enough.
fn sensitivity_failure(measured: &Measurement<'_>) -> Option<String> {
    let found = || {
        measured.limit.map_or("it detects none".into(), |limit| format!("the smallest it detects is 1 + {limit:.1e}"))
    };
    let message =
        || format!("the dual check should detect a factor of 1 + {MAX_LIMIT:e} on a whole gradient; {}", found());
    (!measured.is_sensitive()).then(message)
}

/// Returns the tolerance of each method, which is the same in every case.
fn tolerances(measured: &[Measurement<'_>]) -> [Option<f64>; Method::ALL.len()] {
    Method::ALL.map(|method| Some(measured.first()?.report(method).tolerance))
}

/// Summarizes all cases in one sentence.
pub(crate) fn verdict(measured: &[Measurement<'_>]) -> String {
    let failed = measured.iter().filter(|case| !case.is_ok()).count();
    let count = |noun: &str, n: usize| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let (operations, layers): (Vec<_>, Vec<_>) = subjects(measured).partition(is_operation);
    let counts = [count("operation", operations.len()), count("layer", layers.len()), count("case", measured.len())];
    let agree = if failed == 0 { "all agree".to_owned() } else { format!("{failed} DO NOT AGREE") };
    format!("{}: {agree}", counts.join(", "))
}

/// Describes the largest error, the smallest detected factor, and the slowest operation or layer.
fn details(measured: &[Measurement<'_>]) -> String {
    let summary = Summary::from_cases(measured);
    let duals = largest_error(measured, Method::Duals).map(|(at, compared)| {
        let Case { target, name, .. } = at.case;
        match compared.error {
            0.0 => "reverse mode and duals agree exactly".to_owned(),
            error => format!("reverse mode and duals differ by at most {error:.1e}, in {}: {name}", target.name()),
        }
    });
    let limit = summary.limit.map(|limit| format!("a factor of 1 + {limit:.1e} on a whole gradient is detected"));
    let slowest = subjects(measured).max_by_key(|subject| Summary::from_cases(subject).time);
    let seconds = |cases: &[Measurement<'_>]| Summary::from_cases(cases).time.as_secs_f64();
    let slowest = slowest
        .and_then(|subject| describe_slowest(subject[0].case.target.name(), seconds(subject), seconds(measured)));
    [duals, limit, slowest].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Describes the slowest operation or layer, unless its time is too short to print.
fn describe_slowest(name: &str, seconds: f64, all: f64) -> Option<String> {
    let text = || format!("the slowest is {name}, {seconds:.1} of {all:.1} s, summed over cases that run in parallel");
    (seconds >= 0.1).then(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_has_largest_error_of_all_cases() {
        let cases = sample::cases();
        let measured = Measurement::run_all(&cases);
        let all = Summary::from_cases(&measured);
        for (k, &error) in all.errors.iter().enumerate() {
            let each: Vec<_> =
                measured.iter().map(|case| Summary::from_cases(std::slice::from_ref(case)).errors[k]).collect();
            assert!(each.contains(&error) && each.iter().all(|other| *other <= error), "{error:?} of {each:?}");
        }
        assert!(!all.agree && Summary::from_cases(&measured[1..]).agree);
        assert!(all.limit.is_some_and(|limit| measured.iter().all(|case| case.limit <= Some(limit))));
    }

    #[test]
    fn verdict_counts_operations_layers_and_cases() {
        let cases = sample::cases();
        let measured = Measurement::run_all(&cases);
        assert_eq!(verdict(&measured), "2 operations, 1 layer, 4 cases: 1 DO NOT AGREE");
        assert_eq!(verdict(&measured[1..2]), "1 operation, 0 layers, 1 case: all agree");
        let details = details(&measured);
        assert!(details.contains("differ by at most") && details.contains("is detected"), "{details}");
    }

    #[test]
    fn describe_slowest_short_time_is_left_out() {
        assert_eq!(describe_slowest("tanh", 0.09, 0.09), None);
        assert!(
            describe_slowest("tanh", 0.1, 0.3)
                .is_some_and(|text| text.starts_with("the slowest is tanh, 0.1 of 0.3 s"))
        );
    }

    #[test]
    fn insensitive_check_is_reported_as_failure() {
        let cases = sample::cases();
        let mut measured = Measurement::run_all(&cases[1..]);
        assert_eq!(measured.iter().find_map(sensitivity_failure), None);
        for (limit, message) in [(Some(1e-9), "; the smallest it detects is 1 + 1.0e-9"), (None, "; it detects none")] {
            measured[0].limit = limit;
            assert!(sensitivity_failure(&measured[0]).is_some_and(|text| text.ends_with(message)), "{limit:?}");
            assert!(verdict(&measured).ends_with("1 DO NOT AGREE"));
            assert!(terminal::overview(&measured).contains(message), "{limit:?}");
            let page = page::page(&measured, &sample::curve());
            assert!(page.contains(message) && page.contains("<td class=\"n bad\">✗ "), "{page}");
        }
    }
}
