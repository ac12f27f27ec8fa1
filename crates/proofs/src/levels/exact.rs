//! L1: reverse mode equals forward mode on dual numbers, to 1e-13 of a gradient's largest entry.

use crate::Case;
use autograd::Var;
use autograd::gradcheck::{cotangent, duals};
use tensor::{Real, Tensor};

use super::overloaded::{After, Then};
use super::{Verdict, verdict};

/// The gradients of the case, as they are.
///
/// # Errors
/// If they are not exact.
pub fn exact(case: &Case) -> Verdict {
    verdict(&duals(&*case.f, &case.inputs))
}

/// The gradients for another random cotangent, the one that `seed` names.
///
/// # Errors
/// If they are not exact.
pub fn exact_along(case: &Case, seed: u32) -> Verdict {
    verdict(&duals(&Then(&*case.f, Along(seed)), &case.inputs))
}

/// The gradients where those of the inputs are not zero when the function's turn comes.
///
/// # Errors
/// If they are not exact.
pub fn exact_on_top(case: &Case) -> Verdict {
    verdict(&duals(&Then(&*case.f, OnTop), &case.inputs))
}

/// Its value, times numbers.
struct Along(u32);

impl After for Along {
    fn after<'t, T: Real>(&self, y: Var<'t, T>, _: &[Var<'t, T>]) -> Var<'t, T> {
        let factors: Tensor<T> = cotangent(y.shape(), self.0).cast();
        y * y.tape().constant(factors)
    }
}

/// The same inputs used again further on.
struct OnTop;

impl After for OnTop {
    fn after<'t, T: Real>(&self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        x.iter().fold(y.square().sum(), |y, x| y + x.scale(T::of(1.5)).sum())
    }
}
