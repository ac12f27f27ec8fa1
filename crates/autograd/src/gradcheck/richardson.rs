//! The strictest check that knows nothing of the rules: differences extrapolated to a step of nothing, with an estimate
//! of what they are still off by.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check::{self, ROUNDINGS, Reference, check};
use super::differences::evaluate;
use super::finding::Finding;
use super::input::Input;
use super::pass::Pass;
use super::report::Report;
use super::stencil::{Corner, FEW_POINTS, Line, MANY_POINTS, Slopes};
use crate::tape::Tape;
use crate::var::Var;

/// The first step, relative to max(1, |x|); each further one is half of the one before. None of them is a round number, on
/// which a function that is made of steps could look straight.
const STEP: f64 = 0.2371;
const RATIO: f64 = 0.5;
const STEPS: usize = 9;
const TOLERANCE: f64 = 1e-10;
/// A last look from so near that nothing smaller than a step can hide, and how far off it may be.
const GUARD: f64 = 1e-5;
const GUARDED: f64 = 1e-4;

/// Holds the tape's gradients of `f` at `inputs` against central differences extrapolated to h = 0, for every entry of
/// every input.
///
/// `f` may be any closure. The extrapolation comes with an estimate of its own error, and passes only where that is a
/// fifth of the tolerance or less; otherwise the report says [inconclusive](super::Finding::Inconclusive), and no tolerance
/// gives way. Where the slopes to either side differ however near, it says [kink](super::Finding::Kink) or
/// [jump](super::Finding::Jump). Costs forty evaluations an entry.
///
/// Reference: C. Ridders, "Accurate computation of F′(x) and F′(x)·F″(x)", *Advances in Engineering Software* 4 (1982).
pub fn richardson<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
) -> Report {
    let (inputs, f) = (check::inputs(inputs), &f as &super::pass::On<f64>);
    let values = check::values(&inputs);
    against(&inputs, &mut |times| Pass::on_tape(f, &values, times), &mut evaluate(f))
}

/// Holds gradients that were written by hand against the function that they belong to, as [`richardson`] does: `value`
/// of the inputs, and `gradients` of the inputs and the gradient of the value. No tape is needed.
///
/// ```
/// use autograd::gradcheck::{Diagnosis, by_hand};
/// use tensor::Tensor;
///
/// let x = [Tensor::from([1.0, -2.0, 0.5, 3.0])];
/// let mean_of_squares = |x: &[Tensor<f64>]| {
///     let x = x[0].to_vec();
///     Tensor::scalar(x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64)
/// };
/// let forgot_the_mean = |x: &[Tensor<f64>], dy: &Tensor<f64>| {
///     vec![Tensor::new([4], x[0].to_vec().iter().map(|x| 2.0 * x * dy.item()).collect())]
/// };
/// let report = by_hand(mean_of_squares, forgot_the_mean, &x);
/// assert_eq!(report.diagnoses().next(), Some(("input 0", &Diagnosis::Times(4))));
/// ```
pub fn by_hand<I: Clone + Into<Input>>(
    value: impl Fn(&[Tensor<f64>]) -> Tensor<f64>,
    gradients: impl Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Tensor<f64>>,
    inputs: &[I],
) -> Report {
    let inputs = check::inputs(inputs);
    let values = check::values(&inputs);
    against(&inputs, &mut |times| Pass::by_hand(&value, &gradients, &values, times), &mut |x| value(x))
}

fn against(
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    f: &mut dyn FnMut(&[Tensor<f64>]) -> Tensor<f64>,
) -> Report {
    let values = check::values(inputs);
    check(Report::new("Richardson's extrapolation", TOLERANCE), inputs, run, &mut |pass, k| {
        let mut reference = Reference::default();
        for i in 0..values[k].size() {
            let line = &mut Line { f, pass, inputs: &values, at: (k, i), noise: 0.0 };
            let mut seen = look(line, FEW_POINTS)?;
            if seen.disagrees(pass.gradient(k, i)) {
                seen = look(line, MANY_POINTS)?;
            }
            reference.gradient.push(seen.slope);
            reference.uncertain.push(seen.uncertain);
            reference.corners.extend(seen.corner.map(|corner| (i, corner)));
        }
        Ok(reference)
    })
}

/// The slope along one entry, how far off it may be, and whether there is one.
struct Look {
    slope: f64,
    uncertain: f64,
    corner: Option<Corner>,
}

impl Look {
    /// Returns true if a gradient of `got` would be called wrong.
    fn disagrees(&self, got: f64) -> bool {
        self.corner.is_some() || (self.slope - got).abs() > TOLERANCE * got.abs().max(self.slope.abs())
    }
}

