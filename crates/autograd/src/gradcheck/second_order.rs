//! Check of second derivatives: reverse over forward mode against forward over forward mode.

use alloc::vec::Vec;

use tensor::{Dual, Tensor};

use super::check::{self, Reference, check_against};
use super::input::Input;
use super::pass::{Pass, draw_cotangent, record_with_entry};
use super::report::Report;
use crate::function::DynFunction;
use crate::tape::Tape;

/// Second derivatives have twice as many roundings as first derivatives, and larger terms that cancel.
const TOLERANCE: f64 = 1e-12;

/// Compares two computations of the Hessian-vector product H·u of ⟨dy, f⟩. The first is the tape on dual numbers: the tangents
/// of its gradients along u. The second is `f` on duals of duals, which uses no backward rule. The check costs one forward run
/// for every entry of every input.
///
/// This checks the backward rules as functions: they must be right around the inputs, not only at them. In the report,
/// the compared tensors have the names of the inputs. Errors are relative to the largest entry of the gradient and of H·u.
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), chapter 5.
pub fn second_order<I: Clone + Into<Input>>(f: &dyn DynFunction, inputs: &[I]) -> Report {
    compare(f, &check::to_inputs(inputs))
}

fn compare(f: &dyn DynFunction, inputs: &[Input]) -> Report {
    let values = check::input_values(inputs);
    let duals: Vec<Tensor<Dual<f64>>> =
        (1..).zip(&values).map(|(k, x)| Tensor::dual(x, &draw_cotangent(x.shape(), k))).collect();
    let nested_duals: Vec<_> = duals.iter().map(|x| Tensor::dual(x, &Tensor::zeros(x.shape()))).collect();
    let mut tape = Tape::no_grad();
    let mut run = |factor| run_reverse_over_forward(f, &duals, factor);
    check_against(Report::new("second derivatives forward", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let dy = pass.dy.to_vec();
        let mut slopes = |i: usize, x: f64| {
            let x = Dual { value: x, tangent: duals[k].to_vec()[i].tangent };
            let seed = Dual { value: x, tangent: Dual::constant(1.0) };
            let (tape, x) = record_with_entry(&mut tape, &nested_duals, (k, i), seed);
            let y = f.call_nested_dual(tape, &x).value().to_vec();
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
            let duals: Vec<_> = moved.iter().zip(&duals).map(|(x, dual)| Tensor::dual(x, &dual.tangents())).collect();
            run_reverse_over_forward(f, &duals, 1.0).gradient(k, i) - slopes(i, moved[k].to_vec()[i])[1]
        })?;
        reference.allows_zero = reference.floor > 0.0;
        Ok(reference)
    })
}

/// Returns the value of `f`, and for each input its part of H·u: the tangent of its gradient.
fn run_reverse_over_forward(f: &dyn DynFunction, inputs: &[Tensor<Dual<f64>>], factor: f64) -> Pass {
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
    let y = f.call_dual(&tape, &x);
    let dy = &draw_cotangent(y.shape(), 0) * &Tensor::scalar(factor);
    let unreached = y.backward_from(&dy.cast()).err().map(|unreached| unreached.names).unwrap_or_default();
    let gradients = x.iter().map(|x| Some(x.grad()?.tangents())).collect();
    Pass { y: y.value().values(), dy, gradients, unreached }
}
