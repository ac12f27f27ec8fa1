//! What an operation sees when it computes its value.

use alloc::vec::Vec;

use tensor::{Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use crate::arena::{Node, value};

/// The inputs of an operation, and the buffers for what it computes.
pub struct Forward<'a, T: Real> {
    pub(crate) kernels: &'a dyn Kernels<T>,
    pub(crate) before: &'a [Node<T>],
    pub(crate) inputs: &'a [u32],
    pub(crate) value: &'a mut Option<Tensor<T>>,
    pub(crate) kept: &'a mut Option<Tensor<T>>,
    pub(crate) scratch: &'a mut Vec<Tensor<T>>,
    /// Whether this pass has a value: the slot may still hold the last one's.
    pub(crate) has_output: bool,
}

impl<'a, T: Real> Forward<'a, T> {
    /// The kernels to compute with.
    pub fn kernels(&self) -> &'a dyn Kernels<T> {
        self.kernels
    }

    /// How many inputs.
    pub fn arity(&self) -> usize {
        self.inputs.len()
    }

    /// The value of input `k`.
    pub fn input(&self, k: usize) -> View<'a, T> {
        self.tensor(k).view()
    }

    /// The shape of input `k`.
    pub fn shape(&self, k: usize) -> Shape {
        self.tensor(k).shape()
    }

    /// The value's buffer, of this shape, its elements unspecified.
    pub fn output(&mut self, shape: impl Into<Shape>) -> ViewMut<'_, T> {
        self.has_output = true;
        sized(self.kernels, self.value, shape.into())
    }

    /// The value's buffer and one that is kept for the backward, their elements unspecified.
    pub fn output_and_kept(
        &mut self,
        shape: impl Into<Shape>,
        kept: impl Into<Shape>,
    ) -> (ViewMut<'_, T>, ViewMut<'_, T>) {
        self.has_output = true;
        (sized(self.kernels, self.value, shape.into()), sized(self.kernels, self.kept, kept.into()))
    }

    /// A buffer for intermediate results, its elements unspecified. Hand it back with [`give_back`](Self::give_back), the
    /// last first, or the next pass allocates another.
    pub fn scratch(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.scratch.pop().unwrap_or_else(|| Tensor::empty_on(self.kernels.device()));
        buffer.resize(shape);
        buffer
    }

    /// Keeps a scratch buffer for later.
    pub fn give_back(&mut self, buffer: Tensor<T>) {
        self.scratch.push(buffer);
    }

    /// Makes the value a view of a buffer that exists already.
    pub(crate) fn share(&mut self, tensor: Tensor<T>) {
        self.has_output = true;
        *self.value = Some(tensor);
    }

    /// Makes the value a view of input 0 under another shape; where that has gaps, of a copy that is kept.
    pub(crate) fn share_reshaped(&mut self, shape: Shape) {
        let (kernels, x) = (self.kernels, self.tensor(0));
        if x.view().reshape(shape).is_some() {
            return self.share(x.reshape(shape));
        }
        kernels.map(Map::Identity, x.view(), sized(self.kernels, self.kept, x.shape()));
        let copy = self.kept.as_ref().expect("it has just been made").reshape(shape);
        self.share(copy);
    }

    pub(crate) fn tensor(&self, k: usize) -> &'a Tensor<T> {
        value(self.before, self.inputs[k])
    }
}

/// A buffer of this shape where the kernels compute.
fn sized<'s, T: Real>(kernels: &dyn Kernels<T>, slot: &'s mut Option<Tensor<T>>, shape: Shape) -> ViewMut<'s, T> {
    let tensor = slot.get_or_insert_with(|| Tensor::empty_on(kernels.device()));
    tensor.resize(shape);
    tensor.view_mut()
}
