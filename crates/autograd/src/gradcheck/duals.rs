//! Exact gradient check by dual numbers: forward mode uses no backward rule.

use alloc::vec::Vec;

use tensor::{Dual, Tensor};

use super::check::{self, ROUNDING_FACTOR, Reference, check_against};
use super::input::Input;
use super::pass::{Pass, TapeFn, record_with_entry};
use super::report::Report;
use crate::function::DynFunction;
use crate::tape::Tape;

/// The tolerance, relative to the largest entry of a gradient. It allows the rounding errors of f64 in sums of some hundred
/// terms.
const TOLERANCE: f64 = 1e-13;

/// Compares the tape's gradients of `f` at `inputs` with the tangents of `f` on dual numbers. The check costs one forward run
/// for every entry of every input.
///
/// `f` is called on `f64` and on `Dual<f64>`; [`function!`](crate::function) creates such a function. As on the tape, a
/// detached value is a constant, and a kink has the slope of the branch taken. If large terms cancel and rounding exceeds the
/// tolerance, the report contains [`Finding::Inconclusive`](super::Finding::Inconclusive).
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.1: ⟨dy, ẏ⟩ = ⟨dx, ẋ⟩.
pub fn duals<I: Clone + Into<Input>>(f: &dyn DynFunction, inputs: &[I]) -> Report {
    compare(f, &check::to_inputs(inputs))
}

fn compare(f: &dyn DynFunction, inputs: &[Input]) -> Report {
    let values = check::input_values(inputs);
    let dual_inputs: Vec<Tensor<Dual<f64>>> = values.iter().map(Tensor::cast).collect();
    let mut tape = Tape::no_grad();
    let call_f64: &TapeFn<f64> = &|tape, x| f.call_f64(tape, x);
    let mut run = |factor| Pass::run_on_tape(call_f64, &values, factor);
    check_against(Report::new("duals", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let mut slope = |i, x| slope_at_entry(&mut tape, f, &dual_inputs, &pass.dy, (k, i), x);
        let gradient: Vec<f64> = (0..).zip(values[k].to_vec()).map(|(i, x)| slope(i, x)).collect();
        let zero = gradient.iter().all(|&dx| dx == 0.0); // cancellation leaves a few roundings of the value
        let rounding_level = if zero { ROUNDING_FACTOR * f64::EPSILON * pass.magnitude() } else { 0.0 };
        let mut reference = Reference { gradient, rounding_level, ..Reference::default() };
        reference.measure_rounding(TOLERANCE, (pass, k), &values, |i, moved| {
            let x = moved[k].to_vec()[i];
            Pass::run_on_tape(call_f64, moved, 1.0).gradient(k, i) - slope(i, x)
        })?;
        Ok(reference)
    })
}

/// Returns the slope of ⟨dy, f⟩ along entry `i` of input `k`, with value `x` of that entry.
fn slope_at_entry(
    tape: &mut Tape<Dual<f64>>,
    f: &dyn DynFunction,
    inputs: &[Tensor<Dual<f64>>],
    dy: &Tensor<f64>,
    (k, i): (usize, usize),
    x: f64,
) -> f64 {
    let (tape, x) = record_with_entry(tape, inputs, (k, i), Dual::variable(x));
    let y = f.call_dual(tape, &x).value();
    assert!(y.shape() == dy.shape(), "gradcheck: the shape of the result depends on the scalar");
    y.to_vec().iter().zip(dy.to_vec()).map(|(y, dy)| dy * y.tangent).sum()
}
