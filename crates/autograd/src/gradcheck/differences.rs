//! The check that everyone reads first: move an entry a little to either side.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check::{self, ROUNDINGS, Reference, check};
use super::input::Input;
use super::pass::{On, Pass};
use super::report::Report;
use super::stencil::{Line, MANY_POINTS};
use crate::tape::Tape;
use crate::var::Var;

/// ∛(2⁻⁵²): where the stencil's truncation, h²·f‴/6, and the rounding of its values, 2⁻⁵²·f/h, are alike.
pub const STEP: f64 = 6.055454452393343e-6;
/// Rounding leaves about 2⁻⁵²/STEP = 4e-11 of the function's magnitude in a difference: gradients that are smaller
/// than this part of it are compared on its scale.
const FLOOR: f64 = 1e-3;
const TOLERANCE: f64 = 1e-7;

/// Holds the tape's gradients of `f` at `inputs` against (f(x + h) − f(x − h)) / 2h, for every entry of every input,
/// with h = ∛ε·max(1, |x|).
///
/// `f` may be any closure; it must be smooth within h of `inputs`. What it detaches has no place here, as a
/// difference does not know of it. Costs two evaluations an entry.
///
/// Where the gradient is another one, the difference is taken once more from nearer. If its own error may be the reason, the
/// report says [inconclusive](super::Finding::Inconclusive).
///
/// Reference: W. Press et al., *Numerical Recipes*, 3rd ed. (2007), section 5.7.
pub fn central_differences<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
) -> Report {
    with_step(&f, &check::inputs(inputs), STEP)
}

/// The same with h = `step`·max(1, |x|): for looking at what the choice of a step does.
pub fn central_differences_with_step<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
    step: f64,
) -> Report {
    with_step(&f, &check::inputs(inputs), step)
}

fn with_step(f: &On<f64>, inputs: &[Input], step: f64) -> Report {
    let values = check::values(inputs);
    let mut on_tape = evaluate(f);
    let mut run = |times| Pass::on_tape(f, &values, times);
    check(Report::new("central differences", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let mut reference = Reference { floor: FLOOR * pass.magnitude(), ..Reference::default() };
        for i in 0..values[k].size() {
            let mut line = Line { f: &mut on_tape, pass, inputs: &values, at: (k, i), noise: 0.0 };
            let h = step * line.x().abs().max(1.0);
            let around = line.slopes(h)?;
            let gradient = pass.gradients[k].as_ref().and_then(|dx| dx.to_vec().get(i).copied());
            let got = gradient.unwrap_or(around.central);
            let scale = reference.floor.max(got.abs()).max(around.central.abs());
            let differs = (got - around.central).abs() > TOLERANCE * scale;
            let bends = (around.left - around.right).abs() > 1e-3 * around.left.abs().max(around.right.abs());
            if differs || bends {
                line.measure_noise(MANY_POINTS)?;
            }
            if differs {
                let nearer = line.slopes(h / 2.0)?;
                let truncation = 2.0 * (around.central - nearer.central).abs(); // 4/3 of it, were h²·f‴/6 all
                reference.uncertain.resize(i, 0.0);
                reference.uncertain.push(truncation + ROUNDINGS * nearer.rounding);
            }
            if bends {
                let nearer = [around, line.slopes(h / 2.0)?, line.slopes(h / 4.0)?];
                reference.corners.extend(line.corner(&nearer, 0.5, h / 4.0)?.map(|corner| (i, corner)));
            }
            reference.blind = reference.blind.max(ROUNDINGS * around.rounding);
            reference.gradient.push(around.central);
        }
        Ok(reference)
    })
}

/// A function on a tape as a function of tensors, for as many calls as one likes.
pub(super) fn evaluate(f: &On<f64>) -> impl FnMut(&[Tensor<f64>]) -> Tensor<f64> {
    let mut tape = Tape::evaluating();
    move |inputs| {
        tape.clear();
        let tape = &tape;
        let x: Vec<_> = inputs.iter().map(|x| tape.constant(x.clone())).collect();
        f(tape, &x).value()
    }
}
