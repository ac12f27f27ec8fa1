//! Runs of a case forward and back, and comparisons of two results.

use autograd::gradcheck::{Pass, cotangent};
use tensor::{Shape, Tensor};

use super::Verdict;
use crate::Case;

/// Runs the case at its own inputs, with the cotangent of `seed`.
pub(super) fn pass(case: &Case, seed: u32) -> Pass {
    pass_at(case, &case.values(), |shape| cotangent(shape, seed))
}

/// Runs the case at other inputs.
pub(super) fn pass_at(case: &Case, inputs: &[Tensor<f64>], dy: impl FnOnce(Shape) -> Tensor<f64>) -> Pass {
    Pass::of(|tape, x| case.f.on_numbers(tape, x), inputs, dy)
}

/// Checks that every input has a gradient of its shape. It runs first, because an empty gradient agrees with everything.
pub(super) fn shapes(pass: &Pass, inputs: &[Tensor<f64>]) -> Verdict {
    assert!(pass.unreached.is_empty(), "a case has no parameters of its own, but {:?}", pass.unreached);
    gradients_fit(&pass.gradients, inputs)
}

/// Checks that every input has a gradient of its shape.
///
/// # Errors
/// If not.
pub fn gradients_fit(dx: &[Option<Tensor<f64>>], inputs: &[Tensor<f64>]) -> Verdict {
    for (k, (dx, x)) in dx.iter().zip(inputs).enumerate() {
        match dx.as_ref().map(Tensor::shape) {
            Some(shape) if shape == x.shape() => {}
            Some(shape) => return Err(format!("input {k} is {} and its gradient {shape}", x.shape())),
            None => return Err(format!("input {k} has no gradient")),
        }
    }
    Ok(())
}

/// Returns the gradients after it has checked that all of them are there.
pub(super) fn gradients(pass: Pass, inputs: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>, String> {
    shapes(&pass, inputs)?;
    Ok(pass.gradients.into_iter().flatten().collect())
}

/// Checks that two tensors of one shape differ by no more than `tolerance` times the largest entry of either.
///
/// # Errors
/// If not, with the worst entry, after the words of `what`.
pub fn near(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, tolerance: f64) -> Verdict {
    near_on(what, got, want, 0.0, tolerance)
}

/// [`near`], relative to a scale that may be larger. NaN is near nothing, and next to an infinity nothing is known.
///
/// # Errors
/// As there.
pub fn near_on(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, scale: f64, tolerance: f64) -> Verdict {
    if got.shape() != want.shape() {
        return Err(format!("{what}: {} is not {}", got.shape(), want.shape()));
    }
    let (got, want) = (got.to_vec(), want.to_vec());
    let scale = largest(&got).max(largest(&want)).max(scale);
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = if got == want { 0.0 } else { (got - want).abs() / scale };
        let is_near = scale.is_finite() && error <= tolerance;
        if !is_near {
            return Err(format!(
                "{what}: entry {i} is {got:e}, not {want:e}; error {error:.1e}, allowed {tolerance:e}"
            ));
        }
    }
    Ok(())
}

pub(super) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| x.abs().max(largest))
}
