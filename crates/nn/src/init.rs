//! Initial values, and the builder through which layers add their parameters.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Shape, Tensor};

use crate::params::{Param, Params};

/// The distribution of a parameter's initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// One number for all elements.
    Constant(f64),
    /// Normal distribution with mean zero and this standard deviation. PyTorch's embeddings use 1.
    Normal(f64),
    /// Uniform distribution between minus and plus this bound. PyTorch's Linear uses 1/√fan-in, its GRU 1/√hidden size.
    Uniform(f64),
    /// A matrix with orthonormal rows (or columns, if there are fewer columns than rows), times this gain.
    ///
    /// Source: A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    /// linear neural networks" (2014).
    Orthogonal(f64),
}

impl Init {
    /// Draws a tensor of this shape from `rng` in row-major order.
    ///
    /// # Panics
    /// If an orthogonal shape is not a matrix, or the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub fn draw<T: Real>(self, shape: impl Into<Shape>, rng: &mut Philox) -> Tensor<T> {
        let shape = shape.into();
        let fill = |f: &mut dyn FnMut() -> f64| Tensor::from_fn(shape, |_| T::from_f64(f()));
        match self {
            Self::Constant(c) => fill(&mut || c),
            Self::Normal(std) => fill(&mut || std * rng.normal()),
            Self::Uniform(bound) => fill(&mut || bound * (2.0 * rng.uniform_f64() - 1.0)),
            Self::Orthogonal(gain) => {
                assert!(shape.rank() == 2, "only a matrix can be orthogonal, not {shape}");
                let (short, long) = (shape[0].min(shape[1]), shape[0].max(shape[1]));
                let rows = draw_orthonormal(short, long, rng);
                let at = |i: usize, j: usize| if shape[0] == short { rows[i][j] } else { rows[j][i] };
                Tensor::from_fn(shape, |k| T::from_f64(gain * at(k / shape[1], k % shape[1])))
            }
        }
    }
}

/// Draws `count` orthonormal vectors of length `length` ≥ `count`, by Gram-Schmidt on normal vectors.
///
/// From each vector, its projections on the earlier vectors are subtracted twice. Twice is enough for full precision:
/// W. Kahan's rule in B. Parlett, *The Symmetric Eigenvalue Problem*, section 6.9.
fn draw_orthonormal(count: usize, length: usize, rng: &mut Philox) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut row: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for other in rows.iter().chain(&rows) {
            let projection = dot(&row, other);
            row.iter_mut().zip(other).for_each(|(x, y)| *x -= projection * y);
        }
        let norm = dot(&row, &row).sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
        rows.push(row);
    }
    rows
}

/// Adds parameters under a name prefix. Each parameter has its own random stream, keyed by the seed and its index.
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
    /// Creates a builder that adds to `params` without a prefix.
    pub fn new(params: &'a mut Params<T>, seed: u64) -> Self {
        Self { params, seed, prefix: String::new() }
    }

    /// Returns a builder that adds `name.` to this builder's prefix.
    pub fn scope(&mut self, name: &str) -> Builder<'_, T> {
        Builder { prefix: format!("{}{name}.", self.prefix), seed: self.seed, params: self.params }
    }

    /// Adds a parameter.
    ///
    /// # Panics
    /// If a parameter of this name exists, or the elements take more than `isize::MAX` bytes.
    #[track_caller]
    pub fn add(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> Param {
        let name = format!("{}{name}", self.prefix);
        let stream = Stream { purpose: Purpose::INIT, update: 0, episode: self.params.handles().len() as u32 };
        let value = init.draw(shape, &mut Philox::stream(self.seed, stream));
        self.params.add(name, &value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Linear;

    #[test]
    #[should_panic(expected = "a parameter named weight exists already; give each layer a scope, as in \
                               `Linear::new(&mut builder.scope(\"output\"), 16, 1)`")]
    fn builder_second_layer_without_a_scope_is_told_about_scopes() {
        let mut params = Params::<f32>::new();
        let mut builder = Builder::new(&mut params, 1);
        Linear::new(&mut builder, 1, 16);
        Linear::new(&mut builder, 16, 1);
    }

    fn rng() -> Philox {
        Philox::stream(7, Stream { purpose: Purpose::INIT, update: 0, episode: 0 })
    }

    #[test]
    fn init_orthogonal_rows_or_columns_are_orthonormal() {
        for shape in [[5, 5], [3, 7], [7, 3]] {
            let w: Tensor<f64> = Init::Orthogonal(2.0).draw(shape, &mut rng());
            let square = if shape[0] <= shape[1] { w.matmul(&w.transpose()) } else { w.transpose().matmul(&w) };
            for i in 0..square.shape()[0] {
                for j in 0..square.shape()[0] {
                    let want = if i == j { 4.0 } else { 0.0 };
                    assert!((square.get(&[i, j]) - want).abs() < 1e-13, "{shape:?} [{i}, {j}]");
                }
            }
        }
    }

    #[test]
    fn init_normal_and_uniform_have_the_expected_moments() {
        let moments = |init: Init| {
            let x = init.draw::<f64>([40_000], &mut rng()).to_vec();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64)
        };
        // The standard errors of mean and variance are 0.01 and 0.028 for the normal distribution, 0.0058 and 0.003 for
        // the uniform. The bounds are five standard errors.
        let (mean, variance) = moments(Init::Normal(2.0));
        assert!(mean.abs() < 0.05 && (variance - 4.0).abs() < 0.15, "{mean} {variance}");
        let (mean, variance) = moments(Init::Uniform(2.0));
        assert!(mean.abs() < 0.03 && (variance - 4.0 / 3.0).abs() < 0.03, "{mean} {variance}");
    }
}
