//! An operation with a custom forward and backward.

use autograd::{Backward, CustomOp, Forward, Var};
use tensor::{Tensor, View};

/// Records `forward` with `backward` as its rule. `backward` gets the inputs and the gradient of the value, and returns
/// the gradient of each input, or `None` for an input that gets no gradient.
pub(super) fn record_with_backward<'t>(
    inputs: &[Var<'t, f64>],
    forward: impl Fn(&[Tensor<f64>]) -> Tensor<f64> + Send + 'static,
    backward: impl Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Option<Tensor<f64>>> + Send + 'static,
) -> Var<'t, f64> {
    inputs[0].tape().custom(Rule { forward, backward }, inputs)
}

struct Rule<F, B> {
    forward: F,
    backward: B,
}

impl<F, B> CustomOp<f64> for Rule<F, B>
where
    F: Fn(&[Tensor<f64>]) -> Tensor<f64> + Send,
    B: Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Option<Tensor<f64>>> + Send,
{
    fn name(&self) -> &str {
        "rule"
    }

    fn forward(&self, f: &mut Forward<'_, f64>) {
        let x: Vec<_> = (0..f.arity()).map(|k| tensor(f.input(k))).collect();
        let y = (self.forward)(&x);
        f.output(y.shape()).assign(&y.to_vec());
    }

    fn backward(&self, b: &mut Backward<'_, f64>) {
        let kernels = b.kernels();
        let x: Vec<_> = (0..b.arity()).map(|k| tensor(b.input(k))).collect();
        for (k, gradient) in (self.backward)(&x, &tensor(b.dy())).into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            if let Some(dx) = b.grad(k) {
                kernels.sum_to(1.0, gradient.view(), dx);
            }
        }
    }
}

fn tensor(view: View<f64>) -> Tensor<f64> {
    Tensor::new(view.shape(), view.to_vec())
}
