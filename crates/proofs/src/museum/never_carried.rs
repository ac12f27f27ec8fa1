//! Every step starts from the initial state; no state is carried to the next step.

use autograd::Var;
use autograd::gradcheck::{Input, Report, richardson};

use super::tools::{B, H, gru_inputs, named_input};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "never carried",
    file: file!(),
    title: "The right gradient of another network",
    year: Some(2025),
    sources: &["https://github.com/tracel-ai/burn/issues/2701"],
    mistake: "The GRU of the Rust framework burn computed each step's new state and did not pass it to the next step. \
              Every output after the first was that of a network without memory.",
    lesson: "A gradient check compares a function with itself: if the function is the wrong one, its gradient is still \
             right by every method. Compare the values with something else (a reference, a plain loop), and test which \
             outputs depend on which inputs. Here the last state does not depend on the first input.",
    wrong_report: || check(false, true),
    wrong_inputs: &["gx of the first step"],
    diagnosis: Some("gx of the first step has no influence"),
    right_report: || check(true, true),
    weak_test: WeakTest { description: "any gradient check of all states", passes: || check(false, false).is_ok() },
};

fn inputs() -> [Input; 5] {
    let [_, h0, w_hh, b_hh] = gru_inputs(1);
    let gx = |seed, step| named_input(&format!("gx of the {step} step"), seed, [1, B, 3 * H]);
    [gx(5, "first"), gx(6, "second"), h0, w_hh, b_hh]
}

fn states<'t>(right: bool, x: &[Var<'t, f64>]) -> [Var<'t, f64>; 2] {
    let first = x[0].gru(x[2], x[3], x[4]).select(0, 0);
    let second = x[1].gru(if right { first } else { x[2] }, x[3], x[4]).select(0, 0);
    [first, second]
}

/// Checks the last state alone (`last`), or both states.
fn check(right: bool, last: bool) -> Report {
    let first = usize::from(last);
    richardson(|_, x| Var::stack(&states(right, x)[first..]), &inputs())
}
