//! The check of second derivatives: back over forward against forward over forward.

use alloc::vec::Vec;

use tensor::{Dual, Tensor};

use super::check::{self, Reference, check};
use super::input::Input;
use super::pass::{Pass, cotangent, with_entry};
use super::report::Report;
use crate::function::Overloaded;
use crate::tape::Tape;

/// Twice as many roundings as in a first derivative, and larger terms that cancel.
const TOLERANCE: f64 = 1e-12;

/// Holds the Hessian-vector product H·u of ⟨dy, f⟩ that the tape gives on dual numbers (the tangents of its gradients
/// along u) against second tangents of `f` on duals of duals, which no backward rule takes part in: one forward run for
/// every entry of every input.
///
/// So the backward rules are checked as functions: that they are right not only here, but all around. What is compared is
/// called as the inputs are. Errors are relative to the largest entry of the gradient or of H·u, whichever is larger.
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), chapter 5.
pub fn second_order<I: Clone + Into<Input>>(f: &dyn Overloaded, inputs: &[I]) -> Report {
    compare(f, &check::inputs(inputs))
}

fn compare(f: &dyn Overloaded, inputs: &[Input]) -> Report {
    let values = check::values(inputs);
    let along: Vec<Tensor<Dual<f64>>> =
        (1..).zip(&values).map(|(k, x)| Tensor::dual(x, &cotangent(x.shape(), k))).collect();
    let twice: Vec<_> = along.iter().map(|x| Tensor::dual(x, &Tensor::zeros(x.shape()))).collect();
    let mut tape = Tape::evaluating();
    let mut run = |times| back(f, &along, times);
    check(Report::new("second derivatives forward", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let dy = pass.dy.to_vec();
        let mut slopes = |i: usize, x: f64| {
            let x = Dual { value: x, tangent: along[k].to_vec()[i].tangent };
            let seed = Dual { value: x, tangent: Dual::constant(1.0) };
            let (tape, x) = with_entry(&mut tape, &twice, (k, i), seed);
            let y = f.on_duals_of_duals(tape, &x).value().to_vec();
            [|y: Dual<f64>| y.value, |y: Dual<f64>| y.tangent]
                .map(|part| y.iter().zip(&dy).map(|(y, dy)| dy * part(y.tangent)).sum::<f64>())
        };
        let mut reference = Reference::default();
        for (i, x) in values[k].to_vec().into_iter().enumerate() {
            let [first, second] = slopes(i, x);
            reference.gradient.push(second);
            reference.floor = reference.floor.max(first.abs());
        }
        reference.measure_rounding(TOLERANCE, (pass, k), &values, |i, moved| {
            let along: Vec<_> = moved.iter().zip(&along).map(|(x, along)| Tensor::dual(x, &along.tangents())).collect();
            back(f, &along, 1.0).gradient(k, i) - slopes(i, moved[k].to_vec()[i])[1]
        })?;
        reference.may_vanish = reference.floor > 0.0;
        Ok(reference)
    })
}

/// The value, and the tangents of the gradients: H·u in parts.
fn back(f: &dyn Overloaded, inputs: &[Tensor<Dual<f64>>], times: f64) -> Pass {
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let y = f.on_duals(&tape, &x);
    let dy = &cotangent(y.shape(), 0) * &Tensor::scalar(times);
    let unreached = y.backward_from(&dy.cast()).err().map(|unreached| unreached.names).unwrap_or_default();
    let gradients = x.iter().map(|x| Some(x.grad()?.tangents())).collect();
    Pass { y: y.value().values(), dy, gradients, unreached }
}
