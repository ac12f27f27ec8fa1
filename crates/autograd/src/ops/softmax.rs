//! Softmax along the last axis.
//!
//! - Forward: y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row of x\[…,N\], with m the row's maximum, which changes nothing but the
//!   range: no exponent is positive.
//! - Backward: dx_i += y_i·(dy_i − Σ_j dy_j·y_j). Keeps the value.
//! - Why: ∂y_i/∂x_j = y_i·(δ_ij − y_j).
//! - Cost: N exponentials and 3N flops a row forward, 5N flops backward.
//! - Reference: J. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs" (1990).

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Softmax;

impl<T: Real> Var<'_, T> {
    /// Softmax along the last axis.
    ///
    /// # Panics
    /// If there is no axis, or the last one is empty.
    #[track_caller]
    pub fn softmax(self) -> Self {
        assert!(self.shape().last().is_some_and(|&n| n > 0), "softmax: {} has no rows", self.shape());
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
    fn gradient() {
        check_against_differences(&[Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]])], |x| x[0].softmax());
    }

    #[test]
    fn large_logits_do_no_harm() {
        let x = Tensor::from([[1000.0, -1000.0, 1000.0]]);
        let y = Tape::<f64>::new().input(x).softmax().value().to_vec();
        let want = [0.5, 0.0, 0.5];
        assert!(y.iter().zip(want).all(|(y, want)| (y - want).abs() < 1e-12), "{y:?} is not {want:?}");
    }
}
