//! Broadcasting under NumPy's rule.
//!
//! - Forward: y is x broadcast to a larger shape; axes of extent 1 and missing leading axes of x repeat. y is a view.
//! - Backward: dx += dy summed over the repeated axes. Keeps nothing.
//! - Why: an element used n times sums n gradients.
//! - Cost: nothing forward, 1 flop per element of y backward.
//! - Reference: NumPy manual, `numpy.broadcast_to`.

use tensor::{Real, Shape};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct BroadcastTo(Shape);

impl<T: Real> Var<'_, T> {
    /// Broadcasts this value to `shape`, as a view.
    ///
    /// Gradient: dx += dy summed over the repeated axes; derived in [`ops::broadcast_to`](crate::ops::broadcast_to).
    ///
    /// # Panics
    /// If this shape does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Shape>) -> Self {
        let (from, to) = (self.shape(), shape.into());
        assert!(from.broadcast(&to) == Some(to), "broadcast_to: {from} does not broadcast to {to}");
        self.tape.record(Op::BroadcastTo(BroadcastTo(to)), &[self])
    }
}

impl<T: Real> Operation<T> for BroadcastTo {
    const NAME: &'static str = "broadcast_to";
    const IS_VIEW: bool = true;

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_view(f.tensor(0).broadcast_to(self.0));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn broadcast_to_every_kind_of_axis_matches_differences() {
        for shape in [&[3][..], &[1, 3], &[4, 1], &[1, 1], &[2, 4, 3], &[2, 1, 1]] {
            let size = shape.iter().product::<usize>();
            let x = Tensor::new(shape, (1..=size).map(|i| i as f64).collect());
            check_against_differences(&[x], |x| x[0].broadcast_to([2, 4, 3]).square());
        }
    }
}
