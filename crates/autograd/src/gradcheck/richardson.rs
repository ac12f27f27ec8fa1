//! The strictest gradient check that uses neither backward rules nor dual numbers: central differences extrapolated to
//! step 0, with an estimate of their error.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check::{self, ROUNDING_FACTOR, Reference, check_against};
use super::differences::to_tensor_fn;
use super::finding::Finding;
use super::input::Input;
use super::pass::Pass;
use super::report::Report;
use super::stencil::{Corner, FEW_POINTS, Line, MANY_POINTS, Slopes};
use crate::tape::Tape;
use crate::var::Var;

/// The first step, relative to max(1, |x|). Each further step is half of the one before. The steps are not round numbers,
/// because a step function can look linear at round steps.
const STEP: f64 = 0.2371;
const RATIO: f64 = 0.5;
const STEPS: usize = 9;
const TOLERANCE: f64 = 1e-10;
/// A small last step. It finds features that are narrower than the other steps.
const NEAR_STEP: f64 = 1e-5;
/// The relative error allowed at [`NEAR_STEP`].
const NEAR_TOLERANCE: f64 = 1e-4;

/// Compares the tape's gradients of `f` at `inputs` with central differences extrapolated to h = 0, for every entry of every
/// input.
///
/// `f` may be any closure. The extrapolation estimates its own error, which must be at most a fifth of the tolerance. Otherwise
/// the report contains [`Finding::Inconclusive`]; the tolerance is never loosened. If the slopes to either side differ at every
/// step size, the report contains [`Finding::Kink`] or [`Finding::Jump`]. The check costs forty evaluations per entry.
///
/// Reference: C. Ridders, "Accurate computation of F′(x) and F′(x)·F″(x)", *Advances in Engineering Software* 4 (1982).
pub fn richardson<I: Clone + Into<Input>>(
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
    inputs: &[I],
) -> Report {
    let (inputs, f) = (check::to_inputs(inputs), &f as &super::pass::TapeFn<f64>);
    let values = check::input_values(&inputs);
    check_against_differences(&inputs, &mut |factor| Pass::run_on_tape(f, &values, factor), &mut to_tensor_fn(f))
}

/// Checks hand-written gradients by the method of [`richardson`], without a tape. `value` computes the function from the
/// inputs; `gradients` computes its gradients from the inputs and the gradient of the value.
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
    let inputs = check::to_inputs(inputs);
    let values = check::input_values(&inputs);
    check_against_differences(&inputs, &mut |factor| Pass::run_by_hand(&value, &gradients, &values, factor), &mut |x| {
        value(x)
    })
}

fn check_against_differences(
    inputs: &[Input],
    run: &mut dyn FnMut(f64) -> Pass,
    f: &mut dyn FnMut(&[Tensor<f64>]) -> Tensor<f64>,
) -> Report {
    let values = check::input_values(inputs);
    check_against(Report::new("Richardson's extrapolation", TOLERANCE), inputs, run, &mut |pass, k| {
        let mut reference = Reference::default();
        for i in 0..values[k].size() {
            let line = &mut Line { f, pass, inputs: &values, entry: (k, i), noise: 0.0 };
            let mut estimate = estimate_slope(line, FEW_POINTS)?;
            if estimate.disagrees(pass.gradient(k, i)) {
                estimate = estimate_slope(line, MANY_POINTS)?;
            }
            reference.gradient.push(estimate.slope);
            reference.uncertainty.push(estimate.uncertainty);
            reference.corners.extend(estimate.corner.map(|corner| (i, corner)));
        }
        Ok(reference)
    })
}

/// The slope along one entry with its error bound, or the corner found there.
struct SlopeEstimate {
    slope: f64,
    uncertainty: f64,
    corner: Option<Corner>,
}

impl SlopeEstimate {
    /// Returns true if a gradient entry `got` would be reported as wrong.
    fn disagrees(&self, got: f64) -> bool {
        self.corner.is_some() || (self.slope - got).abs() > TOLERANCE * got.abs().max(self.slope.abs())
    }
}

/// Estimates the slope at h = 0, with the noise measured at `points` points.
fn estimate_slope(line: &mut Line, points: u32) -> Result<SlopeEstimate, Finding> {
    line.measure_noise(points)?;
    let scale = line.x().abs().max(1.0);
    let slopes = step_sizes(STEP * scale).map(|h| line.slopes(h)).collect::<Result<Vec<_>, _>>()?;
    let last = step_sizes(STEP * scale).last().unwrap_or(scale);
    let corner = line.find_corner(&slopes, RATIO, last)?;
    let (slope, uncertainty) = widen_if_near_slope_differs(extrapolate(&slopes), line.slopes(NEAR_STEP * scale)?);
    Ok(SlopeEstimate { slope, uncertainty, corner })
}

