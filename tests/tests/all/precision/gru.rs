//! Precision of the gates of one GRU step, forward and backward.

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Tensor};

use crate::precision::{normal, positive, wide};

precise!(Sums: gates gates_backward);

fn gates<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let [gx, gh] = [(); 2].map(|()| normal::<T>(d, [2, 3 * n]));
    let (b_hh, h_prev) = (normal(d, [3 * n]), normal(d, [2, n]));
    let (mut saved, mut h) = (Tensor::zeros([2, 4 * n]), Tensor::zeros([2, n]));
    k.gru_gates(gx.view(), None, gh.view(), b_hh.view(), h_prev.view(), saved.view_mut(), h.view_mut());
    vec![saved, h]
}

/// The saved r, z and n are numbers up to 1.5, so the slopes have either sign.
fn gates_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (saved, h_prev, dh) = (positive::<T>(d, [2, 4 * n]), normal(d, [2, n]), wide(d, [2, n]));
    let (mut dgx, mut dgh, mut dh_prev) = (normal(d, [2, 3 * n]), Tensor::zeros([2, 3 * n]), Tensor::zeros([2, n]));
    let (to_gx, to_gh, to_h) = (dgx.view_mut(), dgh.view_mut(), dh_prev.view_mut());
    k.gru_gates_backward(saved.view(), h_prev.view(), dh.view(), None, to_gx, to_gh, to_h);
    vec![dgx, dgh, dh_prev]
}
