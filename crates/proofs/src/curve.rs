//! The error of a central difference as a function of its step. The V-shaped curve explains why gradients are not
//! checked by differences alone.

use autograd::derivatives::{jvp, vjp};
use autograd::gradcheck::{DynFunction, richardson};
use autograd::{Tape, Var};
use tensor::Tensor;

use crate::{Case, RandomTensors, Target, layer_cases};

/// The default step of PyTorch's `torch.autograd.gradcheck`.
///
/// Source: PyTorch manual, `torch.autograd.gradcheck`, `eps`.
pub const PYTORCH_STEP: f64 = 1e-6;

/// The number of steps per decade.
const STEPS_PER_DECADE: i32 = 4;
/// The exponents of the largest and the smallest step.
const DECADES: [i32; 2] = [0, -14];

/// The errors of central differences at all steps, and of the more accurate methods.
///
/// The reference is the derivative by dual numbers. Every error is the largest difference from it over all entries of
/// all inputs, relative to the largest entry of that input's gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSizeCurve {
    /// The name of the case.
    pub case: String,
    /// Pairs of step and error, from the largest step to the smallest.
    pub points: Vec<(f64, f64)>,
    /// The error at PyTorch's default step.
    pub pytorch: f64,
    /// The error of Richardson's extrapolation. It is measured against reverse mode, whose own error is at most
    /// [`reverse`](Self::reverse).
    pub richardson: f64,
    /// The difference between reverse mode and dual numbers, which is rounding error alone.
    pub reverse: f64,
}

/// The gradient of each input, entry by entry.
type Gradients = Vec<Vec<f64>>;

impl StepSizeCurve {
    /// Measures a GRU over seven steps.
    pub fn measure_gru() -> Self {
        let is_gru = |case: &Case| case.target == Target::Layer("Gru") && case.name.starts_with("ResetAfter T=7 ");
        Self::measure(&layer_cases().into_iter().find(is_gru).expect("the table of layers has a GRU over seven steps"))
    }

    /// Measures any case without kinks.
    pub fn measure(case: &Case) -> Self {
        let (point, [from, to]) = (Point::from_case(case), DECADES);
        let exact = point.dual_gradients();
        let error_at = |h: f64| max_relative_error(&point.difference_gradients(h), &exact);
        let steps = (STEPS_PER_DECADE * to..=STEPS_PER_DECADE * from)
            .rev()
            .map(|k| 10_f64.powf(f64::from(k) / f64::from(STEPS_PER_DECADE)));
        let report = richardson(|tape, x| case.f.call_f64(tape, x), &case.inputs);
        Self {
            case: case.to_string(),
            points: steps.map(|h| (h, error_at(h))).collect(),
            pytorch: error_at(PYTORCH_STEP),
            richardson: report.worst().map_or(f64::NAN, |worst| worst.error),
            reverse: max_relative_error(&point.reverse_gradients(), &exact),
        }
    }

    /// Returns the step with the smallest error, and that error.
    pub fn best(&self) -> (f64, f64) {
        self.points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are steps")
    }
}

/// Returns the largest absolute value, or NaN if any number is NaN. [`f64::total_cmp`] orders NaN last; `f64::max`
/// would ignore it.
fn max_abs(x: impl Iterator<Item = f64>) -> f64 {
    x.map(f64::abs).max_by(f64::total_cmp).unwrap_or(0.0)
}

fn max_relative_error(got: &Gradients, exact: &Gradients) -> f64 {
    let input_error = |(got, exact): (&Vec<f64>, &Vec<f64>)| {
        let scale = max_abs(exact.iter().copied());
        max_abs(got.iter().zip(exact).map(|(got, exact)| if got == exact { 0.0 } else { (got - exact) / scale }))
    };
    max_abs(got.iter().zip(exact).map(input_error))
}

/// A function at a point, with a gradient dy of its value. Its methods compute the derivatives of ⟨dy, f⟩ by every
/// entry in three ways.
struct Point<'a> {
    f: &'a dyn DynFunction,
    inputs: Vec<Tensor<f64>>,
    dy: Tensor<f64>,
}

