//! The equations, one unit of one example at a time.
//!
//! It is the reference. Every unit takes six products of a row of weights with a vector, each a sum that waits for its last
//! term.

use super::{Problem, sigmoid, states};

/// See [`Scan`](super::Scan).
pub fn scan(p: &Problem, hs: &mut [f32]) {
    let (batch, width) = (p.size.batch, p.size.width);
    for t in 0..p.size.time {
        let (before, now) = states(p, hs, t);
        for b in 0..batch {
            let x = row(&p.embedding, p.tokens[t * batch + b] as usize, width);
            let h = row(before, b, width);
            for j in 0..width {
                let from_x = |gate: usize| dot(row(&p.w, gate * width + j, width), x) + p.b_i[gate * width + j];
                let from_h = |gate: usize| dot(row(&p.u, gate * width + j, width), h) + p.b_h[gate * width + j];
                let r = sigmoid(from_x(0) + from_h(0));
                let z = sigmoid(from_x(1) + from_h(1));
                let n = (from_x(2) + r * from_h(2)).tanh();
                now[b * width + j] = (1.0 - z) * n + z * h[j];
            }
        }
    }
}

fn row(matrix: &[f32], i: usize, width: usize) -> &[f32] {
    &matrix[i * width..][..width]
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
