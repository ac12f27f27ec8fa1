//! The tape, which records operations in its arena in the order of their computation.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use tensor::{Kernels, Map, Real, Shape, Tensor, View, ViewMut};

use crate::arena::{Arena, Node, set_shared};
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Op};
use crate::var::Var;

/// A recording of a computation, for reverse-mode differentiation.
///
/// Operations on [`Var`]s compute their value at once and add a node. Inputs precede outputs, so the backward pass is one loop
/// over the nodes in reverse. Values and gradients are stored on the [kernels' device](Kernels::device); inputs of the tape are
/// copied to it. [`clear`](Self::clear) starts the next pass in the same buffers: a second pass of the same shapes allocates
/// nothing.
///
/// ```
/// use autograd::Tape;
/// use tensor::Tensor;
///
/// let tape = Tape::<f64>::new();
/// let x = tape.input(Tensor::from([1.0, 2.0]));
/// let y = (x * x).sum();
/// y.backward()?;
/// assert_eq!(x.grad().unwrap().to_vec(), [2.0, 4.0]);
/// # Ok::<(), autograd::Unreached>(())
/// ```
///
/// A variable cannot outlive its pass, so this does not compile:
/// ```compile_fail,E0502
/// # use autograd::Tape;
/// # use tensor::Tensor;
/// let mut tape = Tape::<f64>::new();
/// let x = tape.input(Tensor::scalar(1.0));
/// tape.clear();
/// x.value(); // stale
/// ```
pub struct Tape<T: Real = f32> {
    pub(crate) arena: RefCell<Arena<T>>,
    pub(crate) kernels: &'static dyn Kernels<T>,
    records: bool,
}

impl<T: Real> Tape<T> {
    /// Creates an empty tape on the default kernels.
    pub fn new() -> Self {
        Self::with_kernels(T::kernels())
    }

    /// Creates an empty tape on the given kernels.
    pub fn with_kernels(kernels: &'static dyn Kernels<T>) -> Self {
        let arena = Arena { nodes: Vec::new(), len: 0, inputs: Vec::new(), grads: Vec::new(), scratch: Vec::new() };
        Self { arena: RefCell::new(arena), kernels, records: true }
    }

    /// Creates a tape for inference, on which the same model code runs without gradients and without a backward pass. As on any
    /// tape, values stay until [`clear`](Self::clear).
    pub fn no_grad() -> Self {
        Self { records: false, ..Self::new() }
    }

