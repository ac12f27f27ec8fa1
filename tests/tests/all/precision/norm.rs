//! Layer normalisation of rows near zero. Rows whose mean is far greater than their spread have [a bound of their
//! own](super::long).

use gradus_tests::Draw;
use tensor::{Kernels, Real, Tensor};

use crate::precision::{constant, normal, positive, wide};

precise!(Sums: layer_norm layer_norm_backward);

/// Rows around 0, and of sizes far apart.
fn rows<T: Real>(d: &mut Draw, n: usize) -> [Tensor<T>; 2] {
    [normal(d, [2, n]), wide(d, [2, n])]
}

fn layer_norm<T: Real>(d: &mut Draw, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let mut out = Vec::new();
    for x in rows::<T>(d, n) {
        let (w, b) = (normal(d, [n]), normal(d, [n]));
        let (mut y, mut stats) = (Tensor::zeros([2, n]), Tensor::zeros([2, 2]));
        k.layer_norm(x.view(), w.view(), b.view(), constant(1e-5), y.view_mut(), stats.view_mut());
        out.extend([y, stats]);
    }
    out
}

/// From any statistics, so that this is about the backward alone.
fn layer_norm_backward<T: Real>(d: &mut Draw, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
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
