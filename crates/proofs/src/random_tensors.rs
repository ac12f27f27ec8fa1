//! Random tensors for the cases: always the same, with all numbers different.

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Shape, Tensor};

/// A stream of random tensors.
pub struct RandomTensors(Philox);

impl RandomTensors {
    /// Starts the stream of this seed.
    pub fn new(seed: u32) -> Self {
        Self(Philox::stream(seed.into(), Stream { purpose: Purpose(1000), update: 0, episode: 0 }))
    }

    /// Draws standard normal numbers.
    pub fn normal(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| self.0.normal())
    }

    /// Draws uniformly from \[0.5, 1.5), for divisors, logarithms and roots.
    pub fn positive(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| 0.5 + self.0.uniform_f64())
    }

    /// Draws as [`positive`](Self::positive) with a random sign, for functions with a kink or a pole at 0.
    pub fn nonzero(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| (0.5 + self.0.uniform_f64()) * if self.0.below(2) == 0 { 1.0 } else { -1.0 })
    }

    /// Draws integers from −2 to 2, each with an offset from \[−0.15, 0.15).
    pub fn near_integers(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| f64::from(self.0.below(5)) - 2.15 + 0.3 * self.0.uniform_f64())
    }
}
