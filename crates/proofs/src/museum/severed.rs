//! A normalisation that is fast, and has no backward.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};
use tensor::Tensor;

use super::rule::rule;
use super::tools::{H, draw, drawn, gru_inputs};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "severed",
    file: file!(),
    title: "The loss still falls",
    year: Some(2024),
    sources: &[
        "https://github.com/huggingface/candle/issues/2168",
        "https://github.com/huggingface/candle/issues/3011",
    ],
    mistake: "The normalisations of the Rust framework candle have a fast path for tensors that lie in one piece, and the \
              fast path has no backward: everything before it gets no gradient, without an error. Whether a model trains \
              depends on how its tensors lie in memory.",
    lesson: "What lies behind the cut goes on learning, so the loss falls; users looked for days. No gradient is another \
             answer than a gradient of zeros, and a check that goes through the gradients that are there will never \
             miss one. Here a parameter that no gradient reached is an error of the backward pass itself.",
    wrong: || check(false),
    wrong_in: &["gx", "h0", "w", "b"],
    says: Some("no gradient reached gx, though the function depends on it"),
    right: || check(true),
    weak: Weak { test: "the gradients that came back: those of the layer after the cut", passes: after_the_cut },
};

/// A GRU's states, each divided by its root mean square, times the head's weights.
fn head<'t>(right: bool, states: Var<'t, f64>, w: Var<'t, f64>) -> Var<'t, f64> {
    let (steps, batch) = (states.shape()[0], states.shape()[1]);
    let rows = states.reshape([steps * batch, H]);
    let normalised = if right { normalise(rows) } else { rule(&[rows], fast, |_, _| vec![None]) };
    normalised.matmul(w)
}

fn normalise(x: Var<'_, f64>) -> Var<'_, f64> {
    x / x.square().mean_axis(1).shift(1e-5).sqrt().reshape([x.shape()[0], 1])
}

fn fast(x: &[Tensor<f64>]) -> Tensor<f64> {
    let rows = x[0].to_vec();
    let scaled = rows.chunks(H).flat_map(|row| {
        let scale = (row.iter().map(|x| x * x).sum::<f64>() / H as f64 + 1e-5).sqrt();
        row.iter().map(move |x| x / scale)
    });
    Tensor::new(x[0].shape(), scaled.collect())
}

fn weights() -> Input {
    drawn("head", 5, [H, 4])
}

fn check(right: bool) -> Report {
    let [gx, h0, w, b] = gru_inputs(2);
    richardson(|_, x| head(right, x[0].gru(x[1], x[2], x[3]), x[4]), &[gx, h0, w, b, weights()])
}

fn after_the_cut() -> bool {
    let states = draw(6, [2, 2, H]);
    richardson(|tape, x| head(false, tape.constant(states.clone()), x[0]), &[weights()]).is_ok()
}
