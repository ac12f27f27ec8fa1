//! The tape: records operations in its arena, in the order in which they are computed.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use tensor::{Kernels, Real, Tensor};

use crate::arena::{Arena, Node};
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Op};
use crate::var::Var;

/// A recording of a computation that can be run backwards.
///
/// Operations on [`Var`]s compute their value at once and add a node. Inputs precede outputs, so the backward pass
/// is one loop over the nodes in reverse. Values and gradients lie where the [kernels](Kernels::device) compute, and what is put
/// on the tape is brought there. [`clear`](Self::clear) starts the next pass in the same buffers: a second
/// pass of the same shape allocates nothing.
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
/// A variable cannot outlive its pass:
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
    /// An empty tape on the default kernels.
    pub fn new() -> Self {
        Self::with_kernels(T::kernels())
    }

    /// An empty tape on kernels of the caller's choice.
    pub fn with_kernels(kernels: &'static dyn Kernels<T>) -> Self {
        let arena = Arena { nodes: Vec::new(), len: 0, inputs: Vec::new(), grads: Vec::new(), scratch: Vec::new() };
        Self { arena: RefCell::new(arena), kernels, records: true }
    }

    /// A tape for inference with the same model code: no variable needs a gradient, and none can run back. The values
    /// stay until [`clear`](Self::clear), as on any tape.
    pub fn evaluating() -> Self {
        Self { records: false, ..Self::new() }
    }

    /// The kernels that it computes with.
    pub fn kernels(&self) -> &'static dyn Kernels<T> {
        self.kernels
    }

    /// Whether a backward pass is possible.
    pub fn records(&self) -> bool {
        self.records
    }

    /// A trainable parameter: after a backward pass it must have a gradient, or the pass is an error that names it.
    pub fn param(&self, name: impl Into<Arc<str>>, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Param(name.into()), value)
    }

    /// A variable whose gradient may be asked for.
    pub fn input(&self, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Input, value)
    }

    /// A value without gradient: data, or a parameter that is frozen.
    pub fn constant(&self, value: Tensor<T>) -> Var<'_, T> {
        self.leaf(Leaf::Constant, value)
    }

    /// Records an operation of the caller's own; see [`CustomOp`].
    ///
    /// # Panics
    /// If an input belongs to another tape, or the operation's forward makes no output.
    #[track_caller]
    pub fn custom<'t>(&'t self, op: impl CustomOp<T> + 'static, inputs: &[Var<'t, T>]) -> Var<'t, T> {
        self.record(Op::Custom(Box::new(op)), inputs)
    }

    /// Starts a new pass. The buffers of this one are kept for it; what operations hold, such as hooks, is dropped.
    pub fn clear(&mut self) {
        let arena = self.arena.get_mut();
        for node in &mut arena.nodes[..arena.len] {
            if node.op.shares_its_value() {
                node.value = None;
            }
            node.op = Op::Leaf(Leaf::Constant);
        }
        for grad in &mut arena.grads {
            grad.reached = false;
        }
        arena.len = 0;
        arena.inputs.clear();
    }

    /// The variable at this position of the current pass.
    ///
    /// # Panics
    /// If the pass is not that long.
    #[track_caller]
    pub fn var(&self, index: usize) -> Var<'_, T> {
        assert!(index < self.len(), "var: this pass has {} nodes, there is no node {index}", self.len());
        Var { tape: self, id: index as u32 }
    }

    /// How many nodes this pass has.
    pub fn len(&self) -> usize {
        self.arena.borrow().len
    }

    /// Whether nothing has been computed in this pass.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn leaf(&self, leaf: Leaf, value: Tensor<T>) -> Var<'_, T> {
        let (needs_grad, value) = (!matches!(leaf, Leaf::Constant), value.to_device(self.kernels.device()));
        let mut arena = self.arena.borrow_mut();
        let id = arena.push(Op::Leaf(leaf), &[], self.records && needs_grad);
        arena.nodes[id as usize].value = Some(value);
        arena.len += 1;
        Var { tape: self, id }
    }

    /// Computes `op` on `inputs` and records it.
    #[track_caller]
    pub(crate) fn record(&self, op: Op<T>, inputs: &[Var<'_, T>]) -> Var<'_, T> {
        self.record_by(op, inputs, |op, f| op.forward(f))
    }

    /// Records `op` on `inputs`, computed by `forward`.
    #[track_caller]
    pub(crate) fn record_by(
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
        arena.len += 1; // not before: a panic that is caught leaves no node without a value
        Var { tape: self, id }
    }
}

/// A position in the arena as it is stored there.
fn number(position: usize) -> u32 {
    position.try_into().expect("a pass has fewer than 2³² nodes and operands")
}

impl<T: Real> Arena<T> {
    /// Puts a node behind those of this pass, which it joins when it has its value.
    fn push(&mut self, op: Op<T>, inputs: &[Var<'_, T>], needs_grad: bool) -> u32 {
        let start = number(self.inputs.len());
        self.inputs.extend(inputs.iter().map(|x| x.id));
        let inputs = (start, number(self.inputs.len()));
        let id = self.len;
        match self.nodes.get_mut(id) {
            Some(slot) => {
                slot.op = op;
                slot.inputs = inputs;
                slot.needs_grad = needs_grad;
            }
            None => self.nodes.push(Node { op, inputs, value: None, kept: None, needs_grad }),
        }
        number(id)
    }

    #[track_caller]
    fn compute(&mut self, id: u32, kernels: &dyn Kernels<T>, compute: impl FnOnce(&Op<T>, &mut Forward<'_, T>)) {
        let (before, rest) = self.nodes.split_at_mut(id as usize);
        let Node { op, inputs, value, kept, .. } = &mut rest[0];
        let inputs = &self.inputs[inputs.0 as usize..inputs.1 as usize];
        let scratch = &mut self.scratch;
        let mut forward = Forward { kernels, before, inputs, value, kept, scratch, has_output: false };
        compute(op, &mut forward);
        assert!(forward.has_output, "{}: forward made no output", op.name());
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
    fn a_new_pass_knows_no_gradient_of_the_last_one() {
        let mut tape = Tape::<f64>::new();
        let x = tape.input(Tensor::scalar(2.0));
        x.square().backward().expect("no parameters");
        assert_eq!(x.grad().map(|grad| grad.item()), Some(4.0));
        tape.clear();
        assert_eq!(tape.input(Tensor::scalar(3.0)).grad(), None);
    }

    #[test]
    fn a_new_pass_has_dropped_the_hooks_of_the_last_one() {
        let (mut tape, held) = (Tape::<f64>::new(), Arc::new(()));
        let hook = held.clone();
        tape.input(Tensor::scalar(1.0)).hook(move |_| drop(hook.clone()));
        assert_eq!(Arc::strong_count(&held), 2);
        tape.clear();
        assert_eq!(Arc::strong_count(&held), 1);
    }

    /// y = x, where it does what it should.
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
    fn a_missing_output_is_no_value_of_the_last_pass_and_no_node() {
        let mut tape = Tape::new();
        let lazy = |tape: &Tape<f64>, lazy| tape.custom(Lazy(lazy), &[tape.input(Tensor::scalar(1.0))]).value().item();
        assert_eq!(lazy(&tape, false), 1.0);
        tape.clear();
        let panic = catch_unwind(AssertUnwindSafe(|| lazy(&tape, true))).expect_err("there is no output");
        assert_eq!(panic.downcast_ref::<String>().map(|s| &**s), Some("lazy: forward made no output"));
        assert_eq!(tape.to_string(), "%0 = input []\n");
        assert_eq!(tape.var(0).square().value().item(), 1.0);
    }

    #[test]
    #[should_panic(expected = "add: an operand belongs to another tape")]
    fn tapes_do_not_mix() {
        let (one, other) = (Tape::<f64>::new(), Tape::new());
        let _ = one.input(Tensor::scalar(1.0)) + other.input(Tensor::scalar(1.0));
    }

    #[test]
    fn a_constant_has_no_gradient_though_a_pass_starts_there() {
        let tape = Tape::<f64>::new();
        let (c, x) = (tape.constant(Tensor::scalar(1.0)), tape.input(Tensor::scalar(1.0)));
        for root in [c, x.detach()] {
            root.backward().expect("no parameters");
            assert_eq!((root.grad(), x.grad()), (None, None));
        }
    }

    #[test]
    #[should_panic(expected = "this tape evaluates, it has recorded nothing")]
    fn what_was_not_recorded_cannot_run_back() {
        let _ = Tape::<f64>::evaluating().input(Tensor::scalar(1.0)).square().backward();
    }
}
