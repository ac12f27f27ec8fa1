//! The backward pass: one loop over the nodes in reverse. Each node adds to the gradients of its inputs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::{Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use crate::arena::{Arena, Grad, Node, value};
use crate::tape::Tape;

/// The arguments of an operation's backward rule: the gradient of its value, the tensors of the forward pass, and the gradients
/// of its inputs, to which the rule adds.
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
    /// Returns the kernels to compute with.
    pub fn kernels(&self) -> &'a dyn Kernels<T> {
        self.kernels
    }

    /// Returns the number of inputs.
    pub fn arity(&self) -> usize {
        self.inputs.len()
    }

    /// Returns dy, the gradient of the operation's value.
    pub fn dy(&self) -> View<'a, T> {
        self.dy.view()
    }

    pub(crate) fn dy_tensor(&self) -> &'a Tensor<T> {
        self.dy
    }

    /// Returns the value that the forward pass computed.
    pub fn output(&self) -> View<'a, T> {
        self.node.value.as_ref().expect("a recorded node has a value").view()
    }

    /// Returns the value of input `k`.
    pub fn input(&self, k: usize) -> View<'a, T> {
        value(self.nodes, self.inputs[k]).view()
    }

    /// Returns the buffer that the forward pass kept.
    pub fn kept(&self) -> View<'a, T> {
        self.node.kept.as_ref().expect("the forward pass kept it").view()
    }

    /// Returns the gradient of input `k`, to add to, or `None` if input `k` needs no gradient.
    pub fn grad(&mut self, k: usize) -> Option<ViewMut<'_, T>> {
        let (mut dx, reached) = self.grad_uninit(k)?;
        if !reached {
            dx.reborrow().fill(T::zero());
        }
        Some(dx)
    }

    /// Returns the gradient of input `k` without clearing it, and true if it is initialised. The rule must then add to it.
    /// Otherwise its elements are unspecified, and the rule must write all of them. See [`grad`](Self::grad).
    pub fn grad_uninit(&mut self, k: usize) -> Option<(ViewMut<'_, T>, bool)> {
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

    /// Returns true if input `k` needs a gradient: it is a parameter or an input of the tape, or depends on one.
    pub fn needs_grad(&self, k: usize) -> bool {
        self.nodes[self.inputs[k] as usize].needs_grad
    }

    /// Returns a zeroed buffer for intermediate results. Return it by [`release_scratch`](Self::release_scratch), in reverse
    /// order; otherwise the next pass allocates another.
    pub fn scratch(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.scratch_uninit(shape);
        buffer.view_mut().fill(T::zero());
        buffer
    }

    /// Returns a buffer as [`scratch`](Self::scratch) does, with unspecified elements.
    pub fn scratch_uninit(&mut self, shape: impl Into<Shape>) -> Tensor<T> {
        let mut buffer = self.scratch.pop().unwrap_or_else(|| Tensor::empty_on(self.kernels.device()));
        buffer.resize(shape);
        buffer
    }

    /// Returns a scratch buffer to the pool.
    pub fn release_scratch(&mut self, buffer: Tensor<T>) {
        self.scratch.push(buffer);
    }

    /// Runs `rule` and returns the gradient that it adds to each input, without gradients from other uses.
    pub(crate) fn isolated_gradients(&self, rule: impl FnOnce(&mut Backward<'_, T>)) -> Vec<Tensor<T>> {
        let values = || self.inputs.iter().map(|&id| value(self.nodes, id));
        let nodes: Vec<_> = values().map(|x| Node::input(x.clone())).collect();
        let zeros = |x: &Tensor<T>| Tensor::zeros(x.shape()).to_device(self.kernels.device());
        let mut grads: Vec<_> = values().map(|x| Grad { sum: zeros(x), reached: true }).collect();
        let inputs: Vec<u32> = (0..nodes.len() as u32).collect();
        rule(&mut Backward { nodes: &nodes, inputs: &inputs, grads: &mut grads, scratch: &mut Vec::new(), ..*self });
        grads.into_iter().map(|grad| grad.sum).collect()
    }
}

/// Error: a backward pass did not reach these trainable parameters, because the loss does not depend on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Names of the parameters, in the order of recording.
    pub names: Vec<String>,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no gradient reached the trainable parameter{} {}: use {} in the loss, or freeze {}",
            if self.names.len() == 1 { "" } else { "s" },
            self.names.join(", "),
            if self.names.len() == 1 { "it" } else { "them" },
            if self.names.len() == 1 { "it" } else { "them" },
        )
    }
}

impl core::error::Error for Unreached {}

impl<T: Real> Tape<T> {
    /// Runs the backward pass from node `root`. Its gradient is `dy`, or 1 without `dy`.
    #[track_caller]
    pub(crate) fn run_backward(&self, root: u32, dy: Option<&Tensor<T>>) -> Result<(), Unreached> {
        assert!(self.is_recording(), "backward: a tape made by Tape::no_grad has no backward pass");
        let arena = &mut *self.arena.borrow_mut();
        arena.prepare(root, dy, self.kernels);
        let Arena { nodes, inputs, grads, scratch, len } = arena;
        for id in (0..=root as usize).rev() {
            let node = &nodes[id];
            if !node.needs_grad || !grads[id].reached {
                continue;
            }
            let (grads, this) = grads.split_at_mut(id); // the gradients of earlier nodes, and this one
            let inputs = &inputs[node.inputs.0 as usize..node.inputs.1 as usize];
            let back = &mut Backward { kernels: self.kernels, nodes, node, inputs, grads, dy: &this[0].sum, scratch };
            node.op.backward(back);
        }
        check_all_reached(&nodes[..*len], grads)
    }
}

impl<T: Real> Arena<T> {
    /// Runs `rule` with the arguments of the last backward pass for node `id`, which that pass has reached. Gradients that it
    /// adds to the inputs are discarded.
    pub(crate) fn rerun_backward(&self, id: usize, kernels: &dyn Kernels<T>, rule: impl FnOnce(&mut Backward<'_, T>)) {
        let (nodes, inputs, dy) = (&self.nodes[..], self.inputs_of(id), &self.grads[id].sum);
        let (grads, scratch) = (&mut [], &mut Vec::new());
        Backward { kernels, nodes, node: &nodes[id], inputs, grads, dy, scratch }.isolated_gradients(rule);
    }

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
    let unreached = nodes.iter().zip(grads).filter(|(_, grad)| !grad.reached);
    let names: Vec<String> = unreached.filter_map(|(node, _)| node.parameter_name().map(String::from)).collect();
    if names.is_empty() { Ok(()) } else { Err(Unreached { names }) }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn unreached_parameters_are_named_in_the_error() {
        let message = |names: &[&str]| Unreached { names: names.iter().map(|&name| name.into()).collect() }.to_string();
        let words = "no gradient reached the trainable parameter w: use it in the loss, or freeze it";
        assert_eq!(message(&["w"]), words);
        assert!(message(&["w", "b"]).starts_with("no gradient reached the trainable parameters w, b: use them in"));
    }
}
