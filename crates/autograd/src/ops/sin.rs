//! The sine.
//!
//! - Forward: y = sin x, for x in radians, of any shape; y has its shape.
//! - Backward: dx += cos(x)·dy. Keeps the input.
//! - Why: sin(x + δ) = sin x·cos δ + cos x·sin δ, and cos δ = 1 + O(δ²), sin δ = δ + O(δ³).
//! - Cost: 1 sine forward, 1 cosine and 2 flops backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Sin;

impl<T: Real> Var<'_, T> {
    /// Computes y = sin x elementwise, with x in radians.
    ///
    /// Gradient: dx += cos(x)·dy; derived in [`ops::sin`](crate::ops::sin).
    pub fn sin(self) -> Self {
        self.tape.record(Op::Sin(Sin), &[self])
    }
}

impl<T: Real> Operation<T> for Sin {
    const NAME: &'static str = "sin";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Sin);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Cos, SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn sin_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 40.0], |x| x.sin(), f64::sin, f64::cos);
    }
}
