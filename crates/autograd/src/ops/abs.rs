//! The absolute value.
//!
//! - Forward: y = \|x\|, for x of any shape; y has its shape.
//! - Backward: dx += sign(x)·dy, with sign(0) = 0 by convention. Keeps the input.
//! - Why: y = x where x > 0, and y = −x where x < 0. At the kink x = 0, 0 is the mean of both slopes.
//! - Cost: 1 flop forward, 4 backward.
//! - Reference: PyTorch manual, `torch.abs`; its convention at 0 is the same.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Abs;

impl<T: Real> Var<'_, T> {
    /// Computes y = |x| elementwise.
    ///
    /// Gradient: dx += sign(x)·dy, with sign(0) = 0; derived in [`ops::abs`](crate::ops::abs).
    pub fn abs(self) -> Self {
        self.tape.record(Op::Abs(Abs), &[self])
    }
}

impl<T: Real> Operation<T> for Abs {
    const NAME: &'static str = "abs";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Abs);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Sign, SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn abs_at_four_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.0, -0.0], |x| x.abs(), f64::abs, |x| if x == 0.0 { 0.0 } else { x.signum() });
    }
}
