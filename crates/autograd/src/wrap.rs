//! Operations of the caller's own around recorded ones.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Op};
use crate::ops::Kind;
use crate::tape::Tape;

/// An operation of the engine that a tape has recorded, for a [`CustomOp`] around it; see [`Tape::wrap`].
pub struct Recorded<T: Real>(Op<T>);

impl<T: Real> Recorded<T> {
    /// Returns the gradient that the operation's own rule sends to each input, without those of other uses.
    pub fn gradients(&self, b: &Backward<'_, T>) -> Vec<Tensor<T>> {
        b.aside(|b| self.0.backward(b))
    }
}

impl<T: Real> CustomOp<T> for Recorded<T> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        self.0.forward(f);
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        self.0.backward(b);
    }
}

impl<T: Real> Tape<T> {
    /// Puts an operation of the caller's own around each operation of one kind that `record` records, and returns the result of
    /// `record`. The values stay; the backward pass runs the rule of the operation around.
    ///
    /// ```
    /// use autograd::ops::Kind;
    /// use autograd::{Backward, CustomOp, Forward, Recorded, Tape};
    /// use tensor::Tensor;
    ///
    /// /// The operation inside, with half of its gradients.
    /// struct Half(Recorded<f64>);
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
    /// assert_eq!(x.grad().unwrap().item(), 4.0); // 3, and 1
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    pub fn wrap<C, R>(&self, kind: Kind, around: impl Fn(Recorded<T>) -> C, record: impl FnOnce() -> R) -> R
    where
        C: CustomOp<T> + 'static,
    {
        let first = self.len();
        let recorded = record();
        let arena = &mut *self.arena.borrow_mut();
        for node in &mut arena.nodes[first..arena.len] {
            let is_own = !matches!(node.op, Op::Leaf(_) | Op::Custom(_));
            if is_own && node.op.name() == kind.name() {
                let op = core::mem::replace(&mut node.op, Op::Leaf(Leaf::Constant));
                node.op = Op::Custom(Box::new(around(Recorded(op))));
            }
        }
        recorded
    }
}
