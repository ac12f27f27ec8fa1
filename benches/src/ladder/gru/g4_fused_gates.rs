//! Bias, gates and the new state are one pass over a row, in functions that compilers vectorise.
//!
//! Against [`g3_packed_once`](super::g3_packed_once): σ and tanh are `tensor`'s, plain arithmetic without a branch or a call,
//! so that each loop over a row does four units at a time or more; and b_h is added on the way, not in a pass of its own.

use super::g1_one_product::{affine, transposed};
use super::{Problem, states};
use crate::ladder::matmul::m4_packed::Packed;
use tensor::Real;

/// See [`Scan`](super::Scan).
pub fn scan(p: &Problem, hs: &mut [f32]) {
    let (batch, width) = (p.size.batch, p.size.width);
    let mut table = vec![0.0; p.size.vocabulary * 3 * width];
    affine(width, &p.w, &p.b_i, &p.embedding, &mut table);
    let u = Packed::new([width, 3 * width], &transposed(width, &p.u));
    let mut gh = vec![0.0; batch * 3 * width];
    for t in 0..p.size.time {
        let (h, now) = states(p, hs, t);
        u.matmul(batch, h, &mut gh);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let gx = &table[token as usize * 3 * width..][..3 * width];
            let gh = &mut gh[b * 3 * width..][..3 * width];
            gates(gx, gh, &p.b_h, &h[b * width..], &mut now[b * width..][..width]);
        }
    }
}

/// The state after a step of one example. gh\[3H\] comes in as U·h, and goes out as (r, z, n).
fn gates(gx: &[f32], gh: &mut [f32], b_h: &[f32], h: &[f32], now: &mut [f32]) {
    let width = now.len();
    let (rz, n) = gh.split_at_mut(2 * width);
    rz.iter_mut().zip(gx).zip(b_h).for_each(|((gate, &x), &b)| *gate = Real::sigmoid(x + (*gate + b)));
    let (r, z) = rz.split_at(width);
    let of_n = n.iter_mut().zip(r).zip(&gx[2 * width..]).zip(&b_h[2 * width..]);
    of_n.for_each(|(((n, &r), &x), &b)| *n = Real::tanh(x + r * (*n + b)));
    now.iter_mut().zip(z).zip(&*n).zip(h).for_each(|(((now, &z), &n), &h)| *now = (1.0 - z) * n + z * h);
}
