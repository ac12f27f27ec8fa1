//! Multiplication by a constant.
//!
//! - Forward: y = c·x, for x of any shape and a constant c; y has its shape.
//! - Backward: dx += c·dy. Keeps nothing.
//! - Why: ∂y/∂x = c.
//! - Cost: 1 flop forward, 2 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Scale<T>(T);

impl<T: Real> Var<'_, T> {
    /// Computes y = c·x elementwise, for a constant c.
    ///
    /// Gradient: dx += c·dy; derived in [`ops::scale`](crate::ops::scale).
    pub fn scale(self, c: T) -> Self {
        self.tape.record(Op::Scale(Scale(c)), &[self])
    }
}

impl<T: Real> Operation<T> for Scale<T> {
    const NAME: &'static str = "scale";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("c={}", self.0)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Scale(self.0));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Constant(self.0), SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn scale_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| x.scale(3.0), |x| 3.0 * x, |_| 3.0);
    }
}
