//! The reset gate before the product with the state, instead of after it.

use autograd::gradcheck::{Report, by_hand};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::tools::{B, H, TapeFunction, compute_gradients, evaluate, gru, gru_inputs, project_hidden, unroll_composed};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "reset variant",
    file: file!(),
    title: "Two networks with one name",
    year: Some(2025),
    sources: &[
        "https://github.com/tracel-ai/burn/issues/2701",
        "https://github.com/microsoft/onnxscript/issues/2852",
        "https://github.com/keras-team/keras/pull/9112",
    ],
    mistake: "There are two GRUs. In PyTorch and cuDNN the reset gate multiplies the product of the state and its \
              matrix. In most papers, in early Keras and in ONNX by default it multiplies the state before the \
              product. burn had the form that its users did not expect, and an exporter to ONNX did not set the flag \
              that selects the form. The weights loaded without an error, and all results were a little wrong.",
    lesson: "From a zero state the two are the same network, so the first step of every test that starts there passes. \
             Start from a random state, and compare with the other variant before you look for a subtler reason.",
    wrong_report: || check(reset_before),
    wrong_inputs: &["gx", "h0", "w_hh", "b_hh"],
    diagnosis: Some("it is the gradient of the GRU whose reset gate comes before the product"),
    right_report: || check(gru),
    weak_test: WeakTest {
        description: "one step from a state of zeros, without biases",
        passes: passes_from_zero_state,
    },
};

/// Computes the variant n = tanh(gx_n + (r·h_prev)·W_hnᵀ + b_hn) of K. Cho et al. (2014), equation 8.
fn reset_before<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    unroll_composed(x, |r, h_prev| project_hidden(x, r * h_prev, 2))
}

/// Checks PyTorch's values with the gradients of `f`.
fn check(f: impl TapeFunction) -> Report {
    let inputs = gru_inputs(2);
    let report = by_hand(|x| evaluate(&gru, x), |x, dy| compute_gradients(&f, x, dy), &inputs);
    report.suspect("the GRU whose reset gate comes before the product", reset_before, &inputs)
}

fn passes_from_zero_state() -> bool {
    let [gx, _, w_hh, _] = gru_inputs(1);
    let from_zeros =
        |gx: &[Tensor<f64>]| [gx[0].clone(), Tensor::zeros([B, H]), w_hh.value.clone(), Tensor::zeros([3 * H])];
    let of_gx =
        |gx: &[Tensor<f64>], dy: &Tensor<f64>| compute_gradients(&reset_before, &from_zeros(gx), dy)[..1].to_vec();
    by_hand(|gx| evaluate(&gru, &from_zeros(gx)), of_gx, &[gx]).is_ok()
}
