//! A middle layer whose backward uses the layer's output as its input.

use autograd::Tape;
use autograd::gradcheck::{Report, by_hand};
use tensor::Tensor;

use super::stack::{layer_inputs, project_input, stack};
use super::tools::{H, evaluate};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "middle layer",
    file: file!(),
    title: "Wrong only in the middle layer",
    year: Some(2020),
    sources: &["https://github.com/apache/mxnet/issues/17898", "https://github.com/apache/mxnet/pull/18203"],
    mistake: "MXNet's GRU without oneDNN ran its backward from the last layer to the first, and set the pointer to a \
              layer's input to the layer's output. The last layer got its pointer before the loop, and the first one \
              had its own branch. Every layer between them multiplied its gradients by its own states.",
    lesson: "One layer is a case, two are two cases, and only three have a middle. The same holds for time: the first \
             step, the last step, and a step between.",
    wrong_report: || check(3, false),
    wrong_inputs: &["w_ih of layer 1"],
    diagnosis: None,
    right_report: || check(3, true),
    weak_test: WeakTest { description: "a GRU of two layers", passes: || check(2, false).is_ok() },
};

fn check(layers: usize, right: bool) -> Report {
    by_hand(|x| evaluate(&stack, x), |x, dy| backward(right, x, dy), &layer_inputs(layers))
}

/// Computes the gradients by the tape, except dW_ih = dgxᵀ·x, which is computed here.
fn backward(right: bool, x: &[Tensor<f64>], dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let vars: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
    let (mut states, mut gx_of_layer) = (vec![vars[0]], Vec::new());
    for weights in vars[1..].chunks(4) {
        let gx = project_input(states[gx_of_layer.len()], weights);
        let h0 = tape.constant(Tensor::zeros([gx.shape()[1], H]));
        states.push(gx.gru(h0, weights[1], weights[3]));
        gx_of_layer.push(gx);
    }
    let last = gx_of_layer.len() - 1;
    states[last + 1].backward_from(dy).expect("there are inputs only");
    let mut gradients: Vec<_> = vars.iter().map(|x| x.grad().expect("reached")).collect();
    for (l, gx) in gx_of_layer.iter().enumerate() {
        let between = 0 < l && l < last;
        let x = states[if between && !right { l + 1 } else { l }].value();
        gradients[1 + 4 * l] = rows(&gx.grad().expect("reached")).transpose().matmul(&rows(&x));
    }
    gradients
}

/// Reshapes \[T,B,…\] to \[T·B,…\].
fn rows(x: &Tensor<f64>) -> Tensor<f64> {
    x.reshape([x.shape()[0] * x.shape()[1], x.shape()[2]])
}
