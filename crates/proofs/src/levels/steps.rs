//! L5: T steps of a recurrence equal one step, taken T times.

use crate::Case;
use autograd::gradcheck::{Pass, draw_cotangent};
use autograd::{Tape, Var};

use super::Verdict;
use super::pass::{check_close, checked_gradients, run_case};

/// Returns true for a [recurrent](field@Case::recurrent) case.
pub fn is_recurrent(case: &Case) -> bool {
    case.recurrent
}

/// Checks that the states and gradients of T steps at once equal those of T single steps, each from the previous
/// state. A case that is not [recurrent](is_recurrent) passes.
///
/// # Errors
/// If the check fails.
pub fn check_step_by_step(case: &Case) -> Verdict {
    if !is_recurrent(case) {
        return Ok(());
    }
    let inputs = case.values();
    let together = run_case(case, 1);
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let (mut state, mut states) = (x[1], Vec::new());
    for t in 0..inputs[0].shape()[0] {
        let step_inputs = [&[x[0].slice(0, t..t + 1), state], &x[2..]].concat();
        state = case.f.call_f64(&tape, &step_inputs).select(0, 0);
        states.push(state);
    }
    let apart = Pass::run_backward(Var::stack(&states), &x, |shape| draw_cotangent(shape, 1));
    check_close("the states", &apart.y, &together.y, 1e-13)?;
    let want = checked_gradients(together, &inputs)?;
    for (k, (got, want)) in checked_gradients(apart, &inputs)?.iter().zip(&want).enumerate() {
        check_close(&format!("input {k}"), got, want, 1e-13)?;
    }
    Ok(())
}
