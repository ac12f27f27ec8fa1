//! L1: reverse mode equals forward mode on dual numbers, to 1e-13 of a gradient's largest entry.

use crate::Case;
use autograd::Var;
use autograd::gradcheck::{draw_cotangent, duals};
use tensor::{Real, Tensor};

use super::compose::{Composed, Followup};
use super::{Verdict, report_to_verdict};

/// Checks the gradients of the case.
///
/// # Errors
/// If they are not exact.
pub fn check_duals(case: &Case) -> Verdict {
    report_to_verdict(&duals(&*case.f, &case.inputs))
}

/// Checks the gradients for the random cotangent of `seed`.
///
/// # Errors
/// If they are not exact.
pub fn check_duals_along(case: &Case, seed: u32) -> Verdict {
    report_to_verdict(&duals(&Composed(&*case.f, TimesCotangent(seed)), &case.inputs))
}

/// Checks the gradients if the inputs already have gradients when the function's backward runs.
///
/// # Errors
/// If they are not exact.
pub fn check_duals_with_existing_gradients(case: &Case) -> Verdict {
    report_to_verdict(&duals(&Composed(&*case.f, InputsUsedAgain), &case.inputs))
}

/// Multiplies the value by random numbers.
struct TimesCotangent(u32);

impl Followup for TimesCotangent {
    fn apply<'t, T: Real>(&self, y: Var<'t, T>, _: &[Var<'t, T>]) -> Var<'t, T> {
        let factors: Tensor<T> = draw_cotangent(y.shape(), self.0).cast();
        y * y.tape().constant(factors)
    }
}

/// Uses the same inputs again after the function.
struct InputsUsedAgain;

impl Followup for InputsUsedAgain {
    fn apply<'t, T: Real>(&self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        x.iter().fold(y.square().sum(), |y, x| y + x.scale(T::from_f64(1.5)).sum())
    }
}
