//! Forward and backward passes of a case, and comparisons of two results.

use autograd::gradcheck::{Pass, draw_cotangent};
use tensor::{Shape, Tensor};

use super::Verdict;
use crate::Case;

/// Runs the case at its own inputs, with the cotangent of `seed`.
pub(super) fn run_case(case: &Case, seed: u32) -> Pass {
    run_case_at(case, &case.values(), |shape| draw_cotangent(shape, seed))
}

/// Runs the case at other inputs.
pub(super) fn run_case_at(case: &Case, inputs: &[Tensor<f64>], dy: impl FnOnce(Shape) -> Tensor<f64>) -> Pass {
    Pass::run(|tape, x| case.f.call_f64(tape, x), inputs, dy)
}

/// Checks that every input has a gradient of its shape. This check runs first, because an empty gradient agrees with
/// everything.
pub(super) fn check_shapes(pass: &Pass, inputs: &[Tensor<f64>]) -> Verdict {
    assert!(pass.unreached.is_empty(), "a case has no parameters of its own, but {:?}", pass.unreached);
    check_gradient_shapes(&pass.gradients, inputs)
}

/// Checks that every input has a gradient of its shape.
///
/// # Errors
/// If the check fails.
pub fn check_gradient_shapes(dx: &[Option<Tensor<f64>>], inputs: &[Tensor<f64>]) -> Verdict {
    for (k, (dx, x)) in dx.iter().zip(inputs).enumerate() {
        match dx.as_ref().map(Tensor::shape) {
            Some(shape) if shape == x.shape() => {}
            Some(shape) => return Err(format!("input {k} is {} and its gradient {shape}", x.shape())),
            None => return Err(format!("input {k} has no gradient")),
        }
    }
    Ok(())
}

/// Returns the gradients, after checking that all of them exist.
pub(super) fn checked_gradients(pass: Pass, inputs: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>, String> {
    check_shapes(&pass, inputs)?;
    Ok(pass.gradients.into_iter().flatten().collect())
}

/// Checks that two tensors of one shape differ by no more than `tolerance` times the largest entry of either.
///
/// # Errors
/// If they differ more. The message names `what` and the first such entry.
pub fn check_close(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, tolerance: f64) -> Verdict {
    check_close_with_scale(what, got, want, 0.0, tolerance)
}

/// Runs [`check_close`], but relative to `scale` if `scale` is larger than every entry. The check fails if an entry is
/// infinite or NaN.
///
/// # Errors
/// The errors of [`check_close`].
pub fn check_close_with_scale(
    what: &str,
    got: &Tensor<f64>,
    want: &Tensor<f64>,
    scale: f64,
    tolerance: f64,
) -> Verdict {
    if got.shape() != want.shape() {
        return Err(format!("{what}: {} is not {}", got.shape(), want.shape()));
    }
    let (got, want) = (got.to_vec(), want.to_vec());
    let scale = max_abs(&got).max(max_abs(&want)).max(scale);
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

pub(super) fn max_abs(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| x.abs().max(largest))
}
