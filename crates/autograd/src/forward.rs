//! The arguments of an operation's forward rule.

use alloc::vec::Vec;

use tensor::{Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use crate::arena::{Node, set_shared, value};

/// The arguments of an operation's forward rule: its inputs, and the buffers for its results.
pub struct Forward<'a, T: Real> {
    pub(crate) kernels: &'a dyn Kernels<T>,
    pub(crate) before: &'a [Node<T>],
    pub(crate) inputs: &'a [u32],
    pub(crate) value: &'a mut Option<Tensor<T>>,
    pub(crate) spare: &'a mut Option<Tensor<T>>,
    pub(crate) kept: &'a mut Option<Tensor<T>>,
    pub(crate) scratch: &'a mut Vec<Tensor<T>>,
    /// True once the rule has written a value. Before that, `value` may hold the value of the last pass.
    pub(crate) has_output: bool,
}

impl<'a, T: Real> Forward<'a, T> {
    /// Returns the kernels to compute with.
    pub fn kernels(&self) -> &'a dyn Kernels<T> {
        self.kernels
    }

    /// Returns the number of inputs.
    pub fn arity(&self) -> usize {
        self.inputs.len()
    }

    /// Returns the value of input `k`.
    pub fn input(&self, k: usize) -> View<'a, T> {
        self.tensor(k).view()
    }

    /// Returns the shape of input `k`.
    pub fn shape(&self, k: usize) -> Shape {
        self.tensor(k).shape()
    }

    /// Returns the buffer of the value, in this shape, with unspecified elements.
    pub fn output(&mut self, shape: impl Into<Shape>) -> ViewMut<'_, T> {
        self.restore_buffer();
        resized_buffer(self.kernels, self.value, shape.into())
    }

    /// Returns the buffer of the value, and a second buffer that is kept for the backward rule. Their elements are unspecified.
    pub fn output_and_kept(
        &mut self,
        shape: impl Into<Shape>,
        kept: impl Into<Shape>,
    ) -> (ViewMut<'_, T>, ViewMut<'_, T>) {
        self.restore_buffer();
        (resized_buffer(self.kernels, self.value, shape.into()), resized_buffer(self.kernels, self.kept, kept.into()))
    }

    /// Returns a buffer for intermediate results, with unspecified elements. Return it by
    /// [`release_scratch`](Self::release_scratch), in reverse order; otherwise the next pass allocates another.
    pub fn scratch(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.scratch.pop().unwrap_or_else(|| Tensor::empty_on(self.kernels.device()));
        buffer.resize(shape);
        buffer
    }

    /// Returns a scratch buffer to the pool.
    pub fn release_scratch(&mut self, buffer: Tensor<T>) {
        self.scratch.push(buffer);
    }

    /// Sets the value to a view of an existing buffer.
    pub(crate) fn set_view(&mut self, tensor: Tensor<T>) {
        self.has_output = true;
        set_shared(self.value, self.spare, tensor);
    }

    /// Restores the node's own buffer, if its value in the last pass was a view.
    fn restore_buffer(&mut self) {
        self.has_output = true;
        if self.value.is_none() {
            *self.value = self.spare.take();
        }
    }

    /// Sets the value to a view of input 0 in another shape. If input 0 is not contiguous, the view is of a copy, which is
    /// kept.
    pub(crate) fn set_reshaped_view(&mut self, shape: Shape) {
        let (kernels, x) = (self.kernels, self.tensor(0));
        if x.view().reshape(shape).is_some() {
            return self.set_view(x.reshape(shape));
        }
        kernels.map(Map::Identity, x.view(), resized_buffer(self.kernels, self.kept, x.shape()));
        let copy = self.kept.as_ref().expect("the line above wrote it").reshape(shape);
        self.set_view(copy);
    }

    pub(crate) fn tensor(&self, k: usize) -> &'a Tensor<T> {
        value(self.before, self.inputs[k])
    }
}

/// Returns the buffer in `slot`, resized to `shape`. Creates it on the kernels' device if the slot is empty.
fn resized_buffer<'s, T: Real>(
    kernels: &dyn Kernels<T>,
    slot: &'s mut Option<Tensor<T>>,
    shape: Shape,
) -> ViewMut<'s, T> {
    let tensor = slot.get_or_insert_with(|| Tensor::empty_on(kernels.device()));
    tensor.resize(shape);
    tensor.view_mut()
}
