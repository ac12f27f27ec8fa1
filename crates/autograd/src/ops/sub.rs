//! Subtraction.
//!
//! - Forward: y = a − b, with a and b broadcast to their common shape.
//! - Backward: da += dy and db += −dy, each summed over the axes along which it was broadcast. Keeps nothing.
//! - Why: ∂y/∂a = 1 and ∂y/∂b = −1.
//! - Cost: 1 flop forward, up to 4 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3; broadcasting as in the NumPy
//!   manual, "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Sub;

/// Computes y = a − b elementwise, broadcasting a and b to their common shape.
///
/// Gradients: da += dy and db += −dy, each summed over the axes along which it was broadcast;
/// derived in [`ops::sub`](crate::ops::sub).
impl<T: Real> core::ops::Sub for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn sub(self, other: Self) -> Self {
        binary::assert_broadcast("sub", self, other);
        self.tape.record(Op::Sub(Sub), &[self, other])
    }
}

impl<T: Real> Operation<T> for Sub {
    const NAME: &'static str = "sub";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Sub);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(da) = b.grad(0) {
            kernels.sum_to(T::one(), dy, da);
        }
        if let Some(db) = b.grad(1) {
            kernels.sum_to(-T::one(), dy, db);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    #[test]
    fn sub_broadcast_row_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]);
        check_binary(
            a,
            b,
            |a, b| a - b,
            [[-9.0, -18.0], [-7.0, -16.0]],
            [[1.0, 10.0], [100.0, 1000.0]],
            [-101.0, -1010.0],
        );
    }
}
