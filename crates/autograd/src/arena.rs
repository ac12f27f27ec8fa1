//! The arena: the nodes (operations with their values) and the buffers of the backward pass.

use alloc::vec::Vec;

use tensor::{Real, Tensor};

use crate::op::{Leaf, Op};

/// One recorded operation.
pub(crate) struct Node<T: Real> {
    pub(crate) op: Op<T>,
    /// Start and end (exclusive) of its inputs in [`Arena::inputs`].
    pub(crate) inputs: (u32, u32),
    /// `None` only between passes, for a value whose buffer belongs to the caller or to another node.
    pub(crate) value: Option<Tensor<T>>,
    /// The buffer of an earlier pass, while `value` belongs to the caller or to another node.
    pub(crate) spare: Option<Tensor<T>>,
    /// Buffer that the operation keeps for its backward rule, besides inputs and value.
    pub(crate) kept: Option<Tensor<T>>,
    pub(crate) needs_grad: bool,
}

impl<T: Real> Node<T> {
    /// Creates a tape input with this value, which needs a gradient.
    pub(crate) fn input(value: Tensor<T>) -> Self {
        let (op, value) = (Op::Leaf(Leaf::Input), Some(value));
        Self { op, inputs: (0, 0), value, spare: None, kept: None, needs_grad: true }
    }

    /// Returns the name of a trainable parameter, and `None` for other nodes.
    pub(crate) fn parameter_name(&self) -> Option<&str> {
        match &self.op {
            Op::Leaf(Leaf::Param(name)) => Some(name),
            _ => None,
        }
    }
}

/// The gradient of a node. `reached` is true once this pass has added to it.
pub(crate) struct Grad<T: Real> {
    pub(crate) sum: Tensor<T>,
    pub(crate) reached: bool,
}

/// The storage of a tape. Its buffers stay allocated from one pass to the next.
pub(crate) struct Arena<T: Real> {
    /// Nodes of this pass, followed by unused nodes of longer passes.
    pub(crate) nodes: Vec<Node<T>>,
    /// Number of nodes in this pass.
    pub(crate) len: usize,
    pub(crate) inputs: Vec<u32>,
    pub(crate) grads: Vec<Grad<T>>,
    pub(crate) scratch: Vec<Tensor<T>>,
}

impl<T: Real> Arena<T> {
    /// Returns the input nodes of node `id`.
    pub(crate) fn inputs_of(&self, id: usize) -> &[u32] {
        let (start, end) = self.nodes[id].inputs;
        &self.inputs[start as usize..end as usize]
    }

    /// Returns the value of a recorded node.
    pub(crate) fn value(&self, id: u32) -> &Tensor<T> {
        value(&self.nodes, id)
    }
}

/// Sets a value whose buffer belongs to the caller or to another node. The node's own buffer stays for later passes.
pub(crate) fn set_shared<T: Real>(value: &mut Option<Tensor<T>>, spare: &mut Option<Tensor<T>>, shared: Tensor<T>) {
    if let Some(own) = value.replace(shared) {
        *spare = Some(own);
    }
}

pub(crate) fn value<T: Real>(nodes: &[Node<T>], id: u32) -> &Tensor<T> {
    nodes[id as usize].value.as_ref().expect("a recorded node has a value")
}
