//! The entropy of the distribution in each row of log-probabilities.
//!
//! - Forward: y = −Σ_j e^(x_j)·x_j per row of log-probabilities x\[…,A\], with 0·ln 0 = 0; the axis is removed.
//! - Backward: dx_j += −(1 + x_j)·e^(x_j)·dy, and 0 where x_j = −∞. Keeps the input.
//! - Why: ∂(−x·eˣ)/∂x = −(1 + x)·eˣ. Like −x·eˣ, it tends to 0 as x → −∞. After a log-softmax of logits l, with p = eˣ, the
//!   gradient is dl_j = −p_j·(ln p_j + y)·dy. A masked action, whose logit is −∞, gets exactly 0.
//! - Cost per element: an exponential and 3 flops forward, an exponential and 5 flops backward.
//! - Reference: T. Cover and J. Thomas, *Elements of Information Theory* (2006), equation 2.1 and the convention below it.

use tensor::{Map, Real, Reduce};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Entropy;

impl<T: Real> Var<'_, T> {
    /// Computes the entropy −Σ p·ln p, in nats, of each row of log-probabilities \[…,A\]. The last axis is removed. An action
    /// of probability 0, whose log-probability is −∞, adds 0.
    ///
    /// Rows must be log-probabilities; [`log_softmax`](Self::log_softmax) computes them from logits.
    ///
    /// Gradient: dx_j += −(1 + x_j)·e^(x_j)·dy; derived in [`ops::entropy`](crate::ops::entropy).
    ///
    /// # Panics
    /// If this value has no axes.
    #[track_caller]
    pub fn entropy(self) -> Self {
        assert!(self.shape().rank() > 0, "entropy: {} has no last axis", self.shape());
        self.tape.record(Op::Entropy(Entropy), &[self])
    }
}

impl<T: Real> Operation<T> for Entropy {
    const NAME: &'static str = "entropy";

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
        let axis = shape.rank() - 1;
        let (y, mut terms) = f.output_and_kept(shape.without_axis(axis), shape);
        kernels.map(Map::EntropyTerm, x, terms.reborrow());
        kernels.reduce(Reduce::Sum, terms.view(), axis, y);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, x, dy) = (b.kernels(), b.input(0), b.dy());
        if let Some(dx) = b.grad(0) {
            let shape = dx.shape();
            let dy = dy.reshape(shape.with_extent(shape.rank() - 1, 1)).expect("gradients are contiguous");
            kernels.map_backward(Map::EntropySlope, x, dy.broadcast_to(shape), dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::f64::consts::LN_2;

    use tensor::{Real, Tensor};

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn entropy_of_logits_and_of_log_probabilities_matches_differences() {
        let logits = Tensor::from([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]]);
        check_against_differences(core::slice::from_ref(&logits), |x| x[0].log_softmax().entropy());
        check_against_differences(&[logits], |x| x[0].entropy());
    }

    /// Returns the entropy of softmax(logits) and its gradient.
    fn entropy_of_logits<T: Real, const A: usize>(logits: [T; A]) -> (T, alloc::vec::Vec<T>) {
        let tape = Tape::new();
        let logits = tape.input(Tensor::from(logits));
        let entropy = logits.log_softmax().entropy();
        entropy.backward().expect("no parameters");
        (entropy.value().item(), logits.grad().expect("reached").to_vec())
    }

    #[test]
    fn entropy_masked_logit_adds_nothing() {
        let (entropy, gradient) = entropy_of_logits([0.0, 0.0, f64::NEG_INFINITY]);
        assert!((entropy - LN_2).abs() < 1e-15 && gradient == [0.0; 3], "{entropy} {gradient:?}");
        let (_, gradient) = entropy_of_logits([0.3, -0.2, f64::NEG_INFINITY]);
        // p·(1 − p)·(l₂ − l₁), with p = σ(0.5)
        let p = 1.0 / (1.0 + (-0.5_f64).exp());
        let slope = p * (1.0 - p) * -0.5;
        assert!((slope + 0.117_50).abs() < 1e-5);
        assert!((gradient[0] - slope).abs() < 1e-15 && (gradient[1] + slope).abs() < 1e-15, "{gradient:?}");
        assert_eq!(gradient[2], 0.0);
    }

    /// With δ the difference of the two unmasked logits and p = σ(δ): H′ = −δ·p(1 − p), so H″ = −p(1 − p)·(1 + δ·(1 − 2p)).
    #[test]
    fn entropy_masked_logit_has_zero_second_derivative() {
        let logits = Tensor::from([0.3, -0.2, f64::NEG_INFINITY]);
        let p = 1.0 / (1.0 + (-0.5_f64).exp());
        let second = -p * (1.0 - p) * (1.0 + 0.5 * (1.0 - 2.0 * p));
        for (along, want) in [([1.0, 0.0, 0.0], [second, -second, 0.0]), ([0.0, 0.0, 1.0], [0.0; 3])] {
            let tape = Tape::new();
            let logits = tape.input(Tensor::dual(&logits, &Tensor::from(along)));
            logits.log_softmax().entropy().backward().expect("no parameters");
            let got = logits.grad().expect("reached").tangents().to_vec();
            assert!(
                got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-15),
                "{along:?}: {got:?}, not {want:?}"
            );
        }
    }

    #[test]
    fn entropy_logits_near_the_limits_of_f32_is_finite() {
        let (entropy, gradient) = entropy_of_logits([1.75e38_f32, -1.75e38, 1.75e38, -1.75e38]);
        assert!((f64::from(entropy) - LN_2).abs() < 1e-6 && gradient == [0.0; 4], "{entropy} {gradient:?}");
        assert_eq!(entropy_of_logits([f32::MAX]), (0.0, alloc::vec![0.0]));
    }

    /// A weight of 0 must not turn a masked logit into NaN.
    #[test]
    fn entropy_scaled_by_zero_has_zero_gradient() {
        let tape = Tape::new();
        let logits = tape.input(Tensor::from([0.3, f64::NEG_INFINITY]));
        let loss = logits.log_softmax().entropy().scale(0.0);
        loss.backward().expect("no parameters");
        assert_eq!((loss.value().item(), logits.grad().expect("reached").to_vec()), (0.0, alloc::vec![0.0; 2]));
    }
}
