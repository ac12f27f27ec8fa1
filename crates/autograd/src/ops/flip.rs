//! Reversal of one axis.
//!
//! - Forward: y = x with the entries along one axis in reverse order; y is a view.
//! - Backward: dx += dy reversed along the same axis. Keeps nothing.
//! - Why: each element of x is one element of y, and a reversal is its own inverse.
//! - Cost: nothing forward, 1 flop per element backward.
//! - Reference: NumPy manual, `numpy.flip`.

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Flip {
    axis: usize,
}

impl<T: Real> Var<'_, T> {
    /// Reverses the order of the entries along `axis`, as a view.
    ///
    /// Gradient: dx += dy reversed along the same axis; derived in [`ops::flip`](crate::ops::flip).
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn flip(self, axis: usize) -> Self {
        assert!(axis < self.shape().rank(), "flip: {} has no axis {axis}", self.shape());
        self.tape.record(Op::Flip(Flip { axis }), &[self])
    }
}

impl<T: Real> Operation<T> for Flip {
    const NAME: &'static str = "flip";
    const IS_VIEW: bool = true;

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("axis={}", self.axis)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_view(f.tensor(0).flip(self.axis));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy, dx.flip(self.axis));
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    #[test]
    fn flip_each_axis_matches_differences() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let y = Tape::<f64>::new().input(x.clone()).flip(1).value();
        assert_eq!(y, Tensor::from([[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]));
        for axis in 0..2 {
            check_against_differences(core::slice::from_ref(&x), |x| x[0].flip(axis) * x[0].square());
        }
    }

    #[test]
    #[should_panic(expected = "flip: [2, 3] has no axis 2")]
    fn flip_missing_axis_panics() {
        let _ = Tape::<f64>::new().input(Tensor::zeros([2, 3])).flip(2);
    }
}