/// Widens the error bound if the slope at a much smaller step disagrees.
fn widen_if_near_slope_differs((slope, uncertainty): (f64, f64), near: Slopes) -> (f64, f64) {
    let difference = (slope - near.central).abs();
    let agrees = difference <= NEAR_TOLERANCE * slope.abs().max(near.central.abs()) + ROUNDING_FACTOR * near.rounding;
    (slope, if agrees { uncertainty } else { uncertainty.max(difference) })
}

/// Returns the decreasing step sizes, from `first`.
fn step_sizes(first: f64) -> impl Iterator<Item = f64> {
    core::iter::successors(Some(first), |h| Some(RATIO * h)).take(STEPS)
}

/// Extrapolates the slope to h = 0, and bounds its error. The error of a central difference is a series in h², and each column
/// of Neville's scheme removes one more term. Returns the entry with the smallest bound: its largest difference from its two
/// parents, plus the rounding at its smallest step.
fn extrapolate(slopes: &[Slopes]) -> (f64, f64) {
    let mut column: Vec<f64> = slopes.iter().map(|slopes| slopes.central).collect();
    let mut best = (column[0], f64::INFINITY);
    let mut power = 1.0;
    while column.len() > 1 {
        power /= RATIO * RATIO;
        let next: Vec<f64> = column.windows(2).map(|pair| (power * pair[1] - pair[0]) / (power - 1.0)).collect();
        let smallest = &slopes[slopes.len() - next.len()..];
        for ((slope, parents), smallest) in next.iter().zip(column.windows(2)).zip(smallest) {
            let bound =
                (slope - parents[0]).abs().max((slope - parents[1]).abs()) + ROUNDING_FACTOR * smallest.rounding;
            if bound < best.1 {
                best = (*slope, bound);
            }
        }
        column = next;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::stencil::gaps_persist;
    use super::*;

    fn slopes_at(f: impl Fn(f64) -> f64, x: f64) -> Vec<Slopes> {
        let slopes = |h: f64| Slopes {
            central: (f(x + h) - f(x - h)) / (2.0 * h),
            left: (f(x) - f(x - h)) / h,
            right: (f(x + h) - f(x)) / h,
            rounding: f64::EPSILON * f(x).abs() / (2.0 * h),
        };
        step_sizes(STEP).map(slopes).collect()
    }

    #[test]
    fn extrapolate_smooth_function_finds_slope_and_error() {
        for (f, x, want) in [
            (f64::sin as fn(f64) -> f64, 0.7, 0.7_f64.cos()),
            (f64::exp, 1.0, 1.0_f64.exp()),
            (|x| 1.0 / x, 0.5, -4.0),
            (|x| x * x, 3.0, 6.0),
        ] {
            let (slope, uncertainty) = extrapolate(&slopes_at(f, x));
            assert!((slope - want).abs() < 1e-12 && uncertainty < 1e-11, "{slope} is not {want}, ±{uncertainty:e}");
            assert!(!gaps_persist(&slopes_at(f, x), RATIO));
        }
    }

    #[test]
    fn extrapolate_beside_a_kink_finds_the_slope() {
        let slopes = slopes_at(|x| (x - 0.1).abs() + x * x, 0.0);
        assert!(!gaps_persist(&slopes, RATIO));
        let (slope, uncertainty) = extrapolate(&slopes);
        assert!((slope + 1.0).abs() < 1e-11 && uncertainty < 1e-11, "{slope} ± {uncertainty:e}");
    }

    #[test]
    fn gaps_persist_only_at_a_kink() {
        assert!(gaps_persist(&slopes_at(|x| x.max(0.0), 0.0), RATIO));
        assert!(gaps_persist(&slopes_at(|x| x.abs() + x.sin(), 0.0), RATIO));
        assert!(!gaps_persist(&slopes_at(|x| x.powi(4), 0.0), RATIO));
    }

    /// At 0, ∛x has no slope and ln x has no finite value.
    #[test]
    fn extrapolate_without_a_slope_has_a_large_error() {
        let (_, uncertainty) = extrapolate(&slopes_at(|x| x.cbrt(), 0.0));
        assert!(uncertainty > 0.1);
        let (_, uncertainty) = extrapolate(&slopes_at(|x| x.ln(), 0.0));
        assert!(uncertainty.is_infinite());
    }
}
