//! Operations that users of the engine define.

use alloc::string::String;

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;

/// An operation that the user defines, with its own backward rule; see [`Tape::custom`](crate::Tape::custom).
///
/// The example computes on the host. An operation that also runs on a GPU calls [`Forward::kernels`], or copies numbers by
/// `to_vec` and `assign`.
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
///         let x = f.input(0).as_ndarray();
///         let mut y = f.output(f.shape(0)).into_ndarray();
///         y.zip_mut_with(&x, |y, &x| *y = x * x * x);
///     }
///     fn backward(&self, b: &mut Backward<'_, T>) {
///         let (x, dy) = (b.input(0).as_ndarray(), b.dy().as_ndarray());
///         let Some(dx) = b.grad(0) else { return };
///         for ((dx, &x), &dy) in dx.into_ndarray().iter_mut().zip(&x).zip(&dy) {
///             *dx += T::from_f64(3.0) * x * x * dy;
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
    /// Returns the name in errors and printed tapes.
    fn name(&self) -> &str;

    /// Returns the arguments besides the inputs, for printed tapes: `axis=0, range=2..5`. Empty by default.
    fn arguments(&self) -> String {
        String::new()
    }

    /// Computes the value into the buffer from [`Forward::output`]. The rule must call that method.
    fn forward(&self, f: &mut Forward<'_, T>);

    /// Adds to the gradient of each input for which [`Backward::grad`] returns one.
    fn backward(&self, b: &mut Backward<'_, T>);
}
