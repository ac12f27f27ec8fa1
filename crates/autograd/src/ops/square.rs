//! The square.
//!
//! - Forward: y = x², for x of any shape; y has its shape.
//! - Backward: dx += 2x·dy. Keeps the input.
//! - Why: (x + δ)² = x² + 2xδ + δ².
//! - Cost: 1 flop forward, 3 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Square;

impl<T: Real> Var<'_, T> {
    /// Computes y = x² elementwise.
    ///
    /// Gradient: dx += 2x·dy; derived in [`ops::square`](crate::ops::square).
    pub fn square(self) -> Self {
        self.tape.record(Op::Square(Square), &[self])
    }
}

impl<T: Real> Operation<T> for Square {
    const NAME: &'static str = "square";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Square);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Scale(T::from_f64(2.0)), SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn square_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| x.square(), |x| x * x, |x| 2.0 * x);
    }
}
