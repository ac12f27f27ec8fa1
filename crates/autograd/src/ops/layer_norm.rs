//! Layer normalisation.
//!
//! - Forward, per row of x\[…,N\]: μ = mean x, s = 1/√(mean (x − μ)² + ε), x̂ = (x − μ)·s, y = x̂·w + b, with w\[N\], b\[N\].
//! - Backward, with g = dy·w: dx += s·(g − mean g − x̂·mean(g·x̂)); dw += Σ_rows dy·x̂; db += Σ_rows dy. Keeps μ and s.
//! - Why: x̂ does not change when x is shifted or scaled, so dx has no component along 1 or along x̂. The two means remove
//!   these components.
//! - Cost per row: about 8N flops forward, 14N backward; two numbers kept.
//! - Reference: J. Ba, J. Kiros, G. Hinton, "Layer Normalization" (2016), equation 4; PyTorch
//!   uses the biased variance too.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct LayerNorm<T> {
    epsilon: T,
}

impl<T: Real> Var<'_, T> {
    /// Normalises each row to mean 0 and variance 1, then multiplies by w\[N\] and adds b\[N\].
    ///
    /// Gradients, with g = dy·w: dx += s·(g − mean g − x̂·mean(g·x̂)); dw += Σ_rows dy·x̂; db += Σ_rows dy;
    /// derived in [`ops::layer_norm`](crate::ops::layer_norm).
    ///
    /// # Panics
    /// If w or b is not a vector as long as a row.
    #[track_caller]
    pub fn layer_norm(self, w: Self, b: Self, epsilon: T) -> Self {
        let (x, width) = (self.shape(), self.shape().last_extent());
        let fits = x.rank() > 0 && w.shape()[..] == [width] && b.shape()[..] == [width];
        assert!(
            fits,
            "layer_norm: x {x}, weight {}, bias {}: weight and bias must be as long as a row of x",
            w.shape(),
            b.shape()
        );
        self.tape.record(Op::LayerNorm(LayerNorm { epsilon }), &[self, w, b])
    }
}

impl<T: Real> Operation<T> for LayerNorm<T> {
    const NAME: &'static str = "layer_norm";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("epsilon={}", self.epsilon)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, w, b) = (f.kernels(), f.input(0), f.input(1), f.input(2));
        let shape = x.shape();
        let (y, stats) = f.output_and_kept(shape, shape.with_extent(shape.rank() - 1, 2));
        kernels.layer_norm(x, w, b, self.epsilon, y, stats);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        let (x, w, stats) = (b.input(0), b.input(1), b.kept());
        if let Some(dx) = b.grad(0) {
            kernels.layer_norm_backward(x, w, stats, dy, Some(dx), None);
        }
        if let Some(dw) = b.grad(1) {
            kernels.layer_norm_backward(x, w, stats, dy, None, Some(dw));
        }
        if let Some(db) = b.grad(2) {
            kernels.sum_to(T::one(), dy, db);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn layer_norm_gradients_match_differences() {
        let x = Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]]);
        let (w, b) = (Tensor::from([1.0, -2.0, 0.5]), Tensor::from([0.1, 0.2, 0.3]));
        check_against_differences(&[x, w, b], |x| x[0].layer_norm(x[1], x[2], 1e-5));
    }

    #[test]
    #[should_panic(
        expected = "layer_norm: x [2, 3], weight [2], bias [3]: weight and bias must be as long as a row of x"
    )]
    fn layer_norm_wrong_shapes_panic_with_all_shapes() {
        let tape = crate::Tape::<f64>::new();
        let zeros = |n| tape.input(Tensor::zeros([n]));
        let _ = tape.input(Tensor::zeros([2, 3])).layer_norm(zeros(2), zeros(3), 1e-5);
    }

    #[test]
    #[should_panic(expected = "layer_norm: x [], weight [1], bias [1]: weight and bias must be as long as a row of x")]
    fn layer_norm_scalar_panics() {
        let tape = crate::Tape::<f64>::new();
        let zeros = |n| tape.input(Tensor::zeros([n]));
        let _ = tape.input(Tensor::scalar(1.0)).layer_norm(zeros(1), zeros(1), 1e-5);
    }
}
