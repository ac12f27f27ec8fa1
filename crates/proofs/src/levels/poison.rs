//! L5: what a function does not read changes nothing, whatever it is.

use crate::Case;
use autograd::Tape;
use autograd::gradcheck::{cotangent, same_bits};
use tensor::Tensor;

use super::Verdict;
use super::pass::{pass, pass_at};

/// Not a number, and a number whose square is infinite.
const POISON: [f64; 2] = [f64::NAN, 1e300];

/// Where no number that is not finite gets through to the value: of each input, the entries that are not read.
fn unread(case: &Case) -> Vec<Vec<usize>> {
    let x = case.values();
    let clean = value(case, &x);
    let is_unread = |k: usize, i: usize| {
        let mut x = x.clone();
        x[k] = with(&x[k], &[i], f64::NAN);
        same_bits(&value(case, &x), &clean)
    };
    (0..x.len()).map(|k| (0..x[k].size()).filter(|&i| is_unread(k, i)).collect()).collect()
}

/// Whether there is an entry that it does not read.
pub fn leaves_unread(case: &Case) -> bool {
    unread(case).iter().any(|entries| !entries.is_empty())
}

/// Poison in every entry that is not read leaves value and gradients as they were, bit for bit, and those entries' own
/// gradients are zero.
///
/// # Errors
/// If not.
pub fn withstands_poison(case: &Case) -> Verdict {
    let (x, unread) = (case.values(), unread(case));
    let clean = pass(case, 1);
    for (k, dx) in clean.gradients.iter().enumerate() {
        let dx = dx.as_ref().map(Tensor::to_vec).unwrap_or_default();
        if let Some(i) = unread[k].iter().find(|&&i| dx.get(i) != Some(&0.0)) {
            return Err(format!("entry {i} of input {k} is not read, and has a gradient"));
        }
    }
    for poison in POISON {
        let poisoned: Vec<_> = x.iter().zip(&unread).map(|(x, at)| with(x, at, poison)).collect();
        if !pass_at(case, &poisoned, |shape| cotangent(shape, 1)).has_the_bits_of(&clean) {
            return Err(format!("{poison} where nothing is read got through"));
        }
    }
    Ok(())
}

fn value(case: &Case, x: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::evaluating();
    let x: Vec<_> = x.iter().map(|x| tape.constant(x.clone())).collect();
    case.f.on_numbers(&tape, &x).value()
}

/// The same tensor with another number at some entries.
fn with(x: &Tensor<f64>, at: &[usize], number: f64) -> Tensor<f64> {
    let mut entries = x.to_vec();
    at.iter().for_each(|&i| entries[i] = number);
    Tensor::new(x.shape(), entries)
}
