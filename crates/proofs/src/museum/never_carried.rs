//! Every step starts from the initial state.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};

use super::tools::{B, H, drawn, gru_inputs};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "never carried",
    file: file!(),
    title: "The right gradient of another network",
    year: Some(2025),
    sources: &["https://github.com/tracel-ai/burn/issues/2701"],
    mistake: "The GRU of the Rust framework burn computed each step's new state and did not give it to the next step: \
              every output after the first was that of a network without memory.",
    lesson: "A gradient check compares a function with itself: if the function is the wrong one, its gradient is right, \
             by every method. Anchor the values somewhere else (a reference, a naive loop), and ask what depends on \
             what: here the last state does not depend on the first input.",
    wrong: || check(false, true),
    wrong_in: &["gx of the first step"],
    says: Some("gx of the first step has no influence"),
    right: || check(true, true),
    weak: Weak { test: "any gradient check of all states", passes: || check(false, false).is_ok() },
};

fn inputs() -> [Input; 5] {
    let [_, h0, w, b] = gru_inputs(1);
    let gx = |seed, step| drawn(&format!("gx of the {step} step"), seed, [1, B, 3 * H]);
    [gx(5, "first"), gx(6, "second"), h0, w, b]
}

fn states<'t>(right: bool, x: &[Var<'t, f64>]) -> [Var<'t, f64>; 2] {
    let first = x[0].gru(x[2], x[3], x[4]).select(0, 0);
    let second = x[1].gru(if right { first } else { x[2] }, x[3], x[4]).select(0, 0);
    [first, second]
}

/// Of the last state alone, or of both.
fn check(right: bool, last: bool) -> Report {
    let asked = usize::from(last);
    richardson(|_, x| Var::stack(&states(right, x)[asked..]), &inputs())
}
