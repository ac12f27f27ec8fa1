//! The hyperbolic tangent.
//!
//! - Forward: y = tanh x, for x of any shape; y has its shape and lies in (−1, 1).
//! - Backward: dx += (1 − y²)·dy. Keeps the value.
//! - Why: tanh = sinh / cosh, and (cosh² − sinh²) / cosh² = 1 − tanh².
//! - Cost: 1 tanh forward, 4 flops backward.
//! - Reference: Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, "Efficient BackProp" (1998), section 4.4, on its use as
//!   an activation.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Tanh;

impl<T: Real> Var<'_, T> {
    /// Computes y = tanh x elementwise.
    ///
    /// Gradient: dx += (1 − y²)·dy; derived in [`ops::tanh`](crate::ops::tanh).
    pub fn tanh(self) -> Self {
        self.tape.record(Op::Tanh(Tanh), &[self])
    }
}

impl<T: Real> Operation<T> for Tanh {
    const NAME: &'static str = "tanh";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Tanh);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::OneMinusSquare, SlopeOf::Y);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_unary;

    #[test]
    fn tanh_at_three_points_matches_its_formulas() {
        check_unary(&[1.0, -2.0, 0.5], |x| x.tanh(), |x| x.tanh(), |x| 1.0 / x.cosh().powi(2));
    }
}
