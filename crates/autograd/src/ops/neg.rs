//! Negation.
//!
//! - Forward: y = −x, for x of any shape; y has its shape.
//! - Backward: dx += −dy. Keeps nothing.
//! - Why: ∂y/∂x = −1.
//! - Cost: 1 flop forward, 2 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Neg;

/// Computes y = −x elementwise.
///
/// Gradient: dx += −dy; derived in [`ops::neg`](crate::ops::neg).
impl<T: Real> core::ops::Neg for Var<'_, T> {
    type Output = Self;
    fn neg(self) -> Self {
        self.tape.record(Op::Neg(Neg), &[self])
    }
}

impl<T: Real> Operation<T> for Neg {
    const NAME: &'static str = "neg";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Neg);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Constant(-T::one()), SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn neg_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| -x, |x| -x, |_| -1.0);
    }
}
