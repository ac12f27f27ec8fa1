//! Fused gates: one pass over a row adds the bias and computes the gates and the new state, in loops that vectorise.
//!
//! Change from [`g3_packed_once`](super::g3_packed_once): σ and tanh are `tensor`'s. They are plain arithmetic without
//! branches or calls, so each loop over a row computes four or more units at a time. b_hh is added in the same pass.

use super::g1_one_product::{affine, transpose};
use super::{Problem, split_states};
use crate::ladder::matmul::m4_packed::{MR, NR, Packed, compute_tile};
use tensor::Real;

/// See [`GruForward`](super::GruForward).
pub fn gru_forward(p: &Problem, hs: &mut [f32]) {
    let (batch, hidden_size) = (p.size.batch, p.size.hidden_size);
    let mut table = vec![0.0; p.size.vocabulary * 3 * hidden_size];
    affine(hidden_size, &p.w_ih, &p.b_ih, &p.embedding, &mut table);
    let w_hh = Packed::<NR>::new([hidden_size, 3 * hidden_size], &transpose(hidden_size, &p.w_hh));
    let mut hw = vec![0.0; batch * 3 * hidden_size];
    for t in 0..p.size.time {
        let (h_prev, h) = split_states(p, hs, t);
        w_hh.matmul(batch, h_prev, &mut hw, compute_tile::<MR, NR>);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let gx = &table[token as usize * 3 * hidden_size..][..3 * hidden_size];
            let hw = &mut hw[b * 3 * hidden_size..][..3 * hidden_size];
            let h = &mut h[b * hidden_size..][..hidden_size];
            compute_gates(gx, hw, &p.b_hh, &h_prev[b * hidden_size..], h);
        }
    }
}

/// Computes the new state h\[H\] of one example. hw\[3H\] holds h_prev·W_hhᵀ on entry and (r, z, n) on return.
fn compute_gates(gx: &[f32], hw: &mut [f32], b_hh: &[f32], h_prev: &[f32], h: &mut [f32]) {
    let hidden_size = h.len();
    let (rz, n) = hw.split_at_mut(2 * hidden_size);
    rz.iter_mut().zip(gx).zip(b_hh).for_each(|((gate, &gx), &b)| *gate = Real::sigmoid(gx + (*gate + b)));
    let (r, z) = rz.split_at(hidden_size);
    let candidates = n.iter_mut().zip(r).zip(&gx[2 * hidden_size..]).zip(&b_hh[2 * hidden_size..]);
    candidates.for_each(|(((n, &r), &gx), &b)| *n = Real::tanh(gx + r * (*n + b)));
    h.iter_mut().zip(z).zip(&*n).zip(h_prev).for_each(|(((h, &z), &n), &h_prev)| *h = (1.0 - z) * n + z * h_prev);
}
