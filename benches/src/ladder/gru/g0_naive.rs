//! The equations, one unit of one example at a time.
//!
//! This rung is the reference. Each unit needs six dot products of a row of weights with a vector. Each dot product is a
//! sum whose additions wait for each other.

use super::{Problem, sigmoid, split_states};

/// See [`GruForward`](super::GruForward).
pub fn gru_forward(p: &Problem, hs: &mut [f32]) {
    let (batch, hidden_size) = (p.size.batch, p.size.hidden_size);
    for t in 0..p.size.time {
        let (h_prev, h) = split_states(p, hs, t);
        for b in 0..batch {
            let x = row(&p.embedding, p.tokens[t * batch + b] as usize, hidden_size);
            let h_prev = row(h_prev, b, hidden_size);
            for j in 0..hidden_size {
                let gx = |gate: usize| {
                    dot(row(&p.w_ih, gate * hidden_size + j, hidden_size), x) + p.b_ih[gate * hidden_size + j]
                };
                let gh = |gate: usize| {
                    dot(row(&p.w_hh, gate * hidden_size + j, hidden_size), h_prev) + p.b_hh[gate * hidden_size + j]
                };
                let r = sigmoid(gx(0) + gh(0));
                let z = sigmoid(gx(1) + gh(1));
                let n = (gx(2) + r * gh(2)).tanh();
                h[b * hidden_size + j] = (1.0 - z) * n + z * h_prev[j];
            }
        }
    }
}

fn row(matrix: &[f32], i: usize, columns: usize) -> &[f32] {
    &matrix[i * columns..][..columns]
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
