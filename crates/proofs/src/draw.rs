//! Numbers to prove with: always the same ones, no two alike.

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Shape, Tensor};

/// A stream of numbers.
pub struct Draw(Philox);

impl Draw {
    /// The stream that `seed` names.
    pub fn new(seed: u32) -> Self {
        Self(Philox::stream(seed.into(), Stream { purpose: Purpose(1000), update: 0, episode: 0 }))
    }

    /// Standard normal.
    pub fn normal(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| self.0.normal())
    }

    /// Uniform in \[0.5, 1.5): for divisors, logarithms and roots.
    pub fn positive(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| 0.5 + self.0.uniform_f64())
    }

    /// Either sign of [`positive`](Self::positive): for what has a kink or a pole at 0.
    pub fn nonzero(&mut self, shape: impl Into<Shape>) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| (0.5 + self.0.uniform_f64()) * if self.0.below(2) == 0 { 1.0 } else { -1.0 })
    }
}
