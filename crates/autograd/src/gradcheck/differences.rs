//! The check that everyone reads first: move an entry a little to either side.

use tensor::Tensor;

use super::check::{On, Reference, check, with_entry};
use super::report::Report;
use crate::tape::Tape;
use crate::var::Var;

/// ∛(2⁻⁵²): where the stencil's truncation, h²·f‴/6, and the rounding of its values, 2⁻⁵²·f/h, are alike.
const STEP: f64 = 6.055454452393343e-6;
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
/// Reference: W. Press et al., *Numerical Recipes*, 3rd ed. (2007), section 5.7.
pub fn central_differences(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[Tensor<f64>],
) -> Report {
    let mut tape = Tape::evaluating();
    check(Report::new("central differences", TOLERANCE), &f, inputs, &mut |pass, k| {
        let slope = |i| slope(&mut tape, &f, inputs, &pass.dy, (k, i));
        let magnitude: f64 = products(&pass.dy, &pass.y).map(f64::abs).sum();
        Reference { gradient: (0..inputs[k].size()).map(slope).collect(), floor: FLOOR * magnitude }
    })
}

/// The slope of ⟨dy, f⟩ along entry `i` of input `k`.
fn slope(tape: &mut Tape<f64>, f: &On<f64>, inputs: &[Tensor<f64>], dy: &Tensor<f64>, (k, i): (usize, usize)) -> f64 {
    let x = inputs[k].to_vec()[i];
    let h = STEP * x.abs().max(1.0);
    let mut at = |moved| {
        let (tape, x) = with_entry(tape, inputs, (k, i), moved);
        f(tape, &x).value()
    };
    let (right, left) = (x + h, x - h); // their distance is exact, 2h is not
    let rise = &at(right) - &at(left);
    products(dy, &rise).sum::<f64>() / (right - left)
}

fn products(a: &Tensor<f64>, b: &Tensor<f64>) -> impl Iterator<Item = f64> {
    assert_eq!(a.shape(), b.shape(), "gradcheck: the shape of the result depends on the values of the inputs");
    a.to_vec().into_iter().zip(b.to_vec()).map(|(a, b)| a * b)
}
