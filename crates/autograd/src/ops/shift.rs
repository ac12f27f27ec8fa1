//! Addition of a constant.
//!
//! - Forward: y = x + c, for x of any shape and a constant c; y has its shape.
//! - Backward: dx += dy. Keeps nothing.
//! - Why: ∂y/∂x = 1; the constant c has no gradient.
//! - Cost: 1 flop forward, 2 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Shift<T>(T);

impl<T: Real> Var<'_, T> {
    /// Computes y = x + c elementwise, for a constant c.
    ///
    /// Gradient: dx += dy; derived in [`ops::shift`](crate::ops::shift).
    pub fn shift(self, c: T) -> Self {
        self.tape.record(Op::Shift(Shift(c)), &[self])
    }
}

impl<T: Real> Operation<T> for Shift<T> {
    const NAME: &'static str = "shift";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("c={}", self.0)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Shift(self.0));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Constant(T::one()), SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn shift_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| x.shift(3.0), |x| x + 3.0, |_| 1.0);
    }
}
