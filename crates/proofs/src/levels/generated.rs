//! L6: the value of a generated case against a loop over plain numbers, and its gradients against duals, or against dot products
//! if the entries are too many.

use autograd::gradcheck::{Finding, Report, dot_products, duals};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::{Verdict, near_on};
use crate::Generated;

/// The most entries for which duals are used: they cost one run an entry.
const ENTRIES: usize = 300;

/// Checks that the value is the plain loop's, and that the gradients are exact, or agree along random directions.
///
/// # Errors
/// If not.
pub fn agrees(Generated { inputs, f, value }: &Generated) -> Verdict {
    let tape = Tape::new();
    let x: Vec<Var<'_, f64>> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let y = f.on_numbers(&tape, &x);
    near_on("the value", &y.value(), value, 1.0, 1e-12)?;
    y.backward_from(&Tensor::full(y.shape(), 1.0)).map_err(|unreached| unreached.to_string())?;
    for (k, (x, input)) in x.iter().zip(inputs).enumerate() {
        let dx = x.grad().ok_or(format!("input {k} has no gradient"))?;
        let nothing = value.size() > 0 || dx.to_vec().iter().all(|&dx| dx == 0.0);
        if dx.shape() != input.shape() || !nothing {
            return Err(format!("input {k} is {}, the value {}, the gradient {dx}", input.shape(), value.shape()));
        }
    }
    let entries: usize = inputs.iter().map(Tensor::size).sum();
    judge(if entries <= ENTRIES { duals(&**f, inputs) } else { dot_products(&**f, inputs) })
}

/// Sums of hundreds of terms of size one may cancel, and what rounds then is the terms: a gap that is small by itself will
/// do. What is not a number is no gap that is small.
fn judge(mut report: Report) -> Verdict {
    report.findings.retain(|finding| !is_expected(finding));
    let small = 0.0..=report.tolerance;
    report.compared.retain(|compared| !small.contains(&(compared.gradient - compared.reference).abs()));
    super::verdict(&report)
}

/// A row of one element may have no influence on what is normalised, and empty tensors have been looked at.
fn is_expected(finding: &Finding) -> bool {
    matches!(finding, Finding::NoInfluence(_) | Finding::EmptyInput(_) | Finding::NoOutput)
}

#[cfg(test)]
mod tests {
    use autograd::function;

    use super::*;

    #[test]
    fn nan_is_refused() {
        let report = || duals(&function!(|x| x[0].square()), &[Tensor::from([0.5, 2.0])]);
        judge(report()).expect("right as it is");
        for (gradient, reference) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN), (f64::INFINITY, 1.0)] {
            let mut report = report();
            let worst = &mut report.compared[0];
            (worst.gradient, worst.reference, worst.error) = (gradient, reference, f64::NAN);
            judge(report).expect_err("not a number");
        }
    }
}
