//! The three gates' products are one, for all examples: x\[B,H\] · Wᵀ\[H,3H\], and h\[B,H\] · Uᵀ likewise.
//!
//! Against [`g0_naive`](super::g0_naive): what was six dot products a unit is two matrix products a step, and the ladder of
//! matrix products has shown how fast those can be. The price is room for what they give, gx\[B,3H\] and gh\[B,3H\].

use super::{Problem, sigmoid, states};
use crate::ladder::matmul::m4_packed;

/// See [`Scan`](super::Scan).
pub fn scan(p: &Problem, hs: &mut [f32]) {
    let (batch, width) = (p.size.batch, p.size.width);
    let mut gx = vec![0.0; batch * 3 * width];
    let mut gh = gx.clone();
    for t in 0..p.size.time {
        let (h, now) = states(p, hs, t);
        let row = |&token: &u32| &p.embedding[token as usize * width..][..width];
        let x: Vec<f32> = p.tokens[t * batch..][..batch].iter().flat_map(row).copied().collect();
        affine(width, &p.w, &p.b_i, &x, &mut gx);
        affine(width, &p.u, &p.b_h, h, &mut gh);
        for b in 0..batch {
            gates(&gx[b * 3 * width..], &gh[b * 3 * width..], &h[b * width..], &mut now[b * width..][..width]);
        }
    }
}

/// y\[B,3H\] = x\[B,H\] · wᵀ + b, for w\[3H,H\] and b\[3H\].
pub(super) fn affine(width: usize, w: &[f32], b: &[f32], x: &[f32], y: &mut [f32]) {
    m4_packed::matmul([x.len() / width, width, 3 * width], x, &transposed(width, w), y);
    add_rows(b, y);
}

/// w\[3H,H\] as \[H,3H\].
pub(super) fn transposed(width: usize, w: &[f32]) -> Vec<f32> {
    (0..width).flat_map(|k| (0..3 * width).map(move |j| w[j * width + k])).collect()
}

/// Adds b to every row of y.
pub(super) fn add_rows(b: &[f32], y: &mut [f32]) {
    for row in y.chunks_exact_mut(b.len()) {
        row.iter_mut().zip(b).for_each(|(y, b)| *y += b);
    }
}

/// The state after a step of one example, from its parts gx\[3H\] and gh\[3H\] of the gates and the state before, h\[H\].
pub(super) fn gates(gx: &[f32], gh: &[f32], h: &[f32], now: &mut [f32]) {
    let width = now.len();
    for j in 0..width {
        let r = sigmoid(gx[j] + gh[j]);
        let z = sigmoid(gx[width + j] + gh[width + j]);
        let n = (gx[2 * width + j] + r * gh[2 * width + j]).tanh();
        now[j] = (1.0 - z) * n + z * h[j];
    }
}
