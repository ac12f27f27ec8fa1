//! The gates of one step, and back.

use gradus_tests::Draw;
use tensor::{Kernels, Real, Tensor};

use crate::precision::{normal, positive, wide};

precise!(Sums: gates gates_backward);

fn gates<T: Real>(d: &mut Draw, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let [gx, hw] = [(); 2].map(|()| normal::<T>(d, [2, 3 * n]));
    let (b, h) = (normal(d, [3 * n]), normal(d, [2, n]));
    let (mut kept, mut y) = (Tensor::zeros([2, 4 * n]), Tensor::zeros([2, n]));
    k.gru_gates(gx.view(), None, hw.view(), b.view(), h.view(), kept.view_mut(), y.view_mut());
    vec![kept, y]
}

/// With r, z and n of up to 1.5, and so slopes of either sign: what is kept is any number here.
fn gates_backward<T: Real>(d: &mut Draw, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (kept, h, dy) = (positive::<T>(d, [2, 4 * n]), normal(d, [2, n]), wide(d, [2, n]));
    let (mut dgx, mut dgh, mut dh) = (normal(d, [2, 3 * n]), Tensor::zeros([2, 3 * n]), Tensor::zeros([2, n]));
    k.gru_gates_backward(kept.view(), h.view(), dy.view(), None, dgx.view_mut(), dgh.view_mut(), dh.view_mut());
    vec![dgx, dgh, dh]
}
