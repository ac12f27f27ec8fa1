//! The restriction to a range.
//!
//! - Forward: y = min(max(x, low), high), for x of any shape and constants low ≤ high; y has its shape.
//! - Backward: dx += dy where low ≤ x ≤ high, and 0 elsewhere. Keeps the input. At the kinks x = low and x = high the slope is 1
//!   by convention.
//! - Why: y = x inside the range; outside y is constant.
//! - Cost: 2 comparisons forward, 4 flops backward.
//! - Reference: PyTorch manual, `torch.clamp`; its convention at the kinks is the same.

use tensor::{Map, Real};

use super::unary::{self, SlopeOf};
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Clamp<T> {
    low: T,
    high: T,
}

impl<T: Real> Var<'_, T> {
    /// Restricts each element to the range from `low` to `high`: y = min(max(x, low), high).
    ///
    /// Gradient: dx += dy where low ≤ x ≤ high; derived in [`ops::clamp`](crate::ops::clamp).
    ///
    /// # Panics
    /// If `low` is above `high`, or one of them is NaN.
    #[track_caller]
    pub fn clamp(self, low: T, high: T) -> Self {
        assert!(low <= high, "clamp: the range from {low} to {high} is empty");
        self.tape.record(Op::Clamp(Clamp { low, high }), &[self])
    }

    /// Replaces elements below `low` by `low`, by [`clamp`](Self::clamp): the maximum with a number, as PyTorch's `clamp_min`. An
    /// element equal to `low` keeps its whole gradient.
    ///
    /// # Panics
    /// If `low` is NaN.
    #[track_caller]
    pub fn clamp_min(self, low: T) -> Self {
        assert!(!low.value().is_nan(), "clamp_min: {low} is no bound");
        self.clamp(low, T::from_f64(f64::INFINITY))
    }

    /// Replaces elements above `high` by `high`, by [`clamp`](Self::clamp): the minimum with a number, as PyTorch's `clamp_max`.
    /// An element equal to `high` keeps its whole gradient.
    ///
    /// # Panics
    /// If `high` is NaN.
    #[track_caller]
    pub fn clamp_max(self, high: T) -> Self {
        assert!(!high.value().is_nan(), "clamp_max: {high} is no bound");
        self.clamp(T::from_f64(f64::NEG_INFINITY), high)
    }
}

impl<T: Real> Operation<T> for Clamp<T> {
    const NAME: &'static str = "clamp";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("low={}, high={}", self.low, self.high)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Clamp(self.low, self.high));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        unary::backward(b, Map::InRange(self.low, self.high), SlopeOf::X);
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_unary;

    #[test]
    fn clamp_inside_outside_and_at_the_edges_matches_its_formulas() {
        let slope = |x: f64| if (-1.0..=2.0).contains(&x) { 1.0 } else { 0.0 };
        check_unary(&[-3.0, -1.0, 0.5, 2.0, 2.5], |x| x.clamp(-1.0, 2.0), |x| x.clamp(-1.0, 2.0), slope);
    }

    #[test]
    fn clamp_min_and_max_leave_the_other_side_open() {
        let infinite = [f64::NEG_INFINITY, -3.0, 3.0, f64::INFINITY];
        let tape = Tape::new();
        let x = tape.input(Tensor::from(infinite));
        assert_eq!(x.clamp_min(-1.0).value(), Tensor::from([-1.0, -1.0, 3.0, f64::INFINITY]));
        assert_eq!(x.clamp_max(1.0).value(), Tensor::from([f64::NEG_INFINITY, -3.0, 1.0, 1.0]));
    }

    #[test]
    #[should_panic(expected = "clamp_min: NaN is no bound")]
    fn clamp_min_nan_panics() {
        let _ = Tape::<f64>::new().input(Tensor::zeros([2])).clamp_min(f64::NAN);
    }

    #[test]
    #[should_panic(expected = "clamp_max: NaN is no bound")]
    fn clamp_max_nan_panics() {
        let _ = Tape::<f64>::new().input(Tensor::zeros([2])).clamp_max(f64::NAN);
    }

    #[test]
    #[should_panic(expected = "clamp: the range from 2 to 1 is empty")]
    fn clamp_reversed_bounds_panics() {
        let _ = Tape::<f64>::new().input(Tensor::zeros([2])).clamp(2.0, 1.0);
    }
}
