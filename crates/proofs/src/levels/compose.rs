//! Composition with a `dyn` function: an operation that is generic in the scalar, applied to its value.

use autograd::gradcheck::DynFunction;
use autograd::{Tape, Var};
use tensor::{Dual, Real};

/// A function of y and x, applied after another function y = f(x).
pub(super) trait Followup {
    fn apply<'t, T: Real>(&self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Var<'t, T>;
}

/// A function followed by another one.
pub(super) struct Composed<'a, A>(pub(super) &'a dyn DynFunction, pub(super) A);

type OnDuals = Dual<f64>;
type OnDualsOfDuals = Dual<Dual<f64>>;

impl<A: Followup> DynFunction for Composed<'_, A> {
    fn call_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.1.apply(self.0.call_f32(tape, x), x)
    }

    fn call_f64<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        self.1.apply(self.0.call_f64(tape, x), x)
    }

    fn call_dual<'t>(&self, tape: &'t Tape<OnDuals>, x: &[Var<'t, OnDuals>]) -> Var<'t, OnDuals> {
        self.1.apply(self.0.call_dual(tape, x), x)
    }

    fn call_nested_dual<'t>(
        &self,
        tape: &'t Tape<OnDualsOfDuals>,
        x: &[Var<'t, OnDualsOfDuals>],
    ) -> Var<'t, OnDualsOfDuals> {
        self.1.apply(self.0.call_nested_dual(tape, x), x)
    }
}
