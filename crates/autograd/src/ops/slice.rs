//! A range of one axis.
//!
//! - Forward: y = x with one axis restricted to a range; y is a view.
//! - Backward: dx in the same range += dy. Keeps nothing.
//! - Why: elements outside the range do not affect y.
//! - Cost: nothing forward, 1 flop per element of y backward.
//! - Reference: NumPy manual, "Basic slicing".

use core::ops::Range;

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Slice {
    axis: usize,
    start: usize,
    end: usize,
}

impl<T: Real> Var<'_, T> {
    /// Restricts `axis` to `range`, as a view.
    ///
    /// Gradient: dx in the same range += dy; derived in [`ops::slice`](crate::ops::slice).
    ///
    /// # Panics
    /// If there is no such axis, or if `range` is not inside it.
    #[track_caller]
    pub fn slice(self, axis: usize, range: Range<usize>) -> Self {
        let (shape, Range { start, end }) = (self.shape(), range);
        let fits = axis < shape.rank() && start <= end && end <= shape[axis];
        assert!(fits, "slice: {start}..{end} is outside axis {axis} of {shape}");
        self.tape.record(Op::Slice(Slice { axis, start, end }), &[self])
    }

    /// Returns the entry `index` of `axis`, and removes the axis. Records a [`slice`](Self::slice) and a
    /// [`reshape`](Self::reshape).
    ///
    /// # Panics
    /// If there is no such entry.
    #[track_caller]
    pub fn select(self, axis: usize, index: usize) -> Self {
        let one = self.slice(axis, index..index + 1);
        one.reshape(one.shape().without_axis(axis))
    }
}

impl<T: Real> Operation<T> for Slice {
    const NAME: &'static str = "slice";
    const IS_VIEW: bool = true;

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("axis={}, range={}..{}", self.axis, self.start, self.end)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_view(f.tensor(0).slice(self.axis, self.start..self.end));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy, dx.slice(self.axis, self.start..self.end));
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn slice_overlapping_ranges_match_differences() {
        let x = Tensor::from_fn([2, 5], |i| i as f64);
        check_against_differences(core::slice::from_ref(&x), |x| x[0].slice(1, 0..3).square() + x[0].slice(1, 2..5));
        check_against_differences(&[x], |x| x[0].select(1, 4).square());
    }

    #[test]
    #[should_panic(expected = "slice: 1..4 is outside axis 1 of [2, 3]")]
    fn slice_range_outside_the_axis_panics() {
        let _ = crate::Tape::<f64>::new().input(Tensor::zeros([2, 3])).slice(1, 1..4);
    }

    #[test]
    #[should_panic(expected = "slice: 0..1 is outside axis 2 of [2, 3]")]
    fn slice_missing_axis_panics() {
        let _ = crate::Tape::<f64>::new().input(Tensor::zeros([2, 3])).slice(2, 0..1);
    }
}
