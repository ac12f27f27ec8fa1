//! Division.
//!
//! - Forward: y = a / b elementwise, with a and b broadcast to their common shape.
//! - Backward: with g = dy / b: da += g and db += −y·g, each summed over the axes along which it was broadcast. Keeps b
//!   and the value.
//! - Why: ∂y/∂a = 1/b, and y·b = a gives ∂y/∂b = −y/b.
//! - Cost: 1 flop forward, up to 7 backward and one scratch buffer of the size of y.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3; broadcasting as in the NumPy
//!   manual, "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Div;

/// Computes y = a / b elementwise, broadcasting a and b to their common shape.
///
/// Gradients: with g = dy / b: da += g and db += −y·g, each summed over the axes along which it was broadcast;
/// derived in [`ops::div`](crate::ops::div).
impl<T: Real> core::ops::Div for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn div(self, other: Self) -> Self {
        binary::assert_broadcast("div", self, other);
        self.tape.record(Op::Div(Div), &[self, other])
    }
}

impl<T: Real> Operation<T> for Div {
    const NAME: &'static str = "div";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Div);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        let (divisor, y) = (b.input(1), b.output());
        let mut g = b.scratch(dy.shape());
        kernels.binary(Binary::Div, dy, divisor, g.view_mut());
        if let Some(da) = b.grad(0) {
            kernels.sum_to(T::one(), g.view(), da);
        }
        if let Some(db) = b.grad(1) {
            kernels.sum_product_to(-T::one(), y, g.view(), db);
        }
        b.release_scratch(g);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    #[test]
    fn div_broadcast_row_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]);
        check_binary(a, b, |a, b| a / b, [[0.1, 0.1], [0.3, 0.2]], [[0.1, 0.5], [10.0, 50.0]], [-3.01, -10.05]);
    }
}
