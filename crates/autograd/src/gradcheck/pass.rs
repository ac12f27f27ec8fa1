//! One forward and backward run of the checked function: its value and its gradients.

use alloc::string::String;
use alloc::vec::Vec;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Shape, Tensor};

use crate::tape::Tape;
use crate::var::Var;

/// A function on a tape with one scalar type. It is a trait object, so that the checks are compiled once and not for each
/// function.
pub(super) type TapeFn<'a, T> = dyn for<'t> Fn(&'t Tape<T>, &[Var<'t, T>]) -> Var<'t, T> + 'a;

/// A hand-written backward on plain tensors: computes gradients from the inputs and the gradient of the value.
pub(super) type GradientFn<'a> = dyn Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Tensor<f64>> + 'a;

/// The results of one forward and backward run of a function.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The value.
    pub y: Tensor<f64>,
    /// The gradient of the value, from which the backward run started.
    pub dy: Tensor<f64>,
    /// The gradients of the inputs; `None` for an input that the backward run did not reach.
    pub gradients: Vec<Option<Tensor<f64>>>,
    /// Names of the parameters that the function recorded itself and that the backward run did not reach.
    pub unreached: Vec<String>,
}

impl Pass {
    /// Runs `f` at `inputs`, and runs back from the gradient `dy(shape)` of its value.
    pub fn run(
        f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
        inputs: &[Tensor<f64>],
        dy: impl FnOnce(Shape) -> Tensor<f64>,
    ) -> Self {
        let tape = Tape::new();
        let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
        Self::run_backward(f(&tape, &x), &x, dy)
    }

    /// Runs back from a value that is already on a tape.
    pub fn run_backward(y: Var<'_, f64>, x: &[Var<'_, f64>], dy: impl FnOnce(Shape) -> Tensor<f64>) -> Self {
        let dy = dy(y.shape());
        let unreached = y.backward_from(&dy).err().map(|unreached| unreached.names).unwrap_or_default();
        Self { y: y.value(), dy, gradients: x.iter().map(|x| x.grad()).collect(), unreached }
    }

    /// Runs `f`, and runs back from the checks' [cotangent](draw_cotangent) multiplied by `factor`.
    pub(super) fn run_on_tape(f: &TapeFn<f64>, inputs: &[Tensor<f64>], factor: f64) -> Self {
        Self::run(f, inputs, |shape| &draw_cotangent(shape, 0) * &Tensor::scalar(factor))
    }

    pub(super) fn run_by_hand(
        value: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>,
        gradients: &GradientFn,
        inputs: &[Tensor<f64>],
        factor: f64,
    ) -> Self {
        let y = value(inputs);
        let dy = &draw_cotangent(y.shape(), 0) * &Tensor::scalar(factor);
        let gradients = gradients(inputs, &dy).into_iter().map(Some).collect();
        Self { y, dy, gradients, unreached: Vec::new() }
    }

    /// Returns entry `i` of the gradient of input `k`, or zero if there is none.
    pub(super) fn gradient(&self, k: usize, i: usize) -> f64 {
        self.gradients[k].as_ref().and_then(|dx| dx.to_vec().get(i).copied()).unwrap_or(0.0)
    }

    /// Returns Σ |dy·y|, the magnitude that rounding errors are relative to.
    pub(super) fn magnitude(&self) -> f64 {
        self.dy.to_vec().iter().zip(self.y.to_vec()).map(|(dy, y)| (dy * y).abs()).sum()
    }

    /// Returns the numbers that a forgotten mean may have divided by: the extents of all gradients and of the value, and the
    /// products of adjacent extents, in ascending order.
    pub(super) fn extents(&self) -> Vec<usize> {
        let shapes = self.gradients.iter().flatten().chain([&self.y]).map(|x| x.shape().to_vec());
        let mut extents: Vec<usize> = shapes
            .flat_map(|shape| {
                let ranges = |start: usize| (start + 1..=shape.len()).map(move |end| (start, end));
                (0..shape.len())
                    .flat_map(ranges)
                    .map(|(start, end)| shape[start..end].iter().product())
                    .collect::<Vec<_>>()
            })
            .collect();
        extents.sort_unstable();
        extents.dedup();
        extents
    }

    /// True if values and gradients are equal bit for bit.
    pub fn has_same_bits(&self, other: &Self) -> bool {
        let mut pairs = self.gradients.iter().zip(&other.gradients);
        let gradients = pairs.all(|pair| match pair {
            (Some(a), Some(b)) => has_same_bits(a, b),
            (a, b) => a.is_none() && b.is_none(),
        });
        gradients && self.gradients.len() == other.gradients.len() && has_same_bits(&self.y, &other.y)
    }
}

/// True if shapes and elements are equal bit for bit.
pub fn has_same_bits(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    let bits = |x: &Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.shape() == b.shape() && bits(a) == bits(b)
}

/// Draws a gradient dy for the value of a checked function: numbers in ±\[0.5, 1.5), so that no two entries are equal and none
/// is near zero. A seed always gives the same numbers. The checks use seed 0.
pub fn draw_cotangent(shape: Shape, seed: u32) -> Tensor<f64> {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose(u32::MAX), update: 0, episode: seed });
    Tensor::from_fn(shape, |_| if rng.below(2) == 0 { 0.5 + rng.uniform_f64() } else { -0.5 - rng.uniform_f64() })
}

/// Starts a new pass with `inputs` as constants, and with `value` at entry `i` of input `k`.
pub(super) fn record_with_entry<'t, T: Real>(
    tape: &'t mut Tape<T>,
    inputs: &[Tensor<T>],
    (k, i): (usize, usize),
    value: T,
) -> (&'t Tape<T>, Vec<Var<'t, T>>) {
    tape.clear();
    let tape = &*tape;
    let moved = replace_entry(&inputs[k], i, value);
    let x = (0..inputs.len()).map(|j| tape.constant(if j == k { moved.clone() } else { inputs[j].clone() }));
    (tape, x.collect())
}

/// Returns the tensor with its `i`th entry replaced by `value`.
pub(super) fn replace_entry<T: Real>(x: &Tensor<T>, i: usize, value: T) -> Tensor<T> {
    let mut entries = x.to_vec();
    entries[i] = value;
    Tensor::new(x.shape(), entries)
}
