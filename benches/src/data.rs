//! Random input data, flop counts and a reference product in `f64`.

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Form, Shape, Tensor};

/// The seed of all data.
const SEED: u64 = 42;

/// Draws numbers uniformly between −1 and 1. Each `stream` gives different numbers.
pub fn uniform(shape: impl Into<Shape>, stream: u32) -> Tensor<f32> {
    let mut rng = Philox::stream(SEED, Stream { purpose: Purpose(256), update: 0, episode: stream });
    Tensor::from_fn(shape, |_| 2.0 * rng.uniform_f32() - 1.0)
}

/// Returns the flops of y\[M,N\] = a\[M,K\] · b\[K,N\]: a product and a sum for each of the M·K·N terms.
pub fn matmul_flops(m: usize, k: usize, n: usize) -> u64 {
    2 * (m * k * n) as u64
}

/// Computes the product of a and b in the given form in `f64`, row by row: the reference of the matrix-product benchmarks.
pub fn matmul_f64(form: Form, a: &Tensor<f32>, b: &Tensor<f32>) -> Vec<f64> {
    let a = if form == Form::TN { a.transpose() } else { a.clone() };
    let b = if form == Form::NT { b.transpose() } else { b.clone() };
    let n = b.shape()[1];
    let b: Vec<f64> = b.to_vec().into_iter().map(f64::from).collect();
    let row = |a_row: &[f32]| {
        let mut y = vec![0.0; n];
        for (&a, b_row) in a_row.iter().zip(b.chunks_exact(n)) {
            y.iter_mut().zip(b_row).for_each(|(y, b)| *y += f64::from(a) * b);
        }
        y
    };
    a.to_vec().chunks_exact(a.shape()[1]).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, verify};
    use tensor::{Kernels, Naive};

    #[test]
    fn matmul_f64_gives_the_naive_kernels_product() {
        let [m, k, n] = [5, 7, 3];
        for (form, a, b) in [(Form::NN, [m, k], [k, n]), (Form::NT, [m, k], [n, k]), (Form::TN, [k, m], [k, n])] {
            let (a, b) = (uniform(a, 0), uniform(b, 1));
            let mut y = Tensor::full([m, n], f64::NAN);
            Naive.matmul(form, a.cast().view(), b.cast().view(), false, y.view_mut());
            verify("product", &matmul_f64(form, &a, &b), &y.numbers(), 1e-15);
        }
    }
}
