//! The handle of a node. The operations on it are in the files of [`ops`](crate::ops).

use core::fmt;

use tensor::{Real, Shape, Tensor};

use crate::backward::Unreached;
use crate::tape::Tape;

/// A value on a tape. A handle: copying it copies no data, and it cannot outlive the pass that made it.
#[derive(Clone, Copy)]
pub struct Var<'t, T: Real = f32> {
    pub(crate) tape: &'t Tape<T>,
    pub(crate) id: u32,
}

impl<'t, T: Real> Var<'t, T> {
    /// The tape it is on.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// Its position on the tape.
    pub fn index(self) -> usize {
        self.id as usize
    }

    /// Its value. Shares the buffer.
    pub fn value(self) -> Tensor<T> {
        self.tape.arena.borrow().value(self.id).clone()
    }

    /// The shape of its value.
    pub fn shape(self) -> Shape {
        self.tape.arena.borrow().value(self.id).shape()
    }

    /// Runs the tape back from this single number, so that every variable it depends on has its gradient.
    ///
    /// # Errors
    /// If a trainable parameter of this pass was not reached.
    ///
    /// # Panics
    /// If this is not a single number, or the tape is [evaluating](Tape::evaluating).
    #[track_caller]
    pub fn backward(self) -> Result<(), Unreached> {
        assert_eq!(self.shape().size(), 1, "backward: the loss must be one number, not {}", self.shape());
        self.tape.run_back(self.id, None)
    }

    /// Runs the tape back from a value of any shape whose gradient is `dy`.
    ///
    /// # Errors
    /// If a trainable parameter of this pass was not reached.
    ///
    /// # Panics
    /// If the shapes differ, or the tape is [evaluating](Tape::evaluating).
    #[track_caller]
    pub fn backward_from(self, dy: &Tensor<T>) -> Result<(), Unreached> {
        assert_eq!(self.shape(), dy.shape(), "backward_from: value {} and gradient {}", self.shape(), dy.shape());
        self.tape.run_back(self.id, Some(dy))
    }

    /// The gradient that the last backward pass left here: of this variable's value in all its uses together. `None`
    /// where that pass did not come by, and for what needs none: constants, and what is computed from them alone.
    pub fn grad(self) -> Option<Tensor<T>> {
        let arena = self.tape.arena.borrow();
        let grad = arena.grads.get(self.id as usize)?;
        grad.reached.then(|| grad.sum.clone())
    }
}

impl<T: Real> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{} {:?}", self.id, self.value())
    }
}
