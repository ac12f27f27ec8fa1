//! The exponential.
//!
//! - Forward: y = eˣ, for x of any shape; y has its shape.
//! - Backward: dx += y·dy. Keeps the value.
//! - Why: the exponential is its own derivative.
//! - Cost: 1 exponential forward, 2 flops backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Exp;

impl<T: Real> Var<'_, T> {
    /// Computes y = eˣ elementwise.
    ///
    /// Gradient: dx += y·dy; derived in [`ops::exp`](crate::ops::exp).
    pub fn exp(self) -> Self {
        self.tape.record(Op::Exp(Exp), &[self])
    }
}

impl<T: Real> Operation<T> for Exp {
    const NAME: &'static str = "exp";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Exp);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Identity, SlopeOf::Y);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn exp_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| x.exp(), |x| x.exp(), |x| x.exp());
    }
}
