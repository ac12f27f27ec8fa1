//! Results as lists of numbers that can be compared.

use ndarray::Array2;
use tensor::{Real, Tensor};

/// The result of a contestant.
pub trait Outcome {
    /// Returns all numbers of the result, in an order that the contestants share.
    fn numbers(&self) -> Vec<f64>;
}

impl<T: Real> Outcome for Tensor<T> {
    fn numbers(&self) -> Vec<f64> {
        self.to_vec().iter().map(|x| x.value()).collect()
    }
}

/// The order is row by row.
impl Outcome for Array2<f32> {
    fn numbers(&self) -> Vec<f64> {
        self.iter().map(|&x| f64::from(x)).collect()
    }
}

impl Outcome for f64 {
    fn numbers(&self) -> Vec<f64> {
        vec![*self]
    }
}

impl Outcome for f32 {
    fn numbers(&self) -> Vec<f64> {
        vec![f64::from(*self)]
    }
}

/// The outcomes follow each other.
impl<O: Outcome> Outcome for Vec<O> {
    fn numbers(&self) -> Vec<f64> {
        self.iter().flat_map(Outcome::numbers).collect()
    }
}

/// Asserts that `max |got − want| ≤ tolerance · max |want|`. A tolerance of 0 requires equal numbers.
///
/// # Panics
/// If a number is further away or not finite, or if the lengths differ. The message names the worst number.
#[track_caller]
pub fn verify(name: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{name}: {} numbers, but the reference has {}", got.len(), want.len());
    let largest = want.iter().fold(0.0, |largest: f64, w| largest.max(w.abs()));
    let errors = got.iter().zip(want).map(|(g, w)| (g - w).abs()).enumerate();
    let worst = errors.max_by(|(_, a), (_, b)| a.total_cmp(b)); // NaN, positive after `abs`, sorts above all
    let Some((at, error)) = worst else { panic!("{name}: nothing to verify") };
    assert!(
        error <= tolerance * largest && error.is_finite(),
        "{name} is wrong and is not timed: number {at} is {:e}, expected {:e}; the error is {error:e}, allowed is {:e}",
        got[at],
        want[at],
        tolerance * largest,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_scales_with_the_largest_reference_number() {
        verify("near", &[1000.0, 0.5], &[1000.0, 0.0], 1e-3);
        verify("equal", &[1.0, -2.0], &[1.0, -2.0], 0.0);
    }

    #[test]
    #[should_panic(expected = "fast is wrong and is not timed: number 1 is 2.5e0, expected 2e0; the error is 5e-1")]
    fn verify_failure_names_the_worst_number() {
        verify("fast", &[1.1, 2.5, 4.0], &[1.0, 2.0, 4.0], 0.1);
    }

    #[test]
    #[should_panic(expected = "number 0 is NaN")]
    fn verify_nan_is_refused() {
        verify("nan", &[f64::NAN, 9.0], &[1.0, 2.0], f64::MAX);
    }

    #[test]
    #[should_panic(expected = "number 0 is inf")]
    fn verify_infinite_reference_is_refused() {
        verify("infinite", &[f64::INFINITY], &[f64::INFINITY], 1.0);
    }

    #[test]
    #[should_panic(expected = "2 numbers, but the reference has 3")]
    fn verify_different_lengths_are_refused() {
        verify("short", &[1.0, 2.0], &[1.0, 2.0, 3.0], 1.0);
    }

    #[test]
    #[should_panic(expected = "nothing to verify")]
    fn verify_empty_slices_are_refused() {
        verify("empty", &[], &[], 1.0);
    }

    #[test]
    fn numbers_are_read_row_by_row() {
        let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        assert_eq!(vec![x.transpose(), x.clone()].numbers(), [1.0, 3.0, 2.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ndarray::arr2(&[[1.0_f32, 2.0], [3.0, 4.0]]).reversed_axes().numbers(), [1.0, 3.0, 2.0, 4.0]);
    }
}
