//! Addition.
//!
//! - Forward: y = a + b, with a and b broadcast to their common shape.
//! - Backward: da += dy and db += dy, each summed over the axes along which it was broadcast. Keeps nothing.
//! - Why: ∂y/∂a = ∂y/∂b = 1; an element used n times sums n gradients.
//! - Cost: 1 flop forward, up to 4 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), table 2.3; broadcasting as in the NumPy
//!   manual, "Broadcasting".

use tensor::{Binary, Real};

use super::binary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Add;

/// Computes y = a + b elementwise, broadcasting a and b to their common shape.
///
/// Gradients: da += dy and db += dy, each summed over the axes along which it was broadcast;
/// derived in [`ops::add`](crate::ops::add).
impl<T: Real> core::ops::Add for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn add(self, other: Self) -> Self {
        binary::assert_broadcast("add", self, other);
        self.tape.record(Op::Add(Add), &[self, other])
    }
}

impl<T: Real> Operation<T> for Add {
    const NAME: &'static str = "add";

    fn forward(&self, f: &mut Forward<'_, T>) {
        binary::forward(f, Binary::Add);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        for k in 0..2 {
            let (kernels, dy) = (b.kernels(), b.dy());
            if let Some(dx) = b.grad(k) {
                kernels.sum_to(T::one(), dy, dx);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check_binary;

    #[test]
    fn add_broadcast_row_has_expected_value_and_gradients() {
        let (a, b) = ([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]);
        check_binary(a, b, |a, b| a + b, [[11.0, 22.0], [13.0, 24.0]], [[1.0, 10.0], [100.0, 1000.0]], [101.0, 1010.0]);
    }
}
