//! The handle of a node. The files of [`ops`](crate::ops) add one method for each operation.

use tensor::{Real, Shape, Tensor};

use crate::backward::Unreached;
use crate::tape::Tape;

/// A variable: a handle to a value on a tape. Copying the handle copies no data. It cannot outlive the pass that made it.
///
/// [`ops`](crate::ops) lists the operations on variables, with their gradients.
#[derive(Clone, Copy)]
pub struct Var<'t, T: Real = f32> {
    pub(crate) tape: &'t Tape<T>,
    pub(crate) id: u32,
}

impl<'t, T: Real> Var<'t, T> {
    /// Returns the variable's tape.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// Returns its position on the tape.
    pub fn index(self) -> usize {
        self.id as usize
    }

    /// Returns its value, which shares the tape's buffer.
    pub fn value(self) -> Tensor<T> {
        self.tape.arena.borrow().value(self.id).clone()
    }

    /// Returns the shape of its value.
    pub fn shape(self) -> Shape {
        self.tape.arena.borrow().value(self.id).shape()
    }

    /// Runs the backward pass from this value, which must have one element. Afterwards every variable that it depends on has
    /// its gradient.
    ///
    /// # Errors
    /// If no gradient reached a trainable parameter of this pass.
    ///
    /// # Panics
    /// If this value does not have exactly one element, or if the tape was made by [`Tape::no_grad`].
    #[track_caller]
    pub fn backward(self) -> Result<(), Unreached> {
        assert!(self.shape().size() == 1, "backward: the loss must have one element, its shape is {}", self.shape());
        self.tape.run_backward(self.id, None)
    }

    /// Runs the backward pass from a value of any shape, whose gradient is `dy`.
    ///
    /// # Errors
    /// If no gradient reached a trainable parameter of this pass.
    ///
    /// # Panics
    /// If the shapes differ, or if the tape was made by [`Tape::no_grad`].
    #[track_caller]
    pub fn backward_from(self, dy: &Tensor<T>) -> Result<(), Unreached> {
        let (value_shape, dy_shape) = (self.shape(), dy.shape());
        assert!(
            value_shape == dy_shape,
            "backward_from: value {value_shape} and gradient {dy_shape} must have the same shape"
        );
        self.tape.run_backward(self.id, Some(dy))
    }

    /// Returns the gradient from the last backward pass, summed over all uses of this variable. Returns `None` if that pass did
    /// not reach the variable. Constants, and values computed from constants alone, have no gradient.
    pub fn grad(self) -> Option<Tensor<T>> {
        let arena = self.tape.arena.borrow();
        let grad = arena.grads.get(self.id as usize)?;
        grad.reached.then(|| grad.sum.clone())
    }
}
