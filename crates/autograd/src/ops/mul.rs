//! Multiplication.
//!
//! - Forward: y = a·b elementwise, with a and b broadcast to their common shape.
//! - Backward: da += b·dy and db += a·dy, each summed over the axes along which it was broadcast. Keeps both inputs.
//! - Why: (a + δ)(b + ε) = ab + δb + aε + δε; the first-order terms are δb and aε.
//! - Cost: 1 flop forward, up to 6 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3; broadcasting as in the NumPy
//!   manual, "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Mul;

/// Computes y = a·b elementwise, broadcasting a and b to their common shape.
///
/// Gradients: da += b·dy and db += a·dy, each summed over the axes along which it was broadcast;
/// derived in [`ops::mul`](crate::ops::mul).
impl<T: Real> core::ops::Mul for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn mul(self, other: Self) -> Self {
        binary::assert_broadcast("mul", self, other);
        self.tape.record(Op::Mul(Mul), &[self, other])
    }
}

impl<T: Real> Operation<T> for Mul {
    const NAME: &'static str = "mul";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Mul);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let (kernels, dy) = (back.kernels(), back.dy());
        let (a, b) = (back.input(0), back.input(1));
        if let Some(da) = back.grad(0) {
            kernels.sum_product_to(T::one(), dy, b, da);
        }
        if let Some(db) = back.grad(1) {
            kernels.sum_product_to(T::one(), dy, a, db);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    #[test]
    fn mul_broadcast_row_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]);
        check_binary(
            a,
            b,
            |a, b| a * b,
            [[10.0, 40.0], [30.0, 80.0]],
            [[10.0, 200.0], [1000.0, 20000.0]],
            [301.0, 4020.0],
        );
    }
}
