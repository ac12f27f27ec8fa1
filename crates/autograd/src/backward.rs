//! The backward pass: one loop over the nodes in reverse, each handing its gradient on to its inputs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::{Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use crate::arena::{Arena, Grad, Node, value};
use crate::tape::Tape;

/// What an operation sees in the backward pass: the gradient of its value, what the forward pass had, and the
/// gradients of its inputs, to be added to.
pub struct Backward<'a, T: Real> {
    kernels: &'a dyn Kernels<T>,
    nodes: &'a [Node<T>],
    node: &'a Node<T>,
    inputs: &'a [u32],
    grads: &'a mut [Grad<T>],
    dy: &'a Tensor<T>,
    scratch: &'a mut Vec<Tensor<T>>,
}

impl<'a, T: Real> Backward<'a, T> {
    /// The kernels to compute with.
    pub fn kernels(&self) -> &'a dyn Kernels<T> {
        self.kernels
    }

    /// How many inputs.
    pub fn arity(&self) -> usize {
        self.inputs.len()
    }

    /// The gradient that comes in.
    pub fn dy(&self) -> View<'a, T> {
        self.dy.view()
    }

    pub(crate) fn dy_tensor(&self) -> &'a Tensor<T> {
        self.dy
    }

    /// The value that the forward pass computed.
    pub fn output(&self) -> View<'a, T> {
        self.node.value.as_ref().expect("a recorded node has a value").view()
    }

    /// The value of input `k`.
    pub fn input(&self, k: usize) -> View<'a, T> {
        value(self.nodes, self.inputs[k]).view()
    }

    /// The buffer that the forward pass kept.
    pub fn kept(&self) -> View<'a, T> {
        self.node.kept.as_ref().expect("the forward pass kept it").view()
    }

    /// The gradient of input `k`, to be added to; `None` if nothing that is asked for depends on it.
    pub fn grad(&mut self, k: usize) -> Option<ViewMut<'_, T>> {
        let (mut dx, reached) = self.grad_as_it_is(k)?;
        if !reached {
            dx.reborrow().fill(T::zero());
        }
        Some(dx)
    }

    /// [`grad`](Self::grad), and whether anything is in it: if not, its elements are unspecified, and all are to be written. For
    /// rules that can do either.
    pub fn grad_as_it_is(&mut self, k: usize) -> Option<(ViewMut<'_, T>, bool)> {
        let id = self.inputs[k];
        if !self.needs_grad(k) {
            return None;
        }
        let grad = &mut self.grads[id as usize];
        let reached = core::mem::replace(&mut grad.reached, true);
        if !reached {
            grad.sum.resize(value(self.nodes, id).shape());
        }
        Some((grad.sum.view_mut(), reached))
    }

    /// Whether anything that is asked for depends on input `k`.
    pub fn needs_grad(&self, k: usize) -> bool {
        self.nodes[self.inputs[k] as usize].needs_grad
    }

    /// A buffer for intermediate results, zero everywhere. Hand it back with [`give_back`](Self::give_back), the last
    /// first, or the next pass allocates another.
    pub fn scratch(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.blank(shape);
        buffer.view_mut().fill(T::zero());
        buffer
    }

    /// [`scratch`](Self::scratch), with its elements unspecified.
    pub fn blank(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.scratch.pop().unwrap_or_else(|| Tensor::empty_on(self.kernels.device()));
        buffer.resize(shape);
        buffer
    }

    /// Keeps a scratch buffer for later.
    pub fn give_back(&mut self, buffer: Tensor<T>) {
        self.scratch.push(buffer);
    }

    /// Returns the gradient that a rule sends to each input, without those of other uses.
    pub(crate) fn aside(&self, rule: impl FnOnce(&mut Backward<'_, T>)) -> Vec<Tensor<T>> {
        let values = || self.inputs.iter().map(|&id| value(self.nodes, id));
        let nodes: Vec<_> = values().map(|x| Node::input(x.clone())).collect();
        let zeros = |x: &Tensor<T>| Tensor::zeros(x.shape()).to_device(self.kernels.device());
        let mut grads: Vec<_> = values().map(|x| Grad { sum: zeros(x), reached: true }).collect();
        let inputs: Vec<u32> = (0..nodes.len() as u32).collect();
        rule(&mut Backward { nodes: &nodes, inputs: &inputs, grads: &mut grads, scratch: &mut Vec::new(), ..*self });
        grads.into_iter().map(|grad| grad.sum).collect()
    }
}

/// Trainable parameters that a backward pass did not reach: their part of the graph was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The parameters' names, in the order of recording.
    pub names: Vec<String>,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no gradient reached the trainable parameter{} {}: use {} in the loss, or freeze what should not train",
            if self.names.len() == 1 { "" } else { "s" },
            self.names.join(", "),
            if self.names.len() == 1 { "it" } else { "them" },
        )
    }
}

impl core::error::Error for Unreached {}

impl<T: Real> Tape<T> {
    /// Runs back from node `root`, whose gradient is `dy`, or one.
    #[track_caller]
    pub(crate) fn run_back(&self, root: u32, dy: Option<&Tensor<T>>) -> Result<(), Unreached> {
        assert!(self.records(), "backward: this tape evaluates, it has recorded nothing");
        let arena = &mut *self.arena.borrow_mut();
        arena.prepare(root, dy, self.kernels);
        let Arena { nodes, inputs, grads, scratch, len } = arena;
        for id in (0..=root as usize).rev() {
            let node = &nodes[id];
            if !node.needs_grad || !grads[id].reached {
                continue;
            }
            let (grads, this) = grads.split_at_mut(id); // those of earlier nodes
            let inputs = &inputs[node.inputs.0 as usize..node.inputs.1 as usize];
            let back = &mut Backward { kernels: self.kernels, nodes, node, inputs, grads, dy: &this[0].sum, scratch };
            node.op.backward(back);
        }
        check_all_reached(&nodes[..*len], grads)
    }
}

impl<T: Real> Arena<T> {
    fn prepare(&mut self, root: u32, dy: Option<&Tensor<T>>, kernels: &dyn Kernels<T>) {
        while self.grads.len() < self.len {
            self.grads.push(Grad { sum: Tensor::empty_on(kernels.device()), reached: false });
        }
        for grad in &mut self.grads {
            grad.reached = false;
        }
        let seed = &mut self.grads[root as usize];
        seed.reached = self.nodes[root as usize].needs_grad;
        seed.sum.resize(value(&self.nodes, root).shape());
        match dy {
            Some(dy) => kernels.map(Map::Identity, dy.to_device(kernels.device()).view(), seed.sum.view_mut()),
            None => seed.sum.view_mut().fill(T::one()),
        }
    }
}

fn check_all_reached<T: Real>(nodes: &[Node<T>], grads: &[Grad<T>]) -> Result<(), Unreached> {
    let cut_off = nodes.iter().zip(grads).filter(|(_, grad)| !grad.reached);
    let names: Vec<String> = cut_off.filter_map(|(node, _)| node.param().map(String::from)).collect();
    if names.is_empty() { Ok(()) } else { Err(Unreached { names }) }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn what_was_not_reached_is_named() {
        let said = |names: &[&str]| Unreached { names: names.iter().map(|&name| name.into()).collect() }.to_string();
        let words =
            "no gradient reached the trainable parameter w: use it in the loss, or freeze what should not train";
        assert_eq!(said(&["w"]), words);
        assert!(said(&["w", "b"]).starts_with("no gradient reached the trainable parameters w, b: use them in"));
    }
}
