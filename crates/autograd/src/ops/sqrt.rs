//! The square root.
//!
//! - Forward: y = √x, for x ≥ 0 of any shape; y has its shape.
//! - Backward: dx += dy / (2y). Keeps the value. At x = 0 the slope is infinite.
//! - Why: y² = x, so 2y·∂y/∂x = 1.
//! - Cost: 1 root forward, 3 flops backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Sqrt;

impl<T: Real> Var<'_, T> {
    /// Computes y = √x elementwise.
    ///
    /// Gradient: dx += dy / (2y); derived in [`ops::sqrt`](crate::ops::sqrt).
    pub fn sqrt(self) -> Self {
        self.tape.record(Op::Sqrt(Sqrt), &[self])
    }
}

impl<T: Real> Operation<T> for Sqrt {
    const NAME: &'static str = "sqrt";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Sqrt);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::HalfRecip, SlopeOf::Y);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn sqrt_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, 2.0, 0.25], |x| x.sqrt(), |x| x.sqrt(), |x| 0.5 / x.sqrt());
    }
}
