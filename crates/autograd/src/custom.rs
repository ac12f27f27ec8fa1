//! The open door: operations of the people who embed the engine.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;

/// An operation that the engine does not have, with its own backward rule; see [`Tape::custom`](crate::Tape::custom).
///
/// This one computes on the host. What is to work on a GPU too calls [`Forward::kernels`], or moves numbers by `to_vec` and `assign`.
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
