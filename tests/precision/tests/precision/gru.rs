//! Precision of the gates of one GRU step, forward and backward.

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Tensor};

use crate::{normal, positive, wide};

precise!(Sums: gates gates_backward);

fn gates<T: Real>(d: &mut RandomTensors, hidden_size: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let [gx, hw] = [(); 2].map(|()| normal::<T>(d, [2, 3 * hidden_size]));
    let (b_hh, h_prev) = (normal(d, [3 * hidden_size]), normal(d, [2, hidden_size]));
    let (mut kept, mut h) = (Tensor::zeros([2, 4 * hidden_size]), Tensor::zeros([2, hidden_size]));
    k.gru_gates(gx.view(), None, hw.view(), b_hh.view(), h_prev.view(), kept.view_mut(), h.view_mut());
    vec![kept, h]
}

/// The kept r, z and n are numbers up to 1.5, so the slopes have either sign.
fn gates_backward<T: Real>(d: &mut RandomTensors, hidden_size: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (kept, h_prev, dh) =
        (positive::<T>(d, [2, 4 * hidden_size]), normal(d, [2, hidden_size]), wide(d, [2, hidden_size]));
    let (mut dgx, mut dgh, mut dh_prev) =
        (normal(d, [2, 3 * hidden_size]), Tensor::zeros([2, 3 * hidden_size]), Tensor::zeros([2, hidden_size]));
    let (to_gx, to_gh, to_h) = (dgx.view_mut(), dgh.view_mut(), dh_prev.view_mut());
    k.gru_gates_backward(kept.view(), h_prev.view(), dh.view(), None, to_gx, to_gh, to_h);
    vec![dgx, dgh, dh_prev]
}
