//! L5: T steps of a recurrence are T times one step.

use crate::Case;
use autograd::gradcheck::{Pass, cotangent};
use autograd::{Tape, Var};

use super::Verdict;
use super::pass::{gradients, near, pass};

/// True for a [recurrent](field@Case::recurrent) case.
pub fn has_steps(case: &Case) -> bool {
    case.recurrent
}

/// The states and gradients of T steps at once are those of one step T times, each from the state before. Says nothing of
/// a case that [has none](has_steps).
///
/// # Errors
/// If not.
pub fn goes_step_by_step(case: &Case) -> Verdict {
    if !has_steps(case) {
        return Ok(());
    }
    let inputs = case.values();
    let together = pass(case, 1);
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let (mut state, mut states) = (x[1], Vec::new());
    for t in 0..inputs[0].shape()[0] {
        let one = [&[x[0].slice(0, t..t + 1), state], &x[2..]].concat();
        state = case.f.on_numbers(&tape, &one).select(0, 0);
        states.push(state);
    }
    let apart = Pass::back(Var::stack(&states), &x, |shape| cotangent(shape, 1));
    near("the states", &apart.y, &together.y, 1e-13)?;
    let want = gradients(together, &inputs)?;
    for (k, (got, want)) in gradients(apart, &inputs)?.iter().zip(&want).enumerate() {
        near(&format!("input {k}"), got, want, 1e-13)?;
    }
    Ok(())
}
