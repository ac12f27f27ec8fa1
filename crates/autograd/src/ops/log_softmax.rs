//! The logarithm of softmax along the last axis.
//!
//! - Forward: y_i = x_i − m − ln Σ_j e^(x_j − m) per row of x\[…,N\], with m the row's maximum. It stays exact
//!   where softmax itself would underflow.
//! - Backward: dx_i += dy_i − e^(y_i)·Σ_j dy_j. Keeps the value.
//! - Why: ∂y_i/∂x_j = δ_ij − softmax(x)_j.
//! - Cost per row: N exponentials, a logarithm and 4N flops forward, N exponentials and 3N flops backward.
//! - Reference: I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), section 4.1 on underflow and
//!   overflow, 6.2.2.3 on its use.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct LogSoftmax;

impl<T: Real> Var<'_, T> {
    /// Computes the logarithm of softmax along the last axis.
    ///
    /// Gradient: dx_i += dy_i − e^(y_i)·Σ_j dy_j; derived in [`ops::log_softmax`](crate::ops::log_softmax).
    ///
    /// # Panics
    /// If this value has no axes, or if the last axis is empty.
    #[track_caller]
    pub fn log_softmax(self) -> Self {
        assert!(
            self.shape().last().is_some_and(|&n| n > 0),
            "log_softmax: the last axis of {} is missing or empty",
            self.shape()
        );
        self.tape.record(Op::LogSoftmax(LogSoftmax), &[self])
    }
}

impl<T: Real> Operation<T> for LogSoftmax {
    const NAME: &'static str = "log_softmax";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
        kernels.log_softmax(x, f.output(shape));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, y, dy) = (b.kernels(), b.output(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.log_softmax_backward(y, dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn log_softmax_gradient_matches_differences() {
        check_against_differences(&[Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]])], |x| x[0].log_softmax());
    }

    #[test]
    fn log_softmax_large_logits_do_not_overflow() {
        let x = Tensor::from([[1000.0, -1000.0, 1000.0]]);
        let y = Tape::<f64>::new().input(x).log_softmax().value().to_vec();
        let want = [-core::f64::consts::LN_2, -2000.0 - core::f64::consts::LN_2, -core::f64::consts::LN_2];
        assert!(y.iter().zip(want).all(|(y, want)| (y - want).abs() < 1e-12), "{y:?} is not {want:?}");
    }
}
