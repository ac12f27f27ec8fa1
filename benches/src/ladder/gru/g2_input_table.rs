//! An input table: gx = x·W_ihᵀ + b_ih is computed once for each of the V tokens, and looked up.
//!
//! Change from [`g1_one_product`](super::g1_one_product): one product of V rows replaces a product of B rows in every step,
//! which is half of all the work. Nothing is approximated: the embedding of a token does not depend on its position. The
//! table needs inputs that come from an embedding. Other inputs that are known in advance need one product of T·B rows.

use super::g1_one_product::{affine, compute_gates};
use super::{Problem, split_states};

/// See [`GruForward`](super::GruForward).
pub fn gru_forward(p: &Problem, hs: &mut [f32]) {
    let (batch, hidden_size) = (p.size.batch, p.size.hidden_size);
    let mut table = vec![0.0; p.size.vocabulary * 3 * hidden_size];
    affine(hidden_size, &p.w_ih, &p.b_ih, &p.embedding, &mut table);
    let mut gh = vec![0.0; batch * 3 * hidden_size];
    for t in 0..p.size.time {
        let (h_prev, h) = split_states(p, hs, t);
        affine(hidden_size, &p.w_hh, &p.b_hh, h_prev, &mut gh);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let (gx, gh) = (&table[token as usize * 3 * hidden_size..], &gh[b * 3 * hidden_size..]);
            compute_gates(gx, gh, &h_prev[b * hidden_size..], &mut h[b * hidden_size..][..hidden_size]);
        }
    }
}
