//! W_hh is transposed and packed once, before the first step.
//!
//! Change from [`g2_input_table`](super::g2_input_table): the weights do not change within a sequence. So all steps but the
//! first save the packing, which copies the weights into the order in which tiles read them. A product with few rows gains
//! most, because packing is a large share of its work.

use super::g1_one_product::{add_rows, affine, compute_gates, transpose};
use super::{Problem, split_states};
use crate::ladder::matmul::m4_packed::{MR, NR, Packed, compute_tile};

/// See [`GruForward`](super::GruForward).
pub fn gru_forward(p: &Problem, hs: &mut [f32]) {
    let (batch, hidden_size) = (p.size.batch, p.size.hidden_size);
    let mut table = vec![0.0; p.size.vocabulary * 3 * hidden_size];
    affine(hidden_size, &p.w_ih, &p.b_ih, &p.embedding, &mut table);
    let w_hh = Packed::<NR>::new([hidden_size, 3 * hidden_size], &transpose(hidden_size, &p.w_hh));
    let mut gh = vec![0.0; batch * 3 * hidden_size];
    for t in 0..p.size.time {
        let (h_prev, h) = split_states(p, hs, t);
        w_hh.matmul(batch, h_prev, &mut gh, compute_tile::<MR, NR>);
        add_rows(&p.b_hh, &mut gh);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let (gx, gh) = (&table[token as usize * 3 * hidden_size..], &gh[b * 3 * hidden_size..]);
            compute_gates(gx, gh, &h_prev[b * hidden_size..], &mut h[b * hidden_size..][..hidden_size]);
        }
    }
}
