//! The reset gate before the product with the state, where it should be after it.

use autograd::gradcheck::{Report, by_hand};
use autograd::{Tape, Var};
use tensor::Tensor;

use super::tools::{B, H, OnTape, composed, gradients, gru, gru_inputs, state_part, value};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "reset variant",
    file: file!(),
    title: "Two networks, one name",
    year: Some(2025),
    sources: &[
        "https://github.com/tracel-ai/burn/issues/2701",
        "https://github.com/microsoft/onnxscript/issues/2852",
        "https://github.com/keras-team/keras/pull/9112",
    ],
    mistake: "There are two GRUs: PyTorch's and cuDNN's multiply the state by its matrix and then by the reset gate; \
              those of most papers, of Keras at first and of ONNX by default do it the other way round. burn's was the one where \
              people expected the other, and an exporter to ONNX forgot the flag that tells them apart: weights loaded \
              without an error, and all results a little wrong.",
    lesson: "From a state of zeros the two are the same network: the first step of every test that starts there passes. \
             Start from a state that is drawn, and compare with the other variant before looking for a subtler reason.",
    wrong: || check(before),
    wrong_in: &["gx", "h0", "w", "b"],
    says: Some("it is the gradient of the GRU whose reset gate comes before the product"),
    right: || check(gru),
    weak: Weak { test: "one step from a state of zeros, without biases", passes: weak },
};

/// K. Cho et al. (2014), equation 8: n = tanh(gx_n + U_n·(r·h₋) + b_n).
fn before<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    composed(x, |r, h| state_part(x, r * h, 2))
}

/// PyTorch's values, with the gradients of `f`.
fn check(f: impl OnTape) -> Report {
    let inputs = gru_inputs(2);
    let report = by_hand(|x| value(&gru, x), |x, dy| gradients(&f, x, dy), &inputs);
    report.suspect("the GRU whose reset gate comes before the product", before, &inputs)
}

fn weak() -> bool {
    let [gx, _, w, _] = gru_inputs(1);
    let from_zeros =
        |gx: &[Tensor<f64>]| [gx[0].clone(), Tensor::zeros([B, H]), w.value.clone(), Tensor::zeros([3 * H])];
    let of_gx = |gx: &[Tensor<f64>], dy: &Tensor<f64>| gradients(&before, &from_zeros(gx), dy)[..1].to_vec();
    by_hand(|gx| value(&gru, &from_zeros(gx)), of_gx, &[gx]).is_ok()
}