/// The slope at h = 0, with the noise measured at `points` points.
fn look(line: &mut Line, points: u32) -> Result<Look, Finding> {
    line.measure_noise(points)?;
    let scale = line.x().abs().max(1.0);
    let slopes = steps(STEP * scale).map(|h| line.slopes(h)).collect::<Result<Vec<_>, _>>()?;
    let last = steps(STEP * scale).last().unwrap_or(scale);
    let corner = line.corner(&slopes, RATIO, last)?;
    let (slope, uncertain) = guarded(extrapolated(&slopes), line.slopes(GUARD * scale)?);
    Ok(Look { slope, uncertain, corner })
}

/// The same, but as uncertain as the slope from very near says, where that is another one.
fn guarded((slope, uncertain): (f64, f64), guard: Slopes) -> (f64, f64) {
    let off = (slope - guard.central).abs();
    let agrees = off <= GUARDED * slope.abs().max(guard.central.abs()) + ROUNDINGS * guard.rounding;
    (slope, if agrees { uncertain } else { uncertain.max(off) })
}

/// Ever smaller steps.
fn steps(first: f64) -> impl Iterator<Item = f64> {
    core::iter::successors(Some(first), |h| Some(RATIO * h)).take(STEPS)
}

/// The slope at h = 0 and how far off it may be. In a central difference the error is a series in h², so that each column
/// of Neville's scheme takes one more term away. The best entry is the one that differs least from its two parents, with
/// the rounding at its smallest step added.
fn extrapolated(slopes: &[Slopes]) -> (f64, f64) {
    let mut column: Vec<f64> = slopes.iter().map(|slopes| slopes.central).collect();
    let mut best = (column[0], f64::INFINITY);
    let mut power = 1.0;
    while column.len() > 1 {
        power /= RATIO * RATIO;
        let next: Vec<f64> = column.windows(2).map(|pair| (power * pair[1] - pair[0]) / (power - 1.0)).collect();
        let smallest = &slopes[slopes.len() - next.len()..];
        for ((slope, parents), smallest) in next.iter().zip(column.windows(2)).zip(smallest) {
            let off = (slope - parents[0]).abs().max((slope - parents[1]).abs()) + ROUNDINGS * smallest.rounding;
            if off < best.1 {
                best = (*slope, off);
            }
        }
        column = next;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::stencil::seems_sharp;
    use super::*;

    fn at(f: impl Fn(f64) -> f64, x: f64) -> Vec<Slopes> {
        let slopes = |h: f64| Slopes {
            central: (f(x + h) - f(x - h)) / (2.0 * h),
            left: (f(x) - f(x - h)) / h,
            right: (f(x + h) - f(x)) / h,
            rounding: f64::EPSILON * f(x).abs() / (2.0 * h),
        };
        steps(STEP).map(slopes).collect()
    }

    #[test]
    fn the_slope_of_a_smooth_function_and_its_error() {
        for (f, x, want) in [
            (f64::sin as fn(f64) -> f64, 0.7, 0.7_f64.cos()),
            (f64::exp, 1.0, 1.0_f64.exp()),
            (|x| 1.0 / x, 0.5, -4.0),
            (|x| x * x, 3.0, 6.0),
        ] {
            let (slope, uncertain) = extrapolated(&at(f, x));
            assert!((slope - want).abs() < 1e-12 && uncertain < 1e-11, "{slope} is not {want}, ±{uncertain:e}");
            assert!(!seems_sharp(&at(f, x), RATIO));
        }
    }

    #[test]
    fn a_kink_nearby_is_no_kink_here_and_no_hindrance() {
        let slopes = at(|x| (x - 0.1).abs() + x * x, 0.0);
        assert!(!seems_sharp(&slopes, RATIO));
        let (slope, uncertain) = extrapolated(&slopes);
        assert!((slope + 1.0).abs() < 1e-11 && uncertain < 1e-11, "{slope} ± {uncertain:e}");
    }

    #[test]
    fn a_kink_is_recognised() {
        assert!(seems_sharp(&at(|x| x.max(0.0), 0.0), RATIO));
        assert!(seems_sharp(&at(|x| x.abs() + x.sin(), 0.0), RATIO));
        assert!(!seems_sharp(&at(|x| x.powi(4), 0.0), RATIO));
    }

    /// At an edge of its domain nothing can be said, and that is said.
    #[test]
    fn what_cannot_be_known_is_uncertain() {
        let (_, uncertain) = extrapolated(&at(|x| x.cbrt(), 0.0));
        assert!(uncertain > 0.1);
        let (_, uncertain) = extrapolated(&at(|x| x.ln(), 0.0));
        assert!(uncertain.is_infinite());
    }
}
