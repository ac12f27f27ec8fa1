//! The arena: nodes, each an operation with its value, and the buffers of a backward pass.

use alloc::vec::Vec;

use tensor::{Real, Tensor};

use crate::op::{Leaf, Op};

/// One recorded operation.
pub(crate) struct Node<T: Real> {
    pub(crate) op: Op<T>,
    /// First and last-plus-one position of its inputs in [`Arena::inputs`].
    pub(crate) inputs: (u32, u32),
    /// `None` only between passes, where the value was shared with something outside the arena.
    pub(crate) value: Option<Tensor<T>>,
    /// What the operation keeps for its backward besides inputs and value.
    pub(crate) kept: Option<Tensor<T>>,
    pub(crate) needs_grad: bool,
}

impl<T: Real> Node<T> {
    /// An input of this value, which needs a gradient.
    pub(crate) fn input(value: Tensor<T>) -> Self {
        Self { op: Op::Leaf(Leaf::Input), inputs: (0, 0), value: Some(value), kept: None, needs_grad: true }
    }

    /// Its name, if it is a trainable parameter.
    pub(crate) fn param(&self) -> Option<&str> {
        match &self.op {
            Op::Leaf(Leaf::Param(name)) => Some(name),
            _ => None,
        }
    }
}

/// The gradient of a node, and whether anything has been added to it in this pass.
pub(crate) struct Grad<T: Real> {
    pub(crate) sum: Tensor<T>,
    pub(crate) reached: bool,
}

/// What the tape owns. Everything here stays allocated from one pass to the next.
pub(crate) struct Arena<T: Real> {
    /// Nodes of this pass, then slots left over from a longer one.
    pub(crate) nodes: Vec<Node<T>>,
    /// How many nodes belong to this pass.
    pub(crate) len: usize,
    pub(crate) inputs: Vec<u32>,
    pub(crate) grads: Vec<Grad<T>>,
    pub(crate) scratch: Vec<Tensor<T>>,
}

impl<T: Real> Arena<T> {
    /// The input nodes of node `id`.
    pub(crate) fn inputs_of(&self, id: usize) -> &[u32] {
        let (start, end) = self.nodes[id].inputs;
        &self.inputs[start as usize..end as usize]
    }

    /// The value of a recorded node.
    pub(crate) fn value(&self, id: u32) -> &Tensor<T> {
        value(&self.nodes, id)
    }
}

pub(crate) fn value<T: Real>(nodes: &[Node<T>], id: u32) -> &Tensor<T> {
    nodes[id as usize].value.as_ref().expect("a recorded node has a value")
}
