//! Normalisation of observations and rewards by running statistics.
//!
//! - Observations: x ↦ (x − mean)/√(variance + ε), limited to ±10, with the statistics of all observations so far.
//! - Rewards: r ↦ r/√(variance + ε), limited to ±10, with the variance of the discounted sum of rewards R ← γ·R + r.
//!
//! An update uses the statistics of earlier updates and adds its own at the end, chunk by chunk. So the results do not depend
//! on the number of threads.
//!
//! Sources: T. Chan, G. Golub, R. LeVeque, "Algorithms for Computing the Sample Variance" (1983), equations 2.1, for adding
//! the statistics of two samples; Stable-Baselines3's `VecNormalize` for ε, the limit, and the sum of rewards.

use alloc::vec;
use alloc::vec::Vec;

use tensor::Real;

/// ε, added to the variance.
const EPSILON: f64 = 1e-8;
/// The largest absolute value of a normalised number.
const LIMIT: f64 = 10.0;

/// The statistics of the vectors that a policy observes, and of discounted sums of rewards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// The statistics of observations, \[D\], before normalisation.
    pub observations: Moments,
    /// The statistics of R ← γ·R + r, \[1\].
    pub returns: Moments,
}

impl Statistics {
    /// Creates the statistics of nothing, for vectors of `size` numbers.
    pub fn new(size: usize) -> Self {
        Self { observations: Moments::new(size), returns: Moments::new(1) }
    }

    /// Makes these the statistics of nothing, for vectors of `size` numbers.
    pub(crate) fn restart(&mut self, size: usize) {
        self.observations.restart(size);
        self.returns.restart(1);
    }

    /// Adds other statistics.
    ///
    /// # Panics
    /// If they are of vectors of another size.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        self.observations.merge(&other.observations);
        self.returns.merge(&other.returns);
    }
}

/// The count, mean and sum of squared deviations of vectors, number by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// The number of vectors.
    pub count: f64,
    /// The mean of each number.
    pub mean: Vec<f64>,
    /// The sum of (x − mean)² of each number.
    pub squares: Vec<f64>,
}

impl Moments {
    /// Creates the statistics of no vector of `size` numbers.
    pub fn new(size: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; size], squares: vec![0.0; size] }
    }

    fn restart(&mut self, size: usize) {
        self.count = 0.0;
        for numbers in [&mut self.mean, &mut self.squares] {
            numbers.clear();
            numbers.resize(size, 0.0);
        }
    }

    /// Adds one vector.
    ///
    /// # Panics
    /// If it has another size.
    #[track_caller]
    pub fn push(&mut self, x: &[f64]) {
        assert!(x.len() == self.mean.len(), "Moments: a vector of {} numbers, expected {}", x.len(), self.mean.len());
        self.count += 1.0;
        for ((x, mean), squares) in x.iter().zip(&mut self.mean).zip(&mut self.squares) {
            let deviation = x - *mean;
            *mean += deviation / self.count;
            *squares += deviation * (x - *mean);
        }
    }

    /// Adds the vectors of other statistics.
    ///
    /// # Panics
    /// If they are of another size.
    #[track_caller]
    pub fn merge(&mut self, other: &Self) {
        assert!(
            other.mean.len() == self.mean.len(),
            "Moments: {} numbers, expected {}",
            other.mean.len(),
            self.mean.len()
        );
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        for k in 0..self.mean.len() {
            let difference = other.mean[k] - self.mean[k];
            self.mean[k] += difference * other.count / count;
            self.squares[k] += other.squares[k] + difference * difference * self.count * other.count / count;
        }
        self.count = count;
    }

    /// The variance of number `k`, with the divisor n; 1 before the first vector.
    pub fn variance(&self, k: usize) -> f64 {
        if self.count == 0.0 { 1.0 } else { self.squares[k] / self.count }
    }

    /// Shifts and scales a vector to mean 0 and variance 1.
    pub fn normalize(&self, x: &mut [f64]) {
        for (k, x) in x.iter_mut().enumerate() {
            *x = limit((*x - self.mean[k]) / Real::sqrt(self.variance(k) + EPSILON));
        }
    }

    /// Scales a number to variance 1 without a shift, by the first variance.
    pub fn scale(&self, x: f64) -> f64 {
        limit(x / Real::sqrt(self.variance(0) + EPSILON))
    }
}

fn limit(x: f64) -> f64 {
    x.clamp(-LIMIT, LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tasks::rng;

    /// Mean and variance of each number in two passes.
    fn two_passes(x: &[[f64; 2]]) -> [[f64; 2]; 2] {
        let n = x.len() as f64;
        let mean = [0, 1].map(|k| x.iter().map(|x| x[k]).sum::<f64>() / n);
        [mean, [0, 1].map(|k| x.iter().map(|x| (x[k] - mean[k]).powi(2)).sum::<f64>() / n)]
    }

    fn pushed(x: &[[f64; 2]]) -> Moments {
        let mut moments = Moments::new(2);
        x.iter().for_each(|x| moments.push(x));
        moments
    }

    /// The second number has a mean of 10⁹, in which E\[x²\] − E\[x\]² would cancel.
    #[test]
    fn push_and_merge_in_any_split_equal_two_passes() {
        for case in 0..50 {
            let mut rng = rng(case);
            let count = 1 + rng.below(40) as usize;
            let x: Vec<[f64; 2]> = (0..count).map(|_| [3.0 * rng.normal(), 1e9 + rng.normal()]).collect();
            let [mean, variance] = two_passes(&x);
            for split in 0..=count {
                let mut merged = pushed(&x[..split]);
                merged.merge(&pushed(&x[split..]));
                for k in 0..2 {
                    let scale = [1.0, 1e9][k];
                    assert!((merged.mean[k] - mean[k]).abs() < 1e-14 * 30.0 * scale, "{split} of {count}");
                    let difference = (merged.variance(k) - variance[k]).abs();
                    assert!(difference < [1e-12, 1e-5][k], "{split} of {count}: {difference}");
                }
                assert_eq!(merged.count, count as f64);
            }
        }
    }

    #[test]
    fn normalize_shifts_scales_and_limits() {
        let moments = pushed(&[[1.0, 5.0], [3.0, 5.0]]);
        let mut x = [2.5, 5.0];
        moments.normalize(&mut x);
        assert!((x[0] - 0.5).abs() < 1e-7 && x[1] == 0.0, "{x:?}");
        for (number, limit) in [(1e9, 10.0), (-1e9, -10.0)] {
            let mut x = [number; 2];
            moments.normalize(&mut x);
            assert_eq!((x, moments.scale(number)), ([limit; 2], limit));
        }
        assert!((moments.scale(2.5) - 2.5).abs() < 1e-7, "no shift");
    }

    #[test]
    fn normalize_before_the_first_vector_changes_nothing() {
        let (moments, mut x) = (Moments::new(2), [0.5, -3.0]);
        moments.normalize(&mut x);
        assert!((x[0] - 0.5).abs() < 1e-8 && (x[1] + 3.0).abs() < 2e-8 && (moments.scale(0.5) - 0.5).abs() < 1e-8);
    }

    #[test]
    #[should_panic(expected = "Moments: a vector of 3 numbers, expected 2")]
    fn push_vector_of_another_size_panics() {
        Moments::new(2).push(&[0.0; 3]);
    }

    #[test]
    #[should_panic(expected = "Moments: 3 numbers, expected 2")]
    fn merge_of_another_size_panics() {
        Moments::new(2).merge(&Moments::new(3));
    }
}
