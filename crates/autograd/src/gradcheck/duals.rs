//! The exact check: forward mode knows none of the backward rules.

use alloc::vec::Vec;

use tensor::{Dual, Tensor};

use super::check::{self, ROUNDINGS, Reference, check};
use super::input::Input;
use super::pass::{On, Pass, with_entry};
use super::report::Report;
use crate::function::Overloaded;
use crate::tape::Tape;

/// A few roundings of f64 relative to a gradient's largest entry, over sums of some hundred terms.
const TOLERANCE: f64 = 1e-13;

/// Holds the tape's gradients of `f` at `inputs` against the tangents of `f` on dual numbers: one forward run for every
/// entry of every input.
///
/// `f` is called on `f64` and on `Dual<f64>`; [`function!`](crate::function) writes such a function. On duals too
/// a detached value is a constant, and a kink has the slope of the branch taken. Where large terms cancel, so that rounding is
/// more than the tolerance, a difference is [inconclusive](super::Finding::Inconclusive).
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.1: ⟨dy, ẏ⟩ = ⟨dx, ẋ⟩.
pub fn duals<I: Clone + Into<Input>>(f: &dyn Overloaded, inputs: &[I]) -> Report {
    compare(f, &check::inputs(inputs))
}

fn compare(f: &dyn Overloaded, inputs: &[Input]) -> Report {
    let values = check::values(inputs);
    let lifted: Vec<Tensor<Dual<f64>>> = values.iter().map(Tensor::cast).collect();
    let mut tape = Tape::evaluating();
    let on_numbers: &On<f64> = &|tape, x| f.on_numbers(tape, x);
    let mut run = |times| Pass::on_tape(on_numbers, &values, times);
    check(Report::new("duals", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let mut slope = |i, x| slope(&mut tape, f, &lifted, &pass.dy, (k, i), x);
        let gradient: Vec<f64> = (0..).zip(values[k].to_vec()).map(|(i, x)| slope(i, x)).collect();
        let zero = gradient.iter().all(|&dx| dx == 0.0); // then a few roundings of the value are what cancelling has left
        let blind = if zero { ROUNDINGS * f64::EPSILON * pass.magnitude() } else { 0.0 };
        let mut reference = Reference { gradient, blind, ..Reference::default() };
        reference.measure_rounding(TOLERANCE, (pass, k), &values, |i, moved| {
            let x = moved[k].to_vec()[i];
            Pass::on_tape(on_numbers, moved, 1.0).gradient(k, i) - slope(i, x)
        })?;
        Ok(reference)
    })
}

/// The slope of ⟨dy, f⟩ along entry `i` of input `k`, where that is `x`.
fn slope(
    tape: &mut Tape<Dual<f64>>,
    f: &dyn Overloaded,
    inputs: &[Tensor<Dual<f64>>],
    dy: &Tensor<f64>,
    (k, i): (usize, usize),
    x: f64,
) -> f64 {
    let (tape, x) = with_entry(tape, inputs, (k, i), Dual::variable(x));
    let y = f.on_duals(tape, &x).value();
    assert_eq!(y.shape(), dy.shape(), "gradcheck: the shape of the result depends on the scalar");
    y.to_vec().iter().zip(dy.to_vec()).map(|(y, dy)| dy * y.tangent).sum()
}
