//! Each step starts from a detached state, so no gradient reaches the step before.

use autograd::gradcheck::{Report, duals, richardson};
use autograd::{Var, function};
use tensor::Real;

use super::tools::gru_inputs;
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "detach",
    file: file!(),
    title: "Gradients that stop at each step",
    year: Some(2023),
    sources: &["https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1"],
    mistake: "A tutorial's LSTM in NumPy computes the gradient of the previous state, but its loop over time does not \
              pass it on: each step begins with zeros. A detach at every step has the same effect on a tape, so the \
              exhibit does this in a GRU. (The issue names a second mistake: a gate's slope is the sigmoid instead of \
              its derivative.)",
    lesson: "Gradients of the last step are right and the loss falls, so nothing looks broken; only long dependencies \
             are never learnt. The reference also matters: dual numbers follow the same graph and treat a detached \
             value as a constant, so they agree with the mistake. Differences do not use the graph.",
    wrong_report: || check(false),
    wrong_inputs: &["gx", "h0", "w_hh", "b_hh"],
    diagnosis: Some("it is wrong at [0] of axis 0 alone"),
    right_report: || check(true),
    weak_test: WeakTest {
        description: "dual numbers, exact to 1e-13, on the same graph",
        passes: || duals(&function!(|x| states(false, x)), &gru_inputs(2)).is_ok(),
    },
};

fn states<'t, T: Real>(right: bool, x: &[Var<'t, T>]) -> Var<'t, T> {
    let mut h_prev = x[1];
    let step = |t| {
        let h = x[0].slice(0, t..t + 1).gru(h_prev, x[2], x[3]).select(0, 0);
        h_prev = if right { h } else { h.detach() };
        h
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

fn check(right: bool) -> Report {
    richardson(|_, x| states(right, x), &gru_inputs(2))
}