    /// Returns the kernels of this tape.
    pub fn kernels(&self) -> &'static dyn Kernels<T> {
        self.kernels
    }

    /// Returns false for a tape made by [`no_grad`](Self::no_grad), which has no backward pass.
    pub fn is_recording(&self) -> bool {
        self.records
    }

    /// Adds a trainable parameter. A backward pass that does not reach it returns an error with its name.
    pub fn param(&self, name: impl Into<Arc<str>>, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Param(name.into()), value)
    }

    /// Adds a variable with a gradient. A backward pass need not reach it.
    pub fn input(&self, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Input, value)
    }

    /// Adds a value without gradient: data, or a frozen parameter.
    pub fn constant(&self, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Constant, value)
    }

    /// Adds a value without gradient, as a copy in a buffer of the tape. Later passes reuse the buffer, so they allocate nothing.
    pub fn constant_from(&self, value: View<'_, T>) -> Var<'_, T> {
        self.constant_with(value.shape(), |y| self.kernels.map(Map::Identity, value, y))
    }

    /// Adds a value without gradient whose elements are all `x`, in a buffer of the tape.
    pub fn constant_full(&self, shape: impl Into<Shape>, x: T) -> Var<'_, T> {
        self.constant_with(shape.into(), |y| y.fill(x))
    }

    fn constant_with(&self, shape: Shape, write: impl FnOnce(ViewMut<'_, T>)) -> Var<'_, T> {
        let mut arena = self.arena.borrow_mut();
        let id = arena.push(Op::Leaf(Leaf::Copied), &[], false);
        arena.compute(id, self.kernels, |_, f| write(f.output(shape)));
        arena.len += 1;
        Var { tape: self, id }
    }

    /// Computes and records an operation that the caller defines; see [`CustomOp`].
    ///
    /// # Panics
    /// If an input belongs to another tape, or if the operation's forward does not write an output.
    #[track_caller]
    pub fn custom<'t>(&'t self, op: impl CustomOp<T> + 'static, inputs: &[Var<'t, T>]) -> Var<'t, T> {
        self.record(Op::Custom(Box::new(op)), inputs)
    }

    /// Starts a new pass, which reuses the buffers of this one. The operations are dropped, together with the hooks in them.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Starts a new pass as [`clear`](Self::clear) does, but keeps the first `len` nodes. A program that makes many passes with the
    /// same parameters records them once.
    ///
    /// # Panics
    /// If there are fewer nodes.
    #[track_caller]
    pub fn truncate(&mut self, len: usize) {
        let arena = self.arena.get_mut();
        assert!(len <= arena.len, "truncate: {len} nodes of {}", arena.len);
        for node in &mut arena.nodes[len..arena.len] {
            if node.op.has_shared_value() {
                node.value = None;
            }
            node.op = Op::Leaf(Leaf::Constant);
        }
        for grad in &mut arena.grads {
            grad.reached = false;
        }
        arena.inputs.truncate(arena.nodes[..len].last().map_or(0, |node| node.inputs.1 as usize));
        arena.len = len;
    }

    /// Returns the variable at position `index` of the current pass.
    ///
    /// # Panics
    /// If the pass has no such position.
    #[track_caller]
    pub fn var(&self, index: usize) -> Var<'_, T> {
        assert!(index < self.len(), "var: node {index} does not exist, this pass has {} nodes", self.len());
        Var { tape: self, id: index as u32 }
    }

    /// Returns the number of nodes of this pass.
    pub fn len(&self) -> usize {
        self.arena.borrow().len
    }

    /// Returns true if this pass has no nodes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn leaf(&self, leaf: Leaf, value: Tensor<T>) -> Var<'_, T> {
        let (needs_grad, device) = (!matches!(leaf, Leaf::Constant), self.kernels.device());
        let value = if value.device() == device { value } else { value.to_device(device) };
        let mut arena = self.arena.borrow_mut();
        let id = arena.push(Op::Leaf(leaf), &[], self.records && needs_grad);
        let Node { value: slot, spare, .. } = &mut arena.nodes[id as usize];
        set_shared(slot, spare, value);
        arena.len += 1;
        Var { tape: self, id }
    }

    /// Computes `op` on `inputs` and records it.
    #[track_caller]
    pub(crate) fn record(&self, op: Op<T>, inputs: &[Var<'_, T>]) -> Var<'_, T> {
        self.record_with(op, inputs, |op, f| op.forward(f))
    }

    /// Computes `op` on `inputs` by `forward`, and records it.
    #[track_caller]
    pub(crate) fn record_with(
        &self,
        op: Op<T>,
        inputs: &[Var<'_, T>],
        forward: impl FnOnce(&Op<T>, &mut Forward<'_, T>),
    ) -> Var<'_, T> {
        for x in inputs {
            assert!(core::ptr::eq(x.tape, self), "{}: an operand belongs to another tape", op.name());
        }
        let mut arena = self.arena.borrow_mut();
        let needs_grad = self.records
            && !matches!(op, Op::Detach(_))
            && inputs.iter().any(|x| arena.nodes[x.id as usize].needs_grad);
        let id = arena.push(op, inputs, needs_grad);
        arena.compute(id, self.kernels, forward);
        arena.len += 1; // last, so that a caught panic leaves no node without a value
        Var { tape: self, id }
    }
}

/// Converts a position in the arena to the type that nodes store.
fn to_u32(position: usize) -> u32 {
    position.try_into().expect("a pass has fewer than 2³² nodes and operands")
}

impl<T: Real> Arena<T> {
    /// Writes a node after the last one of this pass. The caller increases `len` once the node has its value.
    fn push(&mut self, op: Op<T>, inputs: &[Var<'_, T>], needs_grad: bool) -> u32 {
        let start = to_u32(self.inputs.len());
        self.inputs.extend(inputs.iter().map(|x| x.id));
        let inputs = (start, to_u32(self.inputs.len()));
        let id = self.len;
        match self.nodes.get_mut(id) {
            Some(slot) => {
                slot.op = op;
                slot.inputs = inputs;
                slot.needs_grad = needs_grad;
            }
            None => self.nodes.push(Node { op, inputs, value: None, spare: None, kept: None, needs_grad }),
        }
        to_u32(id)
    }

    #[track_caller]
    fn compute(&mut self, id: u32, kernels: &dyn Kernels<T>, compute: impl FnOnce(&Op<T>, &mut Forward<'_, T>)) {
        let (before, rest) = self.nodes.split_at_mut(id as usize);
        let Node { op, inputs, value, spare, kept, .. } = &mut rest[0];
        let inputs = &self.inputs[inputs.0 as usize..inputs.1 as usize];
        let scratch = &mut self.scratch;
        let mut forward = Forward { kernels, before, inputs, value, spare, kept, scratch, has_output: false };
        compute(op, &mut forward);
        assert!(forward.has_output, "{}: forward wrote no output", op.name());
    }
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::{String, ToString};

    use super::*;

    #[test]
    fn grad_after_clear_is_none() {
        let mut tape = Tape::<f64>::new();
        let x = tape.input(Tensor::scalar(2.0));
        x.square().backward().expect("no parameters");
        assert_eq!(x.grad().map(|grad| grad.item()), Some(4.0));
        tape.clear();
        assert_eq!(tape.input(Tensor::scalar(3.0)).grad(), None);
    }

    #[test]
    fn clear_drops_the_hooks_of_the_pass() {
        let (mut tape, held) = (Tape::<f64>::new(), Arc::new(()));
        let hook = held.clone();
        tape.input(Tensor::scalar(1.0)).hook(move |_| drop(hook.clone()));
        assert_eq!(Arc::strong_count(&held), 2);
        tape.clear();
        assert_eq!(Arc::strong_count(&held), 1);
    }

    /// y = x. If the flag is set, forward writes no output.
    struct Lazy(bool);

    impl CustomOp<f64> for Lazy {
        fn name(&self) -> &str {
            "lazy"
        }

        fn forward(&self, f: &mut Forward<'_, f64>) {
            if !self.0 {
                let x = f.input(0);
                f.kernels().map(tensor::Map::Identity, x, f.output(x.shape()));
            }
        }

        fn backward(&self, _: &mut crate::Backward<'_, f64>) {}
    }

    #[test]
    fn custom_op_without_output_panics_and_adds_no_node() {
        let mut tape = Tape::new();
        let lazy = |tape: &Tape<f64>, lazy| tape.custom(Lazy(lazy), &[tape.input(Tensor::scalar(1.0))]).value().item();
        assert_eq!(lazy(&tape, false), 1.0);
        tape.clear();
        let panic = catch_unwind(AssertUnwindSafe(|| lazy(&tape, true))).expect_err("forward wrote no output");
        assert_eq!(panic.downcast_ref::<String>().map(|s| &**s), Some("lazy: forward wrote no output"));
        assert_eq!(tape.to_string(), "%0 = input []");
        assert_eq!(tape.var(0).square().value().item(), 1.0);
    }

    #[test]
    #[should_panic(expected = "add: an operand belongs to another tape")]
    fn record_operand_of_another_tape_panics() {
        let (one, other) = (Tape::<f64>::new(), Tape::new());
        let _ = one.input(Tensor::scalar(1.0)) + other.input(Tensor::scalar(1.0));
    }

    #[test]
    fn backward_from_a_constant_leaves_no_gradient() {
        let tape = Tape::<f64>::new();
        let (c, x) = (tape.constant(Tensor::scalar(1.0)), tape.input(Tensor::scalar(1.0)));
        for root in [c, x.detach()] {
            root.backward().expect("no parameters");
            assert_eq!((root.grad(), x.grad()), (None, None));
        }
    }

    #[test]
    #[should_panic(expected = "a tape made by Tape::no_grad has no backward pass")]
    fn backward_on_a_no_grad_tape_panics() {
        let _ = Tape::<f64>::no_grad().input(Tensor::scalar(1.0)).square().backward();
    }
}
