//! Initial values, and the builder through which layers add their parameters.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Shape, Tensor};

use crate::params::{Param, Params};

/// How a parameter begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same number everywhere.
    Constant(f64),
    /// Normal with mean zero and this standard deviation; PyTorch's embeddings use 1.
    Normal(f64),
    /// Uniform between minus and plus this bound; PyTorch's Linear uses 1/√fan-in, its GRU 1/√hidden.
    Uniform(f64),
    /// A matrix with orthonormal rows or columns, whichever are fewer, times this gain.
    ///
    /// Source: A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    /// linear neural networks" (2014).
    Orthogonal(f64),
}

impl Init {
    /// A tensor of this shape, drawn from `rng` in row-major order.
    ///
    /// # Panics
    /// If something other than a matrix should be orthogonal, or the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub fn draw<T: Real>(self, shape: impl Into<Shape>, rng: &mut Philox) -> Tensor<T> {
        let shape = shape.into();
        let fill = |f: &mut dyn FnMut() -> f64| Tensor::from_fn(shape, |_| T::of(f()));
        match self {
            Self::Constant(c) => fill(&mut || c),
            Self::Normal(std) => fill(&mut || std * rng.normal()),
            Self::Uniform(bound) => fill(&mut || bound * (2.0 * rng.uniform_f64() - 1.0)),
            Self::Orthogonal(gain) => {
                assert_eq!(shape.rank(), 2, "only a matrix can be orthogonal, not {shape}");
                let (short, long) = (shape[0].min(shape[1]), shape[0].max(shape[1]));
                let rows = orthonormal(short, long, rng);
                let at = |i: usize, j: usize| if shape[0] == short { rows[i][j] } else { rows[j][i] };
                Tensor::from_fn(shape, |k| T::of(gain * at(k / shape[1], k % shape[1])))
            }
        }
    }
}

/// `count` orthonormal vectors of length `length` ≥ `count`: normal ones, each freed from its part along those before
/// it (twice, which is enough for full precision: W. Kahan's rule in B. Parlett, *The Symmetric Eigenvalue Problem*,
/// section 6.9).
fn orthonormal(count: usize, length: usize, rng: &mut Philox) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut row: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for other in rows.iter().chain(&rows) {
            let along = dot(&row, other);
            row.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
        }
        let norm = dot(&row, &row).sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
        rows.push(row);
    }
    rows
}

/// Adds parameters under a prefix. Each parameter draws from a stream of its own, keyed by the seed and its index.
///
/// ```
/// use nn::{Builder, Linear, Params};
///
/// let mut params = Params::<f32>::new();
/// let mut builder = Builder::new(&mut params, 42);
/// Linear::new(&mut builder.scope("head"), 4, 2);
/// assert!(params.find("head.weight").is_some());
/// ```
pub struct Builder<'a, T: Real> {
    params: &'a mut Params<T>,
    seed: u64,
    prefix: String,
}

impl<'a, T: Real> Builder<'a, T> {
    /// Adds to `params`, without a prefix.
    pub fn new(params: &'a mut Params<T>, seed: u64) -> Self {
        Self { params, seed, prefix: String::new() }
    }

    /// Adds under `name.`, below this builder's own prefix.
    pub fn scope(&mut self, name: &str) -> Builder<'_, T> {
        Builder { prefix: format!("{}{name}.", self.prefix), seed: self.seed, params: self.params }
    }

    /// Adds a parameter.
    ///
    /// # Panics
    /// If the name is taken, or the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub fn add(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> Param {
        let place = Stream { purpose: Purpose::INIT, update: 0, episode: self.params.all().len() as u32 };
        let value = init.draw(shape, &mut Philox::stream(self.seed, place));
        self.params.add(format!("{}{name}", self.prefix), &value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rng() -> Philox {
        Philox::stream(7, Stream { purpose: Purpose::INIT, update: 0, episode: 0 })
    }

    #[test]
    fn rows_or_columns_are_orthonormal() {
        for shape in [[5, 5], [3, 7], [7, 3]] {
            let w: Tensor<f64> = Init::Orthogonal(2.0).draw(shape, &mut rng());
            let square = if shape[0] <= shape[1] { w.matmul(&w.transpose()) } else { w.transpose().matmul(&w) };
            for i in 0..square.shape()[0] {
                for j in 0..square.shape()[0] {
                    let want = if i == j { 4.0 } else { 0.0 };
                    assert!((square.at(&[i, j]) - want).abs() < 1e-13, "{shape:?} [{i}, {j}]");
                }
            }
        }
    }

    #[test]
    fn moments_are_as_asked() {
        let moments = |init: Init| {
            let x = init.draw::<f64>([40_000], &mut rng()).to_vec();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64)
        };
        // Standard errors: 0.01 and 0.028 for the normal, 0.0058 and 0.003 for the uniform; bounds at five of them.
        let (mean, variance) = moments(Init::Normal(2.0));
        assert!(mean.abs() < 0.05 && (variance - 4.0).abs() < 0.15, "{mean} {variance}");
        let (mean, variance) = moments(Init::Uniform(2.0));
        assert!(mean.abs() < 0.03 && (variance - 4.0 / 3.0).abs() < 0.03, "{mean} {variance}");
    }
}
