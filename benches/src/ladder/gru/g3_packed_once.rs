//! U is transposed and packed before the first step, once for all.
//!
//! Against [`g2_input_table`](super::g2_input_table): the weights do not change while a sequence is read, so the moves that
//! bring them into the order in which tiles read them are saved in all steps but one. A product with few rows gains most:
//! it has little work to hide them behind.

use super::g1_one_product::{add_rows, affine, gates, transposed};
use super::{Problem, states};
use crate::ladder::matmul::m4_packed::Packed;

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
        add_rows(&p.b_h, &mut gh);
        for (b, &token) in p.tokens[t * batch..][..batch].iter().enumerate() {
            let gx = &table[token as usize * 3 * width..];
            gates(gx, &gh[b * 3 * width..], &h[b * width..], &mut now[b * width..][..width]);
        }
    }
}
