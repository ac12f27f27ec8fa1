//! L5: entries that a function does not read have no effect, even if they hold NaN.

use crate::Case;
use autograd::Tape;
use autograd::gradcheck::{draw_cotangent, has_same_bits};
use tensor::Tensor;

use super::Verdict;
use super::pass::{run_case, run_case_at};

/// NaN, and a number whose square is infinite.
const POISON: [f64; 2] = [f64::NAN, 1e300];

/// Finds the entries of each input that the function does not read: a NaN there leaves the value unchanged.
fn find_unread_entries(case: &Case) -> Vec<Vec<usize>> {
    let x = case.values();
    let clean = evaluate(case, &x);
    let is_unread = |k: usize, i: usize| {
        let mut x = x.clone();
        x[k] = with_entries(&x[k], &[i], f64::NAN);
        has_same_bits(&evaluate(case, &x), &clean)
    };
    (0..x.len()).map(|k| (0..x[k].size()).filter(|&i| is_unread(k, i)).collect()).collect()
}

/// Returns true if there is an entry that the function does not read.
pub fn has_unread_entries(case: &Case) -> bool {
    find_unread_entries(case).iter().any(|entries| !entries.is_empty())
}

/// Checks unread entries. Poison in all of them must leave value and gradients unchanged, bit for bit. Their own
/// gradients must be zero.
///
/// # Errors
/// If the check fails.
pub fn check_unread_entries(case: &Case) -> Verdict {
    let (x, unread) = (case.values(), find_unread_entries(case));
    let clean = run_case(case, 1);
    for (k, dx) in clean.gradients.iter().enumerate() {
        let dx = dx.as_ref().map(Tensor::to_vec).unwrap_or_default();
        if let Some(i) = unread[k].iter().find(|&&i| dx.get(i) != Some(&0.0)) {
            return Err(format!("entry {i} of input {k} is not read, but has a gradient"));
        }
    }
    for poison in POISON {
        let poisoned: Vec<_> = x.iter().zip(&unread).map(|(x, at)| with_entries(x, at, poison)).collect();
        if !run_case_at(case, &poisoned, |shape| draw_cotangent(shape, 1)).has_same_bits(&clean) {
            return Err(format!("{poison} in unread entries changed the result"));
        }
    }
    Ok(())
}

fn evaluate(case: &Case, x: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::no_grad();
    let x: Vec<_> = x.iter().map(|x| tape.constant(x.clone())).collect();
    case.f.call_f64(&tape, &x).value()
}

/// Returns the tensor with `number` at some entries.
fn with_entries(x: &Tensor<f64>, at: &[usize], number: f64) -> Tensor<f64> {
    let mut entries = x.to_vec();
    at.iter().for_each(|&i| entries[i] = number);
    Tensor::new(x.shape(), entries)
}
