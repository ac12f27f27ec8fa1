//! Each step starts from a state that is cut off from the one before.

use autograd::gradcheck::{Report, duals, richardson};
use autograd::{Var, function};
use tensor::Real;

use super::tools::gru_inputs;
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "detach",
    file: file!(),
    title: "Through time, but never back",
    year: Some(2023),
    sources: &["https://github.com/CaptainE/RNN-LSTM-in-numpy/issues/1"],
    mistake: "A tutorial's LSTM in NumPy computes the gradients of the state before, and the loop over time does not \
              pass them on: each step begins with the zeros of the first. It is what a detach at every step does to a \
              tape, and so it is shown here, in a GRU. (The issue names a second mistake: a gate's slope is the sigmoid \
              where it should be its derivative.)",
    lesson: "Gradients of the last step are right and the loss falls, so nothing looks broken; only what happened long \
             ago is never learnt. And choose the witness: duals follow the same graph and call what is detached a \
             constant, so that they agree with the mistake. Differences know nothing of the graph.",
    wrong: || check(false),
    wrong_in: &["gx", "h0", "w", "b"],
    says: Some("it is wrong at [0] of axis 0 alone"),
    right: || check(true),
    weak: Weak {
        test: "dual numbers, exact to 1e-13, on the same graph",
        passes: || duals(&function!(|x| states(false, x)), &gru_inputs(2)).is_ok(),
    },
};

fn states<'t, T: Real>(right: bool, x: &[Var<'t, T>]) -> Var<'t, T> {
    let mut before = x[1];
    let step = |t| {
        let h = x[0].slice(0, t..t + 1).gru(before, x[2], x[3]).select(0, 0);
        before = if right { h } else { h.detach() };
        h
    };
    Var::stack(&(0..x[0].shape()[0]).map(step).collect::<Vec<_>>())
}

fn check(right: bool) -> Report {
    richardson(|_, x| states(right, x), &gru_inputs(2))
}
