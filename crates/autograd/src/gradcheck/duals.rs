//! The exact check: forward mode knows none of the backward rules.

use alloc::vec::Vec;

use tensor::{Dual, Real, Tensor};

use super::check::{On, Reference, check, with_entry};
use super::function::Overloaded;
use super::report::Report;
use crate::tape::Tape;

/// A few roundings of f64 relative to a gradient's largest entry, over sums of some hundred terms.
const TOLERANCE: f64 = 1e-13;

/// Holds the tape's gradients of `f` at `inputs` against the tangents of `f` on dual numbers: one forward run for every
/// entry of every input.
///
/// `f` is called on `f64` and on `Dual<f64>`; [`function!`](crate::function) writes such a function. On duals too
/// a detached value is a constant, and a kink has the slope of the branch taken.
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.1: ⟨dy, ẏ⟩ = ⟨dx, ẋ⟩.
pub fn duals(f: &dyn Overloaded, inputs: &[Tensor<f64>]) -> Report {
    let lifted: Vec<Tensor<Dual<f64>>> = inputs.iter().map(Tensor::cast).collect();
    let mut tape = Tape::evaluating();
    check(Report::new("duals", TOLERANCE), &|tape, x| f.on_numbers(tape, x), inputs, &mut |pass, k| {
        let dy = pass.dy.to_vec();
        let slope = |i| slope(&mut tape, &|tape, x| f.on_duals(tape, x), &lifted, &dy, (k, i));
        Reference { gradient: (0..inputs[k].size()).map(slope).collect(), floor: 0.0 }
    })
}

/// The slope of ⟨dy, f⟩ along entry `i` of input `k`.
fn slope(
    tape: &mut Tape<Dual<f64>>,
    f: &On<Dual<f64>>,
    inputs: &[Tensor<Dual<f64>>],
    dy: &[f64],
    (k, i): (usize, usize),
) -> f64 {
    let seed = Dual::variable(inputs[k].to_vec()[i].value());
    let (tape, x) = with_entry(tape, inputs, (k, i), seed);
    let y = f(tape, &x).value().to_vec();
    assert_eq!(y.len(), dy.len(), "gradcheck: the shape of the result depends on the scalar");
    y.iter().zip(dy).map(|(y, dy)| dy * y.tangent).sum()
}
