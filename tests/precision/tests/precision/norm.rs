//! Precision of layer normalisation for rows near zero. Rows whose mean is far greater than their spread have [their own
//! bound](super::long_rows).

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Tensor};

use crate::{constant, normal, positive, wide};

precise!(Sums: layer_norm layer_norm_backward);

/// Draws rows around 0, and rows of numbers of very different sizes.
fn rows<T: Real>(d: &mut RandomTensors, n: usize) -> [Tensor<T>; 2] {
    [normal(d, [2, n]), wide(d, [2, n])]
}

fn layer_norm<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut out = Vec::new();
    for x in rows::<T>(d, n) {
        let (w, b) = (normal(d, [n]), normal(d, [n]));
        let (mut y, mut stats) = (Tensor::zeros([2, n]), Tensor::zeros([2, 2]));
        k.layer_norm(x.view(), w.view(), b.view(), constant(1e-5), y.view_mut(), stats.view_mut());
        out.extend([y, stats]);
    }
    out
}

/// The statistics are random, so the test covers the backward pass alone.
fn layer_norm_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut out = Vec::new();
    for x in rows::<T>(d, n) {
        let (w, stats, dy) = (normal(d, [n]), positive(d, [2, 2]), wide(d, [2, n]));
        let (mut dx, mut dw) = (normal(d, [2, n]), normal(d, [n]));
        let (to_dx, to_dw) = (Some(dx.view_mut()), Some(dw.view_mut()));
        k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), to_dx, to_dw);
        out.extend([dx, dw]);
    }
    out
}
