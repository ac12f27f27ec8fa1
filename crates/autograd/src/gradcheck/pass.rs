//! One run of what is checked: its value, and the gradients that it claims.

use alloc::string::String;
use alloc::vec::Vec;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Shape, Tensor};

use crate::tape::Tape;
use crate::var::Var;

/// A function of tensors on one scalar, behind a pointer: the checks are compiled once, not once for each function.
pub(super) type On<'a, T> = dyn for<'t> Fn(&'t Tape<T>, &[Var<'t, T>]) -> Var<'t, T> + 'a;

/// A backward on plain tensors: gradients from the inputs and the gradient of the value.
pub(super) type ByHand<'a> = dyn Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Tensor<f64>> + 'a;

/// One run forward and back: the value and the gradients of a function for some inputs.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The value.
    pub y: Tensor<f64>,
    /// The gradient of the value, with which the run back began.
    pub dy: Tensor<f64>,
    /// The gradients of the inputs; `None` for an input that the run back did not reach.
    pub gradients: Vec<Option<Tensor<f64>>>,
    /// Parameters that the function recorded itself, and that the run back did not reach.
    pub unreached: Vec<String>,
}

impl Pass {
    /// Runs `f` at `inputs`, and back from the cotangent that `dy` makes for the value's shape.
    pub fn of(
        f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
        inputs: &[Tensor<f64>],
        dy: impl FnOnce(Shape) -> Tensor<f64>,
    ) -> Self {
        let tape = Tape::new();
        let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
        Self::back(f(&tape, &x), &x, dy)
    }

    /// Runs back from a value that is on a tape already.
    pub fn back(y: Var<'_, f64>, x: &[Var<'_, f64>], dy: impl FnOnce(Shape) -> Tensor<f64>) -> Self {
        let dy = dy(y.shape());
        let unreached = y.backward_from(&dy).err().map(|unreached| unreached.names).unwrap_or_default();
        Self { y: y.value(), dy, gradients: x.iter().map(|x| x.grad()).collect(), unreached }
    }

    /// Runs back from the [`cotangent`] of the checks, multiplied by `times`.
    pub(super) fn on_tape(f: &On<f64>, inputs: &[Tensor<f64>], times: f64) -> Self {
        Self::of(f, inputs, |shape| &cotangent(shape, 0) * &Tensor::scalar(times))
    }

    pub(super) fn by_hand(
        value: &dyn Fn(&[Tensor<f64>]) -> Tensor<f64>,
        gradients: &ByHand,
        inputs: &[Tensor<f64>],
        times: f64,
    ) -> Self {
        let y = value(inputs);
        let dy = &cotangent(y.shape(), 0) * &Tensor::scalar(times);
        let gradients = gradients(inputs, &dy).into_iter().map(Some).collect();
        Self { y, dy, gradients, unreached: Vec::new() }
    }

    /// Entry `i` of the gradient of input `k`; zero where there is none.
    pub(super) fn gradient(&self, k: usize, i: usize) -> f64 {
        self.gradients[k].as_ref().and_then(|dx| dx.to_vec().get(i).copied()).unwrap_or(0.0)
    }

    /// The value's size: what its rounding is relative to.
    pub(super) fn magnitude(&self) -> f64 {
        self.dy.to_vec().iter().zip(self.y.to_vec()).map(|(dy, y)| (dy * y).abs()).sum()
    }

    /// What a mean may have been over: the extents of all gradients and of the value, and the products of neighbouring
    /// ones, from the smallest.
    pub(super) fn extents(&self) -> Vec<usize> {
        let shapes = self.gradients.iter().flatten().chain([&self.y]).map(|x| x.shape().to_vec());
        let mut extents: Vec<usize> = shapes
            .flat_map(|shape| {
                let from = |start: usize| (start + 1..=shape.len()).map(move |end| (start, end));
                (0..shape.len())
                    .flat_map(from)
                    .map(|(start, end)| shape[start..end].iter().product())
                    .collect::<Vec<_>>()
            })
            .collect();
        extents.sort_unstable();
        extents.dedup();
        extents
    }

    /// True if value and gradients are the same, bit for bit.
    pub fn has_the_bits_of(&self, other: &Self) -> bool {
        let mut pairs = self.gradients.iter().zip(&other.gradients);
        let gradients = pairs.all(|pair| match pair {
            (Some(a), Some(b)) => same_bits(a, b),
            (a, b) => a.is_none() && b.is_none(),
        });
        gradients && self.gradients.len() == other.gradients.len() && same_bits(&self.y, &other.y)
    }
}

/// True if shapes and bits are the same.
pub fn same_bits(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    let bits = |x: &Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    a.shape() == b.shape() && bits(a) == bits(b)
}

/// Numbers of either sign in ±\[0.5, 1.5), always the same for a seed: no two places alike, and none near zero. The checks use
/// those of seed 0.
pub fn cotangent(shape: Shape, seed: u32) -> Tensor<f64> {
    let mut rng = Philox::stream(0, Stream { purpose: Purpose(u32::MAX), update: 0, episode: seed });
    Tensor::from_fn(shape, |_| if rng.below(2) == 0 { 0.5 + rng.uniform_f64() } else { -0.5 - rng.uniform_f64() })
}

/// A new pass over `inputs` with `value` at entry `i` of input `k`.
pub(super) fn with_entry<'t, T: Real>(
    tape: &'t mut Tape<T>,
    inputs: &[Tensor<T>],
    (k, i): (usize, usize),
    value: T,
) -> (&'t Tape<T>, Vec<Var<'t, T>>) {
    tape.clear();
    let tape = &*tape;
    let moved = replaced(&inputs[k], i, value);
    let x = (0..inputs.len()).map(|j| tape.constant(if j == k { moved.clone() } else { inputs[j].clone() }));
    (tape, x.collect())
}

/// The same tensor with another `i`th entry.
pub(super) fn replaced<T: Real>(x: &Tensor<T>, i: usize, value: T) -> Tensor<T> {
    let mut entries = x.to_vec();
    entries[i] = value;
    Tensor::new(x.shape(), entries)
}
