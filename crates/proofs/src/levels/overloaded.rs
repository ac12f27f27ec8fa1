//! Functions of functions behind a pointer: what is generic in the scalar, done to the value of one that cannot be.

use autograd::gradcheck::Overloaded;
use autograd::{Tape, Var};
use tensor::{Dual, Real};

/// What follows a function: y and x to the result.
pub(super) trait After {
    fn after<'t, T: Real>(&self, y: Var<'t, T>, x: &[Var<'t, T>]) -> Var<'t, T>;
}

/// A function, and what follows it.
pub(super) struct Then<'a, A>(pub(super) &'a dyn Overloaded, pub(super) A);

type OnDuals = Dual<f64>;
type OnDualsOfDuals = Dual<Dual<f64>>;

impl<A: After> Overloaded for Then<'_, A> {
    fn on_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.1.after(self.0.on_f32(tape, x), x)
    }

    fn on_numbers<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        self.1.after(self.0.on_numbers(tape, x), x)
    }

    fn on_duals<'t>(&self, tape: &'t Tape<OnDuals>, x: &[Var<'t, OnDuals>]) -> Var<'t, OnDuals> {
        self.1.after(self.0.on_duals(tape, x), x)
    }

    fn on_duals_of_duals<'t>(
        &self,
        tape: &'t Tape<OnDualsOfDuals>,
        x: &[Var<'t, OnDualsOfDuals>],
    ) -> Var<'t, OnDualsOfDuals> {
        self.1.after(self.0.on_duals_of_duals(tape, x), x)
    }
}