impl<'a> Point<'a> {
    fn from_case(case: &'a Case) -> Self {
        let (f, inputs, tape) = (&*case.f, case.values(), Tape::no_grad());
        let shape = f.call_f64(&tape, &constants(&tape, &inputs)).shape();
        Self { f, inputs, dy: RandomTensors::new(u32::MAX).nonzero(shape) }
    }

    fn reverse_gradients(&self) -> Gradients {
        vjp(self.f, &self.inputs, &self.dy).1.iter().map(Tensor::to_vec).collect()
    }

    fn dual_gradients(&self) -> Gradients {
        let zeros: Vec<_> = self.inputs.iter().map(|x| Tensor::zeros(x.shape())).collect();
        self.map_entries(|at| self.dot_with_dy(&jvp(self.f, &self.inputs, &with_entry_moved(&zeros, at, 1.0)).1))
    }

    fn difference_gradients(&self, h: f64) -> Gradients {
        let y = |at, by| {
            let tape = Tape::no_grad();
            self.f.call_f64(&tape, &constants(&tape, &with_entry_moved(&self.inputs, at, by))).value()
        };
        self.map_entries(|at| self.dot_with_dy(&(&y(at, h) - &y(at, -h))) / (2.0 * h))
    }

    fn map_entries(&self, slope: impl Fn([usize; 2]) -> f64) -> Gradients {
        let along = |k: usize| (0..self.inputs[k].size()).map(|i| slope([k, i])).collect();
        (0..self.inputs.len()).map(along).collect()
    }

    fn dot_with_dy(&self, y: &Tensor<f64>) -> f64 {
        self.dy.to_vec().iter().zip(y.to_vec()).map(|(dy, y)| dy * y).sum()
    }
}

/// Returns the tensors with `by` added to entry i of tensor k.
fn with_entry_moved(x: &[Tensor<f64>], [k, i]: [usize; 2], by: f64) -> Vec<Tensor<f64>> {
    let (mut x, mut entries) = (x.to_vec(), x[k].to_vec());
    entries[i] += by;
    x[k] = Tensor::new(x[k].shape(), entries);
    x
}

fn constants<'t>(tape: &'t Tape<f64>, values: &[Tensor<f64>]) -> Vec<Var<'t, f64>> {
    values.iter().map(|value| tape.constant(value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides of the V have the slopes that theory predicts, and the other errors are in the expected order.
    #[test]
    fn step_size_curve_has_the_slopes_of_truncation_and_rounding() {
        let curve = StepSizeCurve::measure_gru();
        let at = |h: f64| {
            curve.points.iter().min_by(|a, b| (a.0 / h).ln().abs().total_cmp(&(b.0 / h).ln().abs())).unwrap().1
        };
        let order = (at(1e-1) / at(1e-3)).log10() / 2.0;
        assert!((1.9..2.1).contains(&order), "truncation falls as h to the power {order}");
        let order = (at(1e-8) / at(1e-14)).log10() / 6.0;
        assert!((-1.2..-0.8).contains(&order), "rounding grows as h to the power {order}");
        let (step, best) = curve.best();
        assert!((1e-6..1e-4).contains(&step) && (1e-12..1e-9).contains(&best), "{best:e} at {step:e}");
        assert!(curve.reverse < 1e-14 && curve.reverse < curve.richardson, "{:e}", curve.reverse);
        assert!(curve.richardson < best / 10.0 && best < curve.pytorch, "{:e}, {:e}", curve.richardson, curve.pytorch);
        assert!(curve.case.contains("T=7"), "{}", curve.case);
    }

    #[test]
    fn max_relative_error_of_nan_is_nan() {
        let exact = vec![vec![1.0, -2.0], vec![0.0]];
        assert_eq!(max_relative_error(&vec![vec![1.0, -2.5], vec![0.0]], &exact), 0.25);
        for nan in [f64::NAN, -f64::NAN] {
            for wrong in [vec![vec![nan, -2.0], vec![0.0]], vec![vec![1.0, -2.0], vec![nan]]] {
                assert!(
                    max_relative_error(&wrong, &exact).is_nan() && max_relative_error(&exact, &wrong).is_nan(),
                    "{wrong:?}"
                );
            }
        }
    }
}
