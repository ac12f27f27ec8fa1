//! Gradient check by central differences: moves each entry a little to either side.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check::{self, ROUNDING_FACTOR, Reference, check_against};
use super::input::Input;
use super::pass::{Pass, TapeFn};
use super::report::Report;
use super::stencil::{Line, MANY_POINTS};
use crate::tape::Tape;
use crate::var::Var;

/// ∛(2⁻⁵²), the step at which the truncation error h²·f‴/6 and the rounding error 2⁻⁵²·f/h are of similar size.
pub const STEP: f64 = 6.055454452393343e-6;
/// Smallest scale of errors, relative to the function's magnitude. Rounding leaves an error of about 2⁻⁵²/STEP = 4e-11 of the
/// magnitude in a difference, so smaller gradients are compared on this scale.
const FLOOR: f64 = 1e-3;
const TOLERANCE: f64 = 1e-7;

/// Compares the tape's gradients of `f` at `inputs` with (f(x + h) − f(x − h)) / 2h, for every entry of every input, with
/// h = ∛ε·max(1, |x|).
///
/// `f` may be any closure. It must be smooth within h of `inputs`, and must not detach values: a difference includes their
/// effect. Costs two evaluations per entry.
///
/// If the gradient and the central difference disagree, the central difference is computed again with half the step. If its
/// error may explain the disagreement, the report contains [`Finding::Inconclusive`](super::Finding::Inconclusive).
///
/// Reference: W. Press et al., *Numerical Recipes*, 3rd ed. (2007), section 5.7.
pub fn central_differences<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
) -> Report {
    check_with_step(&f, &check::to_inputs(inputs), STEP)
}

/// Runs [`central_differences`] with h = `step`·max(1, |x|), to show the effect of the step.
pub fn central_differences_with_step<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
    step: f64,
) -> Report {
    check_with_step(&f, &check::to_inputs(inputs), step)
}

fn check_with_step(f: &TapeFn<f64>, inputs: &[Input], step: f64) -> Report {
    let values = check::input_values(inputs);
    let mut f_on_tensors = to_tensor_fn(f);
    let mut run = |factor| Pass::run_on_tape(f, &values, factor);
    check_against(Report::new("central differences", TOLERANCE), inputs, &mut run, &mut |pass, k| {
        let mut reference = Reference { floor: FLOOR * pass.magnitude(), ..Reference::default() };
        for i in 0..values[k].size() {
            let mut line = Line { f: &mut f_on_tensors, pass, inputs: &values, entry: (k, i), noise: 0.0 };
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
                let truncation = 2.0 * (around.central - nearer.central).abs(); // 4/3 would do if h²·f‴/6 were the only term
                reference.uncertainty.resize(i, 0.0);
                reference.uncertainty.push(truncation + ROUNDING_FACTOR * nearer.rounding);
            }
            if bends {
                let nearer = [around, line.slopes(h / 2.0)?, line.slopes(h / 4.0)?];
                reference.corners.extend(line.find_corner(&nearer, 0.5, h / 4.0)?.map(|corner| (i, corner)));
            }
            reference.rounding_level = reference.rounding_level.max(ROUNDING_FACTOR * around.rounding);
            reference.gradient.push(around.central);
        }
        Ok(reference)
    })
}

/// Converts a function on a tape to a function of tensors, which can be called many times.
pub(super) fn to_tensor_fn(f: &TapeFn<f64>) -> impl FnMut(&[Tensor<f64>]) -> Tensor<f64> {
    let mut tape = Tape::no_grad();
    move |inputs| {
        tape.clear();
        let tape = &tape;
        let x: Vec<_> = inputs.iter().map(|x| tape.constant(x.clone())).collect();
        f(tape, &x).value()
    }
}
