//! Data and counts.

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Shape, Tensor};

/// The seed of all data.
const SEED: u64 = 42;

/// Numbers uniform between −1 and 1; another `stream` gives other ones.
pub fn uniform(shape: impl Into<Shape>, stream: u32) -> Tensor<f32> {
    let mut rng = Philox::stream(SEED, Stream { purpose: Purpose(256), update: 0, episode: stream });
    Tensor::from_fn(shape, |_| 2.0 * rng.uniform_f32() - 1.0)
}

/// The flops of y\[M,N\] = a\[M,K\] · b\[K,N\]: a product and a sum for each of M·K·N terms.
pub fn matmul_flops(m: usize, k: usize, n: usize) -> u64 {
    2 * (m * k * n) as u64
}
