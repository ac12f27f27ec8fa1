//! A layer between two layers takes its own output for its input.

use autograd::Tape;
use autograd::gradcheck::{Report, by_hand};
use tensor::Tensor;

use super::stack::{input_part, layer_inputs, stack};
use super::tools::{H, value};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "middle layer",
    file: file!(),
    title: "Right in the first layer, right in the last",
    year: Some(2020),
    sources: &["https://github.com/apache/mxnet/issues/17898", "https://github.com/apache/mxnet/pull/18203"],
    mistake: "MXNet's GRU without oneDNN ran its backward from the last layer to the first, and set the pointer to a \
              layer's input where its output is. The last layer had its pointer from before the loop, the first one had \
              a case of its own; every layer between them multiplied its gradients by its own states.",
    lesson: "One layer is a case, two are two cases, and only three have a middle. The same holds for time: first step, \
             last step, and a step between.",
    wrong: || check(3, false),
    wrong_in: &["w_ih of layer 1"],
    says: None,
    right: || check(3, true),
    weak: Weak { test: "a GRU of two layers", passes: || check(2, false).is_ok() },
};

fn check(layers: usize, right: bool) -> Report {
    by_hand(|x| value(&stack, x), |x, dy| backward(right, x, dy), &layer_inputs(layers))
}

/// The tape's gradients, but dW_ih, which is made by hand from those of the input parts.
fn backward(right: bool, x: &[Tensor<f64>], dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let vars: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
    let (mut states, mut parts) = (vec![vars[0]], Vec::new());
    for weights in vars[1..].chunks(4) {
        let gx = input_part(states[parts.len()], weights);
        let h0 = tape.constant(Tensor::zeros([gx.shape()[1], H]));
        states.push(gx.gru(h0, weights[1], weights[3]));
        parts.push(gx);
    }
    let last = parts.len() - 1;
    states[last + 1].backward_from(dy).expect("there are inputs only");
    let mut gradients: Vec<_> = vars.iter().map(|x| x.grad().expect("reached")).collect();
    for (l, gx) in parts.iter().enumerate() {
        let between = 0 < l && l < last;
        let x = states[if between && !right { l + 1 } else { l }].value();
        gradients[1 + 4 * l] = rows(&gx.grad().expect("reached")).transpose().matmul(&rows(&x));
    }
    gradients
}

/// \[T,B,…\] as \[T·B,…\].
fn rows(x: &Tensor<f64>) -> Tensor<f64> {
    x.reshape([x.shape()[0] * x.shape()[1], x.shape()[2]])
}
