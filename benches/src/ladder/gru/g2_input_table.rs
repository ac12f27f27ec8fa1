//! W·x + b_i is computed once for each of the V tokens, and looked up.
//!
//! Against [`g1_one_product`](super::g1_one_product): one product of V rows takes the place of one of B rows in every step,
//! which is half of all the work. Nothing is approximated: a token's embedding is the same wherever it stands. It needs all
//! tokens to come from a table; for other inputs known beforehand, one product of T·B rows does.

use super::g1_one_product::{affine, gates};
use super::{Problem, states};

/// See [`Scan`](super::Scan).
pub fn scan(p: &Problem, hs: &mut [f32]) {
    let (batch, width) = (p.size.batch, p.size.width);
    let mut table = vec![0.0; p.size.vocabulary * 3 * width];
    affine(width, &p.w, &p.b_i, &p.embedding, &mut table);
    let mut gh = vec![0.0; batch * 3 * width];
    for t in 0..p.size.time {
        let (h, now) = states(p, hs, t);
        affine(width, &p.u, &p.b_h, h, &mut gh);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let gx = &table[token as usize * 3 * width..];
            gates(gx, &gh[b * 3 * width..], &h[b * width..], &mut now[b * width..][..width]);
        }
    }
}
