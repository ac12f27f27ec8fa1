//! The natural logarithm.
//!
//! - Forward: y = ln x, for x > 0 of any shape; y has its shape.
//! - Backward: dx += dy / x. Keeps the input.
//! - Why: e^y = x, so e^y·∂y/∂x = 1.
//! - Cost: 1 logarithm forward, 2 flops backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Log;

impl<T: Real> Var<'_, T> {
    /// Computes y = ln x elementwise.
    ///
    /// Gradient: dx += dy / x; derived in [`ops::log`](crate::ops::log).
    pub fn log(self) -> Self {
        self.tape.record(Op::Log(Log), &[self])
    }
}

impl<T: Real> Operation<T> for Log {
    const NAME: &'static str = "log";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Log);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::Recip, SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn log_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, 2.0, 0.5], |x| x.log(), |x| x.ln(), |x| 1.0 / x);
    }
}
