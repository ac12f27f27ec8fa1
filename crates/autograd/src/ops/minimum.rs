//! The elementwise minimum.
//!
//! - Forward: y = min(a, b) elementwise, with a and b broadcast to their common shape; NaN if one is NaN.
//! - Backward: da += dy where a < b and db += dy where a > b; where a = b, each gets ½dy by convention. Each is summed over the
//!   axes along which it was broadcast. Keeps both inputs.
//! - Why: y = a where a < b, and y = b where a > b. At the kink a = b, ½ is the mean of the slopes on both sides.
//! - Cost: 1 comparison forward, up to 10 flops and one scratch buffer of the size of y backward.
//! - Reference: PyTorch manual, `torch.minimum`; its convention at a = b is the same. Broadcasting as in the NumPy manual,
//!   "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Minimum;

impl<T: Real> Var<'_, T> {
    /// Computes the smaller of this value and `other` elementwise, broadcasting both to their common shape. A NaN in either gives
    /// NaN. [`clamp_max`](Self::clamp_max) is the minimum with a number.
    ///
    /// Gradients: da += dy where a < b and db += dy where a > b; where a = b, each gets ½dy; derived in
    /// [`ops::minimum`](crate::ops::minimum).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(self, other: Self) -> Self {
        binary::assert_broadcast("minimum", self, other);
        self.tape.record(Op::Minimum(Minimum), &[self, other])
    }
}

impl<T: Real> Operation<T> for Minimum {
    const NAME: &'static str = "minimum";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Min);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let (a, b) = (back.input(0), back.input(1));
        binary::backward_of_larger(back, [[b, a], [a, b]]);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    /// Two pairs of elements are equal.
    #[test]
    fn minimum_broadcast_row_with_ties_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 5.0]], [3.0, 2.0]);
        check_binary(a, b, |a, b| a.minimum(b), [[1.0, 2.0], [3.0, 2.0]], [[1.0, 5.0], [50.0, 0.0]], [50.0, 1005.0]);
    }
}
