//! Softmax along the last axis.
//!
//! - Forward: y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row of x\[…,N\], with m the row's maximum. Subtracting m
//!   does not change y, and no exponent is positive.
//! - Backward: dx_i += y_i·(dy_i − Σ_j dy_j·y_j). Keeps the value.
//! - Why: ∂y_i/∂x_j = y_i·(δ_ij − y_j).
//! - Cost per row: N exponentials and 3N flops forward, 5N flops backward.
//! - Reference: J. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs" (1990).

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Softmax;

impl<T: Real> Var<'_, T> {
    /// Computes softmax along the last axis.
    ///
    /// Gradient: dx_i += y_i·(dy_i − Σ_j dy_j·y_j); derived in [`ops::softmax`](crate::ops::softmax).
    ///
    /// # Panics
    /// If this value has no axes, or if the last axis is empty.
    #[track_caller]
    pub fn softmax(self) -> Self {
        assert!(
            self.shape().last().is_some_and(|&n| n > 0),
            "softmax: the last axis of {} is missing or empty",
            self.shape()
        );
        self.tape.record(Op::Softmax(Softmax), &[self])
    }
}

impl<T: Real> Operation<T> for Softmax {
    const NAME: &'static str = "softmax";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
        kernels.softmax(x, f.output(shape));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, y, dy) = (b.kernels(), b.output(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.softmax_backward(y, dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn softmax_gradient_matches_differences() {
        check_against_differences(&[Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]])], |x| x[0].softmax());
    }

    #[test]
    fn softmax_large_logits_do_not_overflow() {
        let x = Tensor::from([[1000.0, -1000.0, 1000.0]]);
        let y = Tape::<f64>::new().input(x).softmax().value().to_vec();
        let want = [0.5, 0.0, 0.5];
        assert!(y.iter().zip(want).all(|(y, want)| (y - want).abs() < 1e-12), "{y:?} is not {want:?}");
    }
}
