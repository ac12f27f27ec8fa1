//! L6: generated cases. The value is compared with a plain loop, and the gradients with duals, or with dot products if
//! there are too many entries.

use autograd::gradcheck::{Finding, Report, dot_products, duals};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::{Verdict, check_close_with_scale};
use crate::GeneratedCase;

/// The maximum number of entries for a check by duals, which costs one run per entry.
const MAX_ENTRIES_FOR_DUALS: usize = 300;

/// Checks that the value equals the plain loop's, and that the gradients are exact or agree along random directions.
///
/// # Errors
/// If the check fails.
pub fn check_generated(GeneratedCase { inputs, f, value }: &GeneratedCase) -> Verdict {
    let tape = Tape::new();
    let x: Vec<Var<'_, f64>> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let y = f.call_f64(&tape, &x);
    check_close_with_scale("the value", &y.value(), value, 1.0, 1e-12)?;
    y.backward_from(&Tensor::full(y.shape(), 1.0)).map_err(|unreached| unreached.to_string())?;
    for (k, (x, input)) in x.iter().zip(inputs).enumerate() {
        let dx = x.grad().ok_or(format!("input {k} has no gradient"))?;
        let has_gradient_of_empty_value = value.size() == 0 && dx.to_vec().iter().any(|&dx| dx != 0.0);
        if dx.shape() != input.shape() || has_gradient_of_empty_value {
            return Err(format!("input {k} is {}, the value {}, the gradient {dx}", input.shape(), value.shape()));
        }
    }
    let entries: usize = inputs.iter().map(Tensor::size).sum();
    verdict_without_small_differences(if entries <= MAX_ENTRIES_FOR_DUALS {
        duals(&**f, inputs)
    } else {
        dot_products(&**f, inputs)
    })
}

/// Returns the verdict of a report, and accepts small absolute differences: sums of hundreds of terms of size one may
/// cancel, and the terms are rounded. NaN is never small.
fn verdict_without_small_differences(mut report: Report) -> Verdict {
    report.findings.retain(|finding| !is_expected(finding));
    let small = 0.0..=report.tolerance;
    report.compared.retain(|compared| !small.contains(&(compared.gradient - compared.reference).abs()));
    super::report_to_verdict(&report)
}

/// Returns true for a finding that generated cases cause: normalising a row of one element has no influence, and empty
/// tensors are checked elsewhere.
fn is_expected(finding: &Finding) -> bool {
    matches!(finding, Finding::NoInfluence(_) | Finding::EmptyInput(_) | Finding::NoOutput)
}

#[cfg(test)]
mod tests {
    use autograd::function;

    use super::*;

    #[test]
    fn verdict_of_nan_is_an_error() {
        let report = || duals(&function!(|x| x[0].square()), &[Tensor::from([0.5, 2.0])]);
        verdict_without_small_differences(report()).expect("right as it is");
        for (gradient, reference) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN), (f64::INFINITY, 1.0)] {
            let mut report = report();
            let worst = &mut report.compared[0];
            (worst.gradient, worst.reference, worst.error) = (gradient, reference, f64::NAN);
            verdict_without_small_differences(report).expect_err("not a number");
        }
    }
}
