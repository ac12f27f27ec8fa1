//! The sigmoid, also called the logistic function.
//!
//! - Forward: y = σ(x) = 1 / (1 + e⁻ˣ), for x of any shape; y has its shape and lies in (0, 1).
//! - Backward: dx += y·(1 − y)·dy. Keeps the value.
//! - Why: 1/y = 1 + e⁻ˣ, so −(∂y/∂x)/y² = −e⁻ˣ, and y·e⁻ˣ = 1 − y.
//! - Cost: 1 exponential and 2 flops forward, 4 flops backward.
//! - Reference: S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory" (1997), appendix A.1, where it is the
//!   gate's activation.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Sigmoid;

impl<T: Real> Var<'_, T> {
    /// Computes y = σ(x) = 1 / (1 + e⁻ˣ) elementwise.
    ///
    /// Gradient: dx += y·(1 − y)·dy; derived in [`ops::sigmoid`](crate::ops::sigmoid).
    pub fn sigmoid(self) -> Self {
        self.tape.record(Op::Sigmoid(Sigmoid), &[self])
    }
}

impl<T: Real> Operation<T> for Sigmoid {
    const NAME: &'static str = "sigmoid";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Sigmoid);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::SigmoidSlope, SlopeOf::Y);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn sigmoid_at_three_points_matches_its_formulas() {
        check_unary(
            &[1.0, -2.0, 0.5],
            |x| x.sigmoid(),
            |x| 1.0 / (1.0 + (-x).exp()),
            |x| 0.25 / (x / 2.0).cosh().powi(2),
        );
    }
}
