//! The sum along one axis.
//!
//! - Forward: y\[…\] = Σ_k x\[…, k, …\]; the axis is removed.
//! - Backward: dx\[…, k, …\] += dy\[…\] for every k. Keeps nothing.
//! - Why: the adjoint of a sum is a broadcast.
//! - Cost per element: 1 flop forward, 1 backward.
//! - Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.2.

use tensor::{Real, Reduce};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct SumAxis(usize);

impl<T: Real> Var<'_, T> {
    /// Computes the sum along `axis`, and removes the axis.
    ///
    /// Gradient: dx\[…, k, …\] += dy\[…\] for every k; derived in [`ops::sum_axis`](crate::ops::sum_axis).
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sum_axis(self, axis: usize) -> Self {
        assert!(axis < self.shape().rank(), "sum_axis: {} has no axis {axis}", self.shape());
        self.tape.record(Op::SumAxis(SumAxis(axis)), &[self])
    }

    /// Computes the mean along `axis`, and removes the axis. Records a [`sum_axis`](Self::sum_axis) and a
    /// [`scale`](Self::scale).
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn mean_axis(self, axis: usize) -> Self {
        let sum = self.sum_axis(axis);
        sum.scale(T::one() / T::from_f64(self.shape()[axis] as f64))
    }
}

impl<T: Real> Operation<T> for SumAxis {
    const NAME: &'static str = "sum_axis";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("axis={}", self.0)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
        kernels.reduce(Reduce::Sum, x, self.0, f.output(shape.without_axis(self.0)));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            let shape = dx.shape();
            let dy = dy.reshape(shape.with_extent(self.0, 1)).expect("gradients are contiguous");
            kernels.sum_to(T::one(), dy.broadcast_to(shape), dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn sum_and_mean_along_each_axis_match_references() {
        let x = Tensor::from_fn([2, 3, 4], |i| (i as f64).sin());
        for axis in 0..3 {
            let (tape, sum) = (crate::Tape::new(), x.sum_axis(axis));
            assert_eq!(tape.input(x.clone()).sum_axis(axis).value(), sum);
            let part = 1.0 / x.shape()[axis] as f64;
            assert_eq!(tape.input(x.clone()).mean_axis(axis).value(), &sum * part);
            check_against_differences(core::slice::from_ref(&x), |x| x[0].mean_axis(axis));
        }
    }
}
