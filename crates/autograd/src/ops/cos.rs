//! The cosine.
//!
//! - Forward: y = cos x, for x in radians, of any shape; y has its shape.
//! - Backward: dx += −sin(x)·dy. Keeps the input.
//! - Why: cos(x + δ) = cos x·cos δ − sin x·sin δ, and cos δ = 1 + O(δ²), sin δ = δ + O(δ³).
//! - Cost: 1 cosine forward, 1 sine, 3 flops and one scratch buffer backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Cos;

impl<T: Real> Var<'_, T> {
    /// Computes y = cos x elementwise, with x in radians.
    ///
    /// Gradient: dx += −sin(x)·dy; derived in [`ops::cos`](crate::ops::cos).
    pub fn cos(self) -> Self {
        self.tape.record(Op::Cos(Cos), &[self])
    }
}

impl<T: Real> Operation<T> for Cos {
    const NAME: &'static str = "cos";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Cos);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward_scaled(b, -T::one(), Map::Sin);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn cos_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 40.0], |x| x.cos(), f64::cos, |x| -x.sin());
    }
}
