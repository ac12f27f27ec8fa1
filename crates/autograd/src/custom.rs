//! The open door: operations of the people who embed the engine.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Leaf, Op};
use crate::ops::Kind;
use crate::tape::Tape;

/// An operation that the engine does not have, with its own backward rule; see [`Tape::custom`](crate::Tape::custom).
///
/// This one computes on the host. What is to work on a card too calls [`Forward::kernels`], or moves numbers by `to_vec` and `assign`.
///
/// ```
/// use autograd::{Backward, CustomOp, Forward, Tape};
/// use tensor::{Map, Real, Tensor};
///
/// /// y = x³, elementwise; dx += 3x²·dy.
/// struct Cube;
///
/// impl<T: Real> CustomOp<T> for Cube {
///     fn name(&self) -> &str {
///         "cube"
///     }
///     fn forward(&self, f: &mut Forward<'_, T>) {
///         let x = f.input(0).host();
///         let mut y = f.output(f.shape(0)).host();
///         y.zip_mut_with(&x, |y, &x| *y = x * x * x);
///     }
///     fn backward(&self, b: &mut Backward<'_, T>) {
///         let (x, dy) = (b.input(0).host(), b.dy().host());
///         let Some(dx) = b.grad(0) else { return };
///         for ((dx, &x), &dy) in dx.host().iter_mut().zip(&x).zip(&dy) {
///             *dx += T::of(3.0) * x * x * dy;
///         }
///     }
/// }
///
/// let tape = Tape::<f64>::new();
/// let x = tape.input(Tensor::from([1.0, 2.0]));
/// let y = tape.custom(Cube, &[x]);
/// y.sum().backward()?;
/// assert_eq!(y.value().to_vec(), [1.0, 8.0]);
/// assert_eq!(x.grad().unwrap().to_vec(), [3.0, 12.0]);
/// # Ok::<(), autograd::Unreached>(())
/// ```
pub trait CustomOp<T: Real>: Send {
    /// The name in errors and printed tapes.
    fn name(&self) -> &str;

    /// Computes the value into [`Forward::output`], which must be asked for.
    fn forward(&self, f: &mut Forward<'_, T>);

    /// Adds to each [`Backward::grad`] that is there.
    fn backward(&self, b: &mut Backward<'_, T>);
}

/// An operation of the engine that a tape has recorded, for a [`CustomOp`] around it; see [`Tape::wrap`].
pub struct Recorded<T: Real>(Op<T>);

impl<T: Real> Recorded<T> {
    /// Returns what the operation's own rule sends to each input, added to nothing.
    pub fn gradients(&self, b: &Backward<'_, T>) -> Vec<Tensor<T>> {
        b.aside(&self.0)
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
    /// Puts an operation of the caller's own around each operation of one kind that `record` records, and returns what
    /// `record` returns. The values stay; the backward pass runs the rule of the operation around.
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
