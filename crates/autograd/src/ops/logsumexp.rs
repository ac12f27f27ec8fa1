//! The logarithm of a sum of exponentials along the last axis.
//!
//! - Forward: y = m + ln Σ_j e^(x_j − m) per row of x\[…,N\], with m the row's maximum; the axis is removed.
//! - Backward: dx_j += dy·e^(x_j − y). Keeps the input and the value.
//! - Why: ∂y/∂x_j = e^(x_j) / Σ_k e^(x_k).
//! - Cost per row: N exponentials, a logarithm and 2N flops forward, N exponentials and 3N flops backward.
//! - Reference: P. Blanchard, D. Higham, N. Higham, "Accurately Computing the Log-Sum-Exp and Softmax Functions"
//!   (2021), equations 1.1 to 1.4.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct LogSumExp;

impl<T: Real> Var<'_, T> {
    /// Computes ln Σ eˣ along the last axis, and removes the axis.
    ///
    /// Gradient: dx_j += dy·e^(x_j − y); derived in [`ops::logsumexp`](crate::ops::logsumexp).
    ///
    /// # Panics
    /// If this value has no axes, or if the last axis is empty.
    #[track_caller]
    pub fn logsumexp(self) -> Self {
        assert!(
            self.shape().last().is_some_and(|&n| n > 0),
            "logsumexp: the last axis of {} is missing or empty",
            self.shape()
        );
        self.tape.record(Op::LogSumExp(LogSumExp), &[self])
    }
}

impl<T: Real> Operation<T> for LogSumExp {
    const NAME: &'static str = "logsumexp";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
        kernels.logsumexp(x, f.output(shape.without_axis(shape.rank() - 1)));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, x, y, dy) = (b.kernels(), b.input(0), b.output(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.logsumexp_backward(x, y, dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn logsumexp_gradient_matches_differences() {
        check_against_differences(&[Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]])], |x| x[0].logsumexp());
    }

    #[test]
    fn logsumexp_large_logits_do_not_overflow() {
        let y = Tape::<f64>::new().input(Tensor::from([1000.0, 1000.0])).logsumexp().value().item();
        assert_eq!(y, 1000.0 + core::f64::consts::LN_2);
    }
}
