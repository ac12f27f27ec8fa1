//! Multiplication.
//!
//! - Forward: y = a·b elementwise, with a and b broadcast to their common shape.
//! - Backward: da += b·dy and db += a·dy, each summed over the axes along which it was broadcast. Keeps both inputs.
//! - Why: (a + δ)(b + ε) = ab + δb + aε + δε.
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

impl<T: Real> core::ops::Mul for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn mul(self, other: Self) -> Self {
        binary::check("mul", self, other);
        self.tape.record(Op::Mul(Mul), &[self, other])
    }
}

impl<T: Real> Operation<T> for Mul {
    const NAME: &'static str = "mul";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Mul);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        let (a, c) = (b.input(0), b.input(1));
        if let Some(da) = b.grad(0) {
            kernels.sum_product_to(T::one(), dy, c, da);
        }
        if let Some(dc) = b.grad(1) {
            kernels.sum_product_to(T::one(), dy, a, dc);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    #[test]
    fn value_and_gradients_of_a_row_that_is_broadcast() {
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
