//! One run forward and back, and when two results are alike.

use autograd::{Tape, Var};
use proofs::{Case, Draw};
use tensor::{Shape, Tensor};

use super::Verdict;

/// A value and the gradients of the inputs.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) y: Tensor<f64>,
    pub(super) dx: Vec<Option<Tensor<f64>>>,
}

impl Pass {
    /// The case at its own inputs, with a cotangent that `seed` names.
    pub(super) fn of(case: &Case, seed: u32) -> Self {
        Self::at(case, &case.values(), &|shape| cotangent(shape, seed))
    }

    /// The case at other inputs.
    pub(super) fn at(case: &Case, inputs: &[Tensor<f64>], dy: &dyn Fn(Shape) -> Tensor<f64>) -> Self {
        let tape = Tape::new();
        let x: Vec<_> = inputs.iter().map(|x| tape.input(x.clone())).collect();
        Self::back(case.f.on_numbers(&tape, &x), &x, dy)
    }

    /// From a value that is on a tape already.
    pub(super) fn back<'t>(y: Var<'t, f64>, x: &[Var<'t, f64>], dy: &dyn Fn(Shape) -> Tensor<f64>) -> Self {
        y.backward_from(&dy(y.shape())).expect("a case has no parameters of its own");
        Self { y: y.value(), dx: x.iter().map(|x| x.grad()).collect() }
    }

    /// Whether every input has a gradient of its shape: asked first, as an empty one agrees with everything.
    pub(super) fn shapes(&self, inputs: &[Tensor<f64>]) -> Verdict {
        gradients_fit(&self.dx, inputs)
    }

    /// The gradients, all of which are there.
    pub(super) fn gradients(self, inputs: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>, String> {
        self.shapes(inputs)?;
        Ok(self.dx.into_iter().flatten().collect())
    }

    pub(super) fn bits(&self) -> (Vec<u64>, Vec<Option<Vec<u64>>>) {
        (bits(&self.y), self.dx.iter().map(|dx| dx.as_ref().map(bits)).collect())
    }
}

/// Whether every input has a gradient, of its shape.
///
/// # Errors
/// If not.
pub fn gradients_fit(dx: &[Option<Tensor<f64>>], inputs: &[Tensor<f64>]) -> Verdict {
    for (k, (dx, x)) in dx.iter().zip(inputs).enumerate() {
        match dx.as_ref().map(Tensor::shape) {
            Some(shape) if shape == x.shape() => {}
            Some(shape) => return Err(format!("input {k} is {} and its gradient {shape}", x.shape())),
            None => return Err(format!("input {k} has no gradient")),
        }
    }
    Ok(())
}

pub(super) fn bits(x: &Tensor<f64>) -> Vec<u64> {
    x.to_vec().into_iter().map(f64::to_bits).collect()
}

/// Different in every place, of either sign, none near zero.
pub(super) fn cotangent(shape: Shape, seed: u32) -> Tensor<f64> {
    Draw::new(1000 + seed).nonzero(shape)
}

/// Whether two tensors of one shape differ by no more than `tolerance` times the largest entry of either.
///
/// # Errors
/// If not, with the worst entry, after the words of `what`.
pub fn near(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, tolerance: f64) -> Verdict {
    near_on(what, got, want, 0.0, tolerance)
}

/// [`near`], relative to a scale that may be larger. Nothing is near NaN, and nothing is known next to an infinity.
///
/// # Errors
/// As there.
pub fn near_on(what: &str, got: &Tensor<f64>, want: &Tensor<f64>, scale: f64, tolerance: f64) -> Verdict {
    if got.shape() != want.shape() {
        return Err(format!("{what}: {} is not {}", got.shape(), want.shape()));
    }
    let (got, want) = (got.to_vec(), want.to_vec());
    let scale = largest(&got).max(largest(&want)).max(scale);
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = if got == want { 0.0 } else { (got - want).abs() / scale };
        let is_near = scale.is_finite() && error <= tolerance;
        if !is_near {
            return Err(format!(
                "{what}: entry {i} is {got:e}, not {want:e}; error {error:.1e}, allowed {tolerance:e}"
            ));
        }
    }
    Ok(())
}

pub(super) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| x.abs().max(largest))
}
