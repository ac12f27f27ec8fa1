//! A normalisation with a fast path that has no backward.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};
use tensor::Tensor;

use super::custom_rule::record_with_backward;
use super::tools::{H, gru_inputs, named_input, random_tensor};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "severed",
    file: file!(),
    title: "A fast path without a backward",
    year: Some(2024),
    sources: &[
        "https://github.com/huggingface/candle/issues/2168",
        "https://github.com/huggingface/candle/issues/3011",
    ],
    mistake: "The normalisations of the Rust framework candle have a fast path for contiguous tensors, and the fast \
              path has no backward. Everything before it gets no gradient, without an error. The memory layout of its \
              tensors decides if a model trains.",
    lesson: "The layers after the normalisation go on learning, so the loss falls; users searched for days. A missing \
             gradient differs from a gradient of zeros, and a check that visits only existing gradients never notices \
             it. In this engine, a parameter that no gradient reached is an error of the backward pass.",
    wrong_report: || check(false),
    wrong_inputs: &["gx", "h0", "w_hh", "b_hh"],
    diagnosis: Some("no gradient reached gx, though the function depends on it"),
    right_report: || check(true),
    weak_test: WeakTest {
        description: "the gradients that exist: those of the layer after the normalisation",
        passes: passes_after_the_normalisation,
    },
};

/// Applies the head: the GRU's states, each divided by its root mean square, times the head's weights.
fn head<'t>(right: bool, states: Var<'t, f64>, w: Var<'t, f64>) -> Var<'t, f64> {
    let (steps, batch) = (states.shape()[0], states.shape()[1]);
    let rows = states.reshape([steps * batch, H]);
    let normalised = if right { normalise(rows) } else { record_with_backward(&[rows], fast_path, |_, _| vec![None]) };
    normalised.matmul(w)
}

fn normalise(x: Var<'_, f64>) -> Var<'_, f64> {
    x / x.square().mean_axis(1).shift(1e-5).sqrt().reshape([x.shape()[0], 1])
}

fn fast_path(x: &[Tensor<f64>]) -> Tensor<f64> {
    let rows = x[0].to_vec();
    let scaled = rows.chunks(H).flat_map(|row| {
        let scale = (row.iter().map(|x| x * x).sum::<f64>() / H as f64 + 1e-5).sqrt();
        row.iter().map(move |x| x / scale)
    });
    Tensor::new(x[0].shape(), scaled.collect())
}

fn head_weights() -> Input {
    named_input("head", 5, [H, 4])
}

fn check(right: bool) -> Report {
    let [gx, h0, w_hh, b_hh] = gru_inputs(2);
    richardson(|_, x| head(right, x[0].gru(x[1], x[2], x[3]), x[4]), &[gx, h0, w_hh, b_hh, head_weights()])
}

fn passes_after_the_normalisation() -> bool {
    let states = random_tensor(6, [2, 2, H]);
    richardson(|tape, x| head(false, tape.constant(states.clone()), x[0]), &[head_weights()]).is_ok()
}
