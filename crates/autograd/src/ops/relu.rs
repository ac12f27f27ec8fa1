//! The rectified linear unit (ReLU).
//!
//! - Forward: y = max(x, 0), for x of any shape; y has its shape.
//! - Backward: dx += dy where y > 0, and 0 elsewhere. Keeps the value. At the kink x = 0 the slope is 0 by convention.
//! - Why: y = x where y > 0; elsewhere y is constant.
//! - Cost: 1 comparison forward, 2 flops backward.
//! - Reference: V. Nair and G. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines" (2010); the
//!   convention at 0 is PyTorch's.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Relu;

impl<T: Real> Var<'_, T> {
    /// Computes y = max(x, 0) elementwise.
    ///
    /// Gradient: dx += dy where y > 0; derived in [`ops::relu`](crate::ops::relu).
    pub fn relu(self) -> Self {
        self.tape.record(Op::Relu(Relu), &[self])
    }
}

impl<T: Real> Operation<T> for Relu {
    const NAME: &'static str = "relu";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Relu);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Step, SlopeOf::Y);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn relu_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.0], |x| x.relu(), |x| x.max(0.0), |x| if x > 0.0 { 1.0 } else { 0.0 });
    }
}
