//! Precision of softmax and related functions: sums of exponentials, with the errors of the function and of its argument.

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Tensor};

use crate::{normal, positive, single, wide};

precise!(Sums: softmax softmax_backward log_softmax log_softmax_backward logsumexp logsumexp_backward);

/// Draws rows of logits: close together, up to ±10, and far from 0, where only x − m remains.
fn logits<T: Real>(d: &mut RandomTensors, n: usize) -> Tensor<T> {
    let (scale, shift) = (Tensor::from([[1.0], [4.0], [1.0]]), Tensor::from([[0.0], [0.0], [1e3]]));
    single(&(&(&d.normal([3, n]) * &scale) + &shift))
}

fn softmax<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, mut y) = (logits::<T>(d, n), Tensor::zeros([3, n]));
    k.softmax(x.view(), y.view_mut());
    vec![y]
}

fn softmax_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (y, dy, mut dx) = (positive::<T>(d, [3, n]), wide(d, [3, n]), normal(d, [3, n]));
    k.softmax_backward(y.view(), dy.view(), dx.view_mut());
    vec![dx]
}

fn log_softmax<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, mut y) = (logits::<T>(d, n), Tensor::zeros([3, n]));
    k.log_softmax(x.view(), y.view_mut());
    vec![y]
}

fn log_softmax_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (y, dy, mut dx) = (-&positive::<T>(d, [3, n]), wide(d, [3, n]), normal(d, [3, n]));
    k.log_softmax_backward(y.view(), dy.view(), dx.view_mut());
    vec![dx]
}

fn logsumexp<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, mut y) = (logits::<T>(d, n), Tensor::zeros([3]));
    k.logsumexp(x.view(), y.view_mut());
    vec![y]
}

fn logsumexp_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, y, dy) = (normal::<T>(d, [3, n]), positive(d, [3]), normal(d, [3]));
    let mut dx = normal(d, [3, n]);
    k.logsumexp_backward(x.view(), y.view(), dy.view(), dx.view_mut());
    vec![dx]
}
