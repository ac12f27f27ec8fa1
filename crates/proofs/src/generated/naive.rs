//! Reference values by plain loops, straight from the definitions.

use tensor::{Shape, Tensor};

/// Returns the tensor whose element at each index is `f` of the index.
pub(super) fn from_index_fn(shape: impl Into<Shape>, f: impl Fn(&[usize]) -> f64) -> Tensor<f64> {
    let shape = shape.into();
    Tensor::from_fn(shape, |i| f(&unravel_index(shape, i)))
}

/// Converts the flat index `i` into the index of an element of `shape`.
fn unravel_index(shape: Shape, mut i: usize) -> Vec<usize> {
    let mut index = shape.to_vec();
    for at in index.iter_mut().rev() {
        (i, *at) = (i / *at, i % *at);
    }
    index
}

/// Returns the element of x at an index of the shape that x broadcasts to.
pub(super) fn broadcast_element(x: &Tensor<f64>, index: &[usize]) -> f64 {
    let shape = x.shape();
    let index = &index[index.len() - shape.rank()..];
    let at: Vec<usize> = index.iter().zip(&shape[..]).map(|(&i, &extent)| if extent == 1 { 0 } else { i }).collect();
    x.get(&at)
}

/// Inserts `at` into an index as axis `axis`.
pub(super) fn insert_index(index: &[usize], axis: usize, at: usize) -> Vec<usize> {
    [&index[..axis], &[at], &index[axis..]].concat()
}

/// Replaces each row of the last axis by `f` of it.
pub(super) fn map_rows(x: &Tensor<f64>, f: impl Fn(&[f64]) -> Vec<f64>) -> Tensor<f64> {
    let rows = x.to_vec();
    let values = rows.chunks(x.shape().last_extent().max(1)).flat_map(f).collect();
    Tensor::new(x.shape(), values)
}

pub(super) fn logsumexp(row: &[f64]) -> f64 {
    row.iter().map(|x| x.exp()).sum::<f64>().ln()
}

pub(super) fn layer_norm(row: &[f64], w: &[f64], b: &[f64], epsilon: f64) -> Vec<f64> {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    row.iter().zip(w).zip(b).map(|((x, w), b)| (x - mean) / (variance + epsilon).sqrt() * w + b).collect()
}

/// Computes the states hs\[T,B,H\] from gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\], one number at a time:
/// equations (F1) to (F5) of the operation's file.
pub(super) fn gru([gx, h0, w_hh, b_hh]: [&Tensor<f64>; 4]) -> Tensor<f64> {
    let (steps, batch, hidden_size) = (gx.shape()[0], h0.shape()[0], h0.shape()[1]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let (mut h, mut states) = (h0.to_vec(), Vec::new());
    for t in 0..steps {
        let h_prev = h.clone();
        for (row, i) in (0..batch).flat_map(|row| (0..hidden_size).map(move |i| (row, i))) {
            let gh = |gate: usize| {
                let product =
                    (0..hidden_size).map(|j| w_hh.get(&[gate * hidden_size + i, j]) * h_prev[row * hidden_size + j]);
                product.sum::<f64>() + b_hh.get(&[gate * hidden_size + i])
            };
            let gx = |gate: usize| gx.get(&[t, row, gate * hidden_size + i]);
            let (r, z) = (sigmoid(gx(0) + gh(0)), sigmoid(gx(1) + gh(1)));
            let n = (gx(2) + r * gh(2)).tanh();
            h[row * hidden_size + i] = (1.0 - z) * n + z * h_prev[row * hidden_size + i];
        }
        states.extend(&h);
    }
    Tensor::new([steps, batch, hidden_size], states)
}
