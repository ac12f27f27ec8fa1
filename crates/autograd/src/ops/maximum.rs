//! The elementwise maximum.
//!
//! - Forward: y = max(a, b) elementwise, with a and b broadcast to their common shape; NaN if one is NaN.
//! - Backward: da += dy where a > b and db += dy where a < b; where a = b, each gets ½dy by convention. Each is summed over the
//!   axes along which it was broadcast. Keeps both inputs.
//! - Why: y = a where a > b, and y = b where a < b. At the kink a = b, ½ is the mean of the slopes on both sides.
//! - Cost: 1 comparison forward, up to 10 flops and one scratch buffer of the size of y backward.
//! - Reference: PyTorch manual, `torch.maximum`; its convention at a = b is the same. Broadcasting as in the NumPy manual,
//!   "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Maximum;

impl<T: Real> Var<'_, T> {
    /// Computes the larger of this value and `other` elementwise, broadcasting both to their common shape. A NaN in either gives
    /// NaN. [`clamp_min`](Self::clamp_min) is the maximum with a number.
    ///
    /// Gradients: da += dy where a > b and db += dy where a < b; where a = b, each gets ½dy; derived in
    /// [`ops::maximum`](crate::ops::maximum).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(self, other: Self) -> Self {
        binary::assert_broadcast("maximum", self, other);
        self.tape.record(Op::Maximum(Maximum), &[self, other])
    }
}

impl<T: Real> Operation<T> for Maximum {
    const NAME: &'static str = "maximum";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Max);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let (a, b) = (back.input(0), back.input(1));
        binary::backward_of_larger(back, [[a, b], [b, a]]);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    /// Two pairs of elements are equal.
    #[test]
    fn maximum_broadcast_row_with_ties_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 5.0]], [3.0, 2.0]);
        check_binary(a, b, |a, b| a.maximum(b), [[3.0, 2.0], [3.0, 5.0]], [[0.0, 5.0], [50.0, 1000.0]], [51.0, 5.0]);
    }
}
