//! Custom operations that wrap recorded ones.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Op};
use crate::ops::Kind;
use crate::tape::Tape;

/// A recorded operation, for a [`CustomOp`] that wraps it; see [`Tape::wrap`].
pub struct RecordedOp<T: Real>(Op<T>);

impl<T: Real> RecordedOp<T> {
    /// Runs the operation's own rule and returns the gradient that it adds to each input, without gradients from other uses.
    pub fn gradients(&self, b: &Backward<'_, T>) -> Vec<Tensor<T>> {
        b.isolated_gradients(|b| self.0.backward(b))
    }
}

impl<T: Real> CustomOp<T> for RecordedOp<T> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn arguments(&self) -> String {
        self.0.arguments()
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        self.0.forward(f);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        self.0.backward(b);
    }
}

impl<T: Real> Tape<T> {
    /// Calls `record`, wraps each operation of one kind that it records in a custom operation, and returns its result. Values
    /// do not change. The backward pass runs the rule of the custom operation.
    ///
    /// ```
    /// use autograd::ops::Kind;
    /// use autograd::{Backward, CustomOp, Forward, RecordedOp, Tape};
    /// use tensor::Tensor;
    ///
    /// /// The wrapped operation, with half of its gradients.
    /// struct Half(RecordedOp<f64>);
    ///
    /// impl CustomOp<f64> for Half {
    ///     fn name(&self) -> &str {
    ///         "half"
    ///     }
    ///     fn forward(&self, f: &mut Forward<'_, f64>) {
    ///         self.0.forward(f);
    ///     }
    ///     fn backward(&self, b: &mut Backward<'_, f64>) {
    ///         for (k, dx) in self.0.gradients(b).iter().enumerate() {
    ///             let kernels = b.kernels();
    ///             b.grad(k).into_iter().for_each(|to| kernels.sum_to(0.5, dx.view(), to));
    ///         }
    ///     }
    /// }
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.input(Tensor::scalar(3.0));
    /// let y = tape.wrap(Kind::Mul, Half, || x * x + x);
    /// y.backward()?;
    /// assert_eq!(x.grad().unwrap().item(), 4.0); // half of 6, plus 1
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    pub fn wrap<C, R>(&self, kind: Kind, wrapper: impl Fn(RecordedOp<T>) -> C, record: impl FnOnce() -> R) -> R
    where
        C: CustomOp<T> + 'static,
    {
        let first = self.len();
        let result = record();
        let arena = &mut *self.arena.borrow_mut();
        for node in &mut arena.nodes[first..arena.len] {
            let is_built_in = !matches!(node.op, Op::Leaf(_) | Op::Custom(_));
            if is_built_in && node.op.name() == kind.name() {
                let op = core::mem::replace(&mut node.op, Op::Leaf(Leaf::Constant));
                node.op = Op::Custom(Box::new(wrapper(RecordedOp(op))));
            }
        }
        result
    }
}
