//! Results, as numbers that can be compared.

use ndarray::Array2;
use tensor::{Real, Tensor};

/// What a contestant hands back.
pub trait Outcome {
    /// All its numbers, in an order that the contestants share.
    fn numbers(&self) -> Vec<f64>;
}

impl<T: Real> Outcome for Tensor<T> {
    fn numbers(&self) -> Vec<f64> {
        self.to_vec().iter().map(|x| x.value()).collect()
    }
}

/// Row by row.
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

/// One after the other.
impl<O: Outcome> Outcome for Vec<O> {
    fn numbers(&self) -> Vec<f64> {
        self.iter().flat_map(Outcome::numbers).collect()
    }
}

/// Asserts that `max |got − want| ≤ tolerance · max |want|`; a tolerance of 0 asks for the same numbers.
///
/// # Panics
/// If a number is further away or not finite, or if there are more or fewer of them. The worst is named.
#[track_caller]
pub fn verify(name: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{name}: {} numbers, where the reference has {}", got.len(), want.len());
    let largest = want.iter().fold(0.0, |largest: f64, w| largest.max(w.abs()));
    let errors = got.iter().zip(want).map(|(g, w)| (g - w).abs()).enumerate();
    let worst = errors.max_by(|(_, a), (_, b)| a.total_cmp(b)); // NaN, positive after `abs`, sorts above all
    let Some((at, error)) = worst else { panic!("{name}: there is nothing to verify") };
    assert!(
        error <= tolerance * largest && error.is_finite(),
        "{name} gets no time: its number {at} is {:e}, the reference's {:e}; off by {error:e}, where {:e} is allowed",
        got[at],
        want[at],
        tolerance * largest,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_the_largest_number_of_the_reference() {
        verify("near", &[1000.0, 0.5], &[1000.0, 0.0], 1e-3);
        verify("equal", &[1.0, -2.0], &[1.0, -2.0], 0.0);
    }

    #[test]
    #[should_panic(expected = "fast gets no time: its number 1 is 2.5e0, the reference's 2e0; off by 5e-1")]
    fn what_disagrees_is_named() {
        verify("fast", &[1.1, 2.5, 4.0], &[1.0, 2.0, 4.0], 0.1);
    }

    #[test]
    #[should_panic(expected = "its number 0 is NaN")]
    fn a_nan_agrees_with_nothing() {
        verify("nan", &[f64::NAN, 9.0], &[1.0, 2.0], f64::MAX);
    }

    #[test]
    #[should_panic(expected = "its number 0 is inf")]
    fn an_infinite_reference_allows_nothing() {
        verify("infinite", &[f64::INFINITY], &[f64::INFINITY], 1.0);
    }

    #[test]
    #[should_panic(expected = "2 numbers, where the reference has 3")]
    fn all_numbers_must_be_there() {
        verify("short", &[1.0, 2.0], &[1.0, 2.0, 3.0], 1.0);
    }

    #[test]
    #[should_panic(expected = "there is nothing to verify")]
    fn nothing_is_no_agreement() {
        verify("empty", &[], &[], 1.0);
    }

    #[test]
    fn outcomes_are_read_row_by_row() {
        let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        assert_eq!(vec![x.transpose(), x.clone()].numbers(), [1.0, 3.0, 2.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ndarray::arr2(&[[1.0_f32, 2.0], [3.0, 4.0]]).reversed_axes().numbers(), [1.0, 3.0, 2.0, 4.0]);
    }
}
