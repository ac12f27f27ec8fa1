//! One matrix product computes all three gates of all examples: gx = x·W_ihᵀ + b_ih, and gh = h_prev·W_hhᵀ + b_hh likewise.
//!
//! Change from [`g0_naive`](super::g0_naive): six dot products per unit become two matrix products per step, and the ladder
//! of matrix products shows how fast those can be. The price is memory for gx\[B,3H\] and gh\[B,3H\].

use super::{Problem, sigmoid, split_states};
use crate::ladder::matmul::m4_packed;

/// See [`GruForward`](super::GruForward).
pub fn gru_forward(p: &Problem, hs: &mut [f32]) {
    let (batch, hidden_size) = (p.size.batch, p.size.hidden_size);
    let mut gx = vec![0.0; batch * 3 * hidden_size];
    let mut gh = gx.clone();
    for t in 0..p.size.time {
        let (h_prev, h) = split_states(p, hs, t);
        let row = |&token: &u32| &p.embedding[token as usize * hidden_size..][..hidden_size];
        let x: Vec<f32> = p.tokens[t * batch..][..batch].iter().flat_map(row).copied().collect();
        affine(hidden_size, &p.w_ih, &p.b_ih, &x, &mut gx);
        affine(hidden_size, &p.w_hh, &p.b_hh, h_prev, &mut gh);
        for b in 0..batch {
            let (gx, gh) = (&gx[b * 3 * hidden_size..], &gh[b * 3 * hidden_size..]);
            compute_gates(gx, gh, &h_prev[b * hidden_size..], &mut h[b * hidden_size..][..hidden_size]);
        }
    }
}

/// Computes y\[B,3H\] = x\[B,H\] · wᵀ + b, for w\[3H,H\] and b\[3H\].
pub(super) fn affine(hidden_size: usize, w: &[f32], b: &[f32], x: &[f32], y: &mut [f32]) {
    m4_packed::matmul([x.len() / hidden_size, hidden_size, 3 * hidden_size], x, &transpose(hidden_size, w), y);
    add_rows(b, y);
}

/// Copies w\[3H,H\] as \[H,3H\].
pub(super) fn transpose(hidden_size: usize, w: &[f32]) -> Vec<f32> {
    (0..hidden_size).flat_map(|k| (0..3 * hidden_size).map(move |j| w[j * hidden_size + k])).collect()
}

/// Adds b to every row of y.
pub(super) fn add_rows(b: &[f32], y: &mut [f32]) {
    for row in y.chunks_exact_mut(b.len()) {
        row.iter_mut().zip(b).for_each(|(y, b)| *y += b);
    }
}

/// Computes the new state h\[H\] of one example from gx\[3H\], gh\[3H\] and h_prev\[H\].
pub(super) fn compute_gates(gx: &[f32], gh: &[f32], h_prev: &[f32], h: &mut [f32]) {
    let hidden_size = h.len();
    for j in 0..hidden_size {
        let r = sigmoid(gx[j] + gh[j]);
        let z = sigmoid(gx[hidden_size + j] + gh[hidden_size + j]);
        let n = (gx[2 * hidden_size + j] + r * gh[2 * hidden_size + j]).tanh();
        h[j] = (1.0 - z) * n + z * h_prev[j];
    }
}
