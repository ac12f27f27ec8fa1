//! How a central difference depends on its step: the V that explains why gradients are not proved with it.

use autograd::derivatives::{jvp, vjp};
use autograd::gradcheck::{Overloaded, richardson};
use autograd::{Tape, Var};
use tensor::Tensor;

use crate::{Case, Draw, Of, layers};

/// The step that PyTorch's `torch.autograd.gradcheck` takes unless it is told otherwise.
///
/// Source: PyTorch manual, `torch.autograd.gradcheck`, `eps`.
pub const PYTORCH_STEP: f64 = 1e-6;

/// Steps in a decade.
const DENSITY: i32 = 4;
/// The decades of steps, from the largest to the smallest.
const DECADES: [i32; 2] = [0, -14];

/// The error of a central difference, at all steps, and of what does better.
///
/// Every error is the largest gap to the slope that dual numbers give, over all entries of all inputs, relative to the
/// largest entry of that input's gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What is differentiated.
    pub case: String,
    /// Step and error, from the largest step to the smallest.
    pub points: Vec<(f64, f64)>,
    /// The error at PyTorch's step.
    pub pytorch: f64,
    /// The error of Richardson's extrapolation; it is held against reverse mode, which differs by no more than
    /// [`reverse`](Self::reverse).
    pub richardson: f64,
    /// The gap between reverse mode and dual numbers: what is left when nothing but rounding is.
    pub reverse: f64,
}

/// The gradient of each input, entry by entry.
type Gradients = Vec<Vec<f64>>;

impl Curve {
    /// Of a GRU over seven steps.
    pub fn gru() -> Self {
        let is_it = |case: &Case| case.of == Of::Layer("Gru") && case.name.starts_with("ResetAfter T=7 ");
        Self::of(&layers().into_iter().find(is_it).expect("the table of layers has a GRU over seven steps"))
    }

    /// Of any case without kinks.
    pub fn of(case: &Case) -> Self {
        let (point, [from, to]) = (Point::of(case), DECADES);
        let exact = point.by_duals();
        let off = |h: f64| error(&point.by_differences(h), &exact);
        let steps = (DENSITY * to..=DENSITY * from).rev().map(|k| 10_f64.powf(f64::from(k) / f64::from(DENSITY)));
        let report = richardson(|tape, x| case.f.on_numbers(tape, x), &case.inputs);
        Self {
            case: case.to_string(),
            points: steps.map(|h| (h, off(h))).collect(),
            pytorch: off(PYTORCH_STEP),
            richardson: report.worst().map_or(f64::NAN, |worst| worst.error),
            reverse: error(&point.by_reverse(), &exact),
        }
    }

    /// The step with the smallest error, and that error.
    pub fn best(&self) -> (f64, f64) {
        self.points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are steps")
    }
}

/// NaN if any number is NaN: the largest of all by [`f64::total_cmp`], where `f64::max` forgets it.
fn largest(x: impl Iterator<Item = f64>) -> f64 {
    x.map(f64::abs).max_by(f64::total_cmp).unwrap_or(0.0)
}

fn error(got: &Gradients, exact: &Gradients) -> f64 {
    let of = |(got, exact): (&Vec<f64>, &Vec<f64>)| {
        let scale = largest(exact.iter().copied());
        largest(got.iter().zip(exact).map(|(got, exact)| if got == exact { 0.0 } else { (got - exact) / scale }))
    };
    largest(got.iter().zip(exact).map(of))
}

/// A function at a point, with a gradient dy of its value: the slopes of ⟨dy, f⟩ along every entry, in three ways.
struct Point<'a> {
    f: &'a dyn Overloaded,
    inputs: Vec<Tensor<f64>>,
    dy: Tensor<f64>,
}

impl<'a> Point<'a> {
    fn of(case: &'a Case) -> Self {
        let (f, inputs, tape) = (&*case.f, case.values(), Tape::evaluating());
        let shape = f.on_numbers(&tape, &constants(&tape, &inputs)).shape();
        Self { f, inputs, dy: Draw::new(u32::MAX).nonzero(shape) }
    }

    fn by_reverse(&self) -> Gradients {
        vjp(self.f, &self.inputs, &self.dy).1.iter().map(Tensor::to_vec).collect()
    }

    fn by_duals(&self) -> Gradients {
        let still: Vec<_> = self.inputs.iter().map(|x| Tensor::zeros(x.shape())).collect();
        self.along_each(|at| self.contracted(&jvp(self.f, &self.inputs, &moved(&still, at, 1.0)).1))
    }

    fn by_differences(&self, h: f64) -> Gradients {
        let y = |at, by| {
            let tape = Tape::evaluating();
            self.f.on_numbers(&tape, &constants(&tape, &moved(&self.inputs, at, by))).value()
        };
        self.along_each(|at| self.contracted(&(&y(at, h) - &y(at, -h))) / (2.0 * h))
    }

    fn along_each(&self, slope: impl Fn([usize; 2]) -> f64) -> Gradients {
        let along = |k: usize| (0..self.inputs[k].size()).map(|i| slope([k, i])).collect();
        (0..self.inputs.len()).map(along).collect()
    }

    fn contracted(&self, y: &Tensor<f64>) -> f64 {
        self.dy.to_vec().iter().zip(y.to_vec()).map(|(dy, y)| dy * y).sum()
    }
}

/// The same tensors with entry i of the kth moved.
fn moved(x: &[Tensor<f64>], [k, i]: [usize; 2], by: f64) -> Vec<Tensor<f64>> {
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

    /// The two sides of the V have the slopes that theory gives, and what stands beside it is where it should be.
    #[test]
    fn truncation_on_one_side_and_rounding_on_the_other() {
        let curve = Curve::gru();
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
    fn an_error_of_nan_is_nan() {
        let exact = vec![vec![1.0, -2.0], vec![0.0]];
        assert_eq!(error(&vec![vec![1.0, -2.5], vec![0.0]], &exact), 0.25);
        for nan in [f64::NAN, -f64::NAN] {
            for wrong in [vec![vec![nan, -2.0], vec![0.0]], vec![vec![1.0, -2.0], vec![nan]]] {
                assert!(error(&wrong, &exact).is_nan() && error(&exact, &wrong).is_nan(), "{wrong:?}");
            }
        }
    }
}
