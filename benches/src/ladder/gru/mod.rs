//! The states of a GRU that reads tokens, forward only: PyTorch's variant, gates in the order r, z, n.
//!
//! ```text
//! r = σ(W_r·x + b_ir + U_r·h + b_hr)           x: the token's row of the embedding
//! z = σ(W_z·x + b_iz + U_z·h + b_hz)
//! n = tanh(W_n·x + b_in + r·(U_n·h + b_hn))
//! h' = (1 − z)·n + z·h
//! ```

pub mod g0_naive;
pub mod g1_one_product;
pub mod g2_input_table;
pub mod g3_packed_once;
pub mod g4_fused_gates;

use crate::uniform;
use tensor::Tensor;
use tensor::philox::{Philox, Purpose, Stream};

/// T, B, H and V: steps, examples, the width of states and embeddings, and the size of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// T, steps.
    pub time: usize,
    /// B, examples.
    pub batch: usize,
    /// H, the width of states and embeddings.
    pub width: usize,
    /// V, different tokens.
    pub vocabulary: usize,
}

/// A cell, and what it reads.
#[derive(Clone, Debug)]
pub struct Problem {
    /// All sizes.
    pub size: Size,
    /// \[T,B\]
    pub tokens: Vec<u32>,
    /// \[V,H\]
    pub embedding: Vec<f32>,
    /// W\[3H,H\]
    pub w: Vec<f32>,
    /// U\[3H,H\]
    pub u: Vec<f32>,
    /// b_i\[3H\]
    pub b_i: Vec<f32>,
    /// b_h\[3H\]
    pub b_h: Vec<f32>,
    /// h₀\[B,H\]
    pub h0: Vec<f32>,
}

impl Problem {
    /// Weights uniform within ±1/√H, as PyTorch's are at first; embeddings and states within ±1.
    pub fn new(size: Size) -> Self {
        let Size { time, batch, width, vocabulary } = size;
        let numbers = |shape: [usize; 2], stream| uniform(shape, stream).to_vec();
        let weights = |shape, stream| -> Vec<f32> {
            numbers(shape, stream).into_iter().map(|x| x / (width as f32).sqrt()).collect()
        };
        let mut rng = Philox::stream(42, Stream { purpose: Purpose(256), update: 1, episode: 0 });
        Self {
            size,
            tokens: (0..time * batch).map(|_| rng.below(vocabulary as u32)).collect(),
            embedding: numbers([vocabulary, width], 0),
            w: weights([3 * width, width], 1),
            u: weights([3 * width, width], 2),
            b_i: weights([1, 3 * width], 3),
            b_h: weights([1, 3 * width], 4),
            h0: numbers([batch, width], 5),
        }
    }

    /// The tokens as a tensor, \[T,B\].
    pub fn token_tensor(&self) -> Tensor<u32> {
        Tensor::new([self.size.time, self.size.batch], self.tokens.clone())
    }
}

/// A rung: overwrites hs\[T,B,H\] with the state after each token.
///
/// # Panics
/// If hs is shorter.
pub type Scan = fn(&Problem, &mut [f32]);

/// All rungs with their names, from the bottom up.
pub const RUNGS: [(&str, Scan); 5] = [
    ("g0_naive", g0_naive::scan),
    ("g1_one_product", g1_one_product::scan),
    ("g2_input_table", g2_input_table::scan),
    ("g3_packed_once", g3_packed_once::scan),
    ("g4_fused_gates", g4_fused_gates::scan),
];

/// 1 / (1 + e⁻ˣ) with the standard library's eˣ; in `f32` it neither overflows into NaN nor divides by zero.
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The state before step `t`, \[B,H\], and room for the one after it.
pub(crate) fn states<'a>(p: &'a Problem, hs: &'a mut [f32], t: usize) -> (&'a [f32], &'a mut [f32]) {
    let size = p.size.batch * p.size.width;
    let (past, now) = hs.split_at_mut(t * size);
    (if t == 0 { &p.h0 } else { &past[(t - 1) * size..] }, &mut now[..size])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify;

    #[test]
    fn every_rung_gives_the_lowest_ones_states() {
        for (time, batch, width, vocabulary) in [(1, 1, 1, 1), (5, 3, 7, 4), (3, 5, 17, 18), (14, 9, 33, 18)] {
            let problem = Problem::new(Size { time, batch, width, vocabulary });
            let states = |scan: Scan| {
                let mut hs = vec![f32::NAN; time * batch * width];
                scan(&problem, &mut hs);
                hs.into_iter().map(f64::from).collect::<Vec<_>>()
            };
            let want = states(g0_naive::scan);
            for (name, scan) in RUNGS {
                verify(&format!("{name} {time} {batch}x{width}"), &states(scan), &want, 2e-6);
            }
        }
    }

    /// One unit, by hand: with W, U and biases of zero but for b_in, r and z are a half and n = tanh b_in.
    #[test]
    fn the_lowest_rung_is_the_equations() {
        let mut problem = Problem::new(Size { time: 1, batch: 1, width: 1, vocabulary: 1 });
        (problem.w, problem.u, problem.b_h) = (vec![0.0; 3], vec![0.0; 3], vec![0.0, 0.0, 4.0]);
        (problem.b_i, problem.h0) = (vec![0.0, 0.0, -1.5], vec![3.0]);
        let mut h = [f32::NAN];
        g0_naive::scan(&problem, &mut h);
        assert!((h[0] - (0.5 * 0.5_f32.tanh() + 1.5)).abs() < 1e-6, "{h:?}");
    }
}
