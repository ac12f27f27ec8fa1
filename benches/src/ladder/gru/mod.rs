//! Versions of the forward pass of a GRU that reads tokens: PyTorch's variant, gate order r, z, n.
//!
//! ```text
//! gx = x·W_ihᵀ + b_ih           gh = h_prev·W_hhᵀ + b_hh      x: the embedding of the token
//! r = σ(gx_r + gh_r)            z = σ(gx_z + gh_z)
//! n = tanh(gx_n + r·gh_n)       h = (1 − z)·n + z·h_prev
//! ```

pub mod g0_naive;
pub mod g1_one_product;
pub mod g2_input_table;
pub mod g3_packed_once;
pub mod g4_fused_gates;

use crate::uniform;
use tensor::Tensor;
use tensor::philox::{Philox, Purpose, Stream};

/// The sizes T, B, H and V. The embedding size E is H.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// T, the number of steps.
    pub time: usize,
    /// B, the number of examples.
    pub batch: usize,
    /// H, the size of states and embeddings.
    pub hidden_size: usize,
    /// V, the number of different tokens.
    pub vocabulary: usize,
}

/// The parameters of a GRU and its input.
#[derive(Clone, Debug)]
pub struct Problem {
    /// All sizes.
    pub size: Size,
    /// tokens\[T,B\]
    pub tokens: Vec<u32>,
    /// embedding\[V,H\]
    pub embedding: Vec<f32>,
    /// W_ih\[3H,H\]
    pub w_ih: Vec<f32>,
    /// W_hh\[3H,H\]
    pub w_hh: Vec<f32>,
    /// b_ih\[3H\]
    pub b_ih: Vec<f32>,
    /// b_hh\[3H\]
    pub b_hh: Vec<f32>,
    /// h₀\[B,H\]
    pub h0: Vec<f32>,
}

impl Problem {
    /// Draws a problem: weights uniform within ±1/√H, as PyTorch initialises them; embeddings and states within ±1.
    pub fn new(size: Size) -> Self {
        let Size { time, batch, hidden_size, vocabulary } = size;
        let numbers = |shape: [usize; 2], stream| uniform(shape, stream).to_vec();
        let weights = |shape, stream| -> Vec<f32> {
            numbers(shape, stream).into_iter().map(|x| x / (hidden_size as f32).sqrt()).collect()
        };
        let mut rng = Philox::stream(42, Stream { purpose: Purpose(256), update: 1, episode: 0 });
        Self {
            size,
            tokens: (0..time * batch).map(|_| rng.below(vocabulary as u32)).collect(),
            embedding: numbers([vocabulary, hidden_size], 0),
            w_ih: weights([3 * hidden_size, hidden_size], 1),
            w_hh: weights([3 * hidden_size, hidden_size], 2),
            b_ih: weights([1, 3 * hidden_size], 3),
            b_hh: weights([1, 3 * hidden_size], 4),
            h0: numbers([batch, hidden_size], 5),
        }
    }

    /// Returns the tokens as a tensor, \[T,B\].
    pub fn token_tensor(&self) -> Tensor<u32> {
        Tensor::new([self.size.time, self.size.batch], self.tokens.clone())
    }
}

/// A rung: overwrites hs\[T,B,H\] with the state after each token.
///
/// # Panics
/// If hs is shorter.
pub type GruForward = fn(&Problem, &mut [f32]);

/// All rungs with their names, from the lowest to the highest.
pub const RUNGS: [(&str, GruForward); 5] = [
    ("g0_naive", g0_naive::gru_forward),
    ("g1_one_product", g1_one_product::gru_forward),
    ("g2_input_table", g2_input_table::gru_forward),
    ("g3_packed_once", g3_packed_once::gru_forward),
    ("g4_fused_gates", g4_fused_gates::gru_forward),
];

/// Computes σ(x) = 1 / (1 + e⁻ˣ) with the standard library's eˣ. In `f32` this gives no NaN and no division by zero.
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns the state before step `t`, \[B,H\], and the slice for the new state.
pub(crate) fn split_states<'a>(p: &'a Problem, hs: &'a mut [f32], t: usize) -> (&'a [f32], &'a mut [f32]) {
    let size = p.size.batch * p.size.hidden_size;
    let (past, h) = hs.split_at_mut(t * size);
    (if t == 0 { &p.h0 } else { &past[(t - 1) * size..] }, &mut h[..size])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify;

    #[test]
    fn gru_rungs_give_the_naive_states() {
        for (time, batch, hidden_size, vocabulary) in [(1, 1, 1, 1), (5, 3, 7, 4), (3, 5, 17, 18), (14, 9, 33, 18)] {
            let problem = Problem::new(Size { time, batch, hidden_size, vocabulary });
            let states = |gru_forward: GruForward| {
                let mut hs = vec![f32::NAN; time * batch * hidden_size];
                gru_forward(&problem, &mut hs);
                hs.into_iter().map(f64::from).collect::<Vec<_>>()
            };
            let want = states(g0_naive::gru_forward);
            for (name, gru_forward) in RUNGS {
                verify(&format!("{name} {time} {batch}x{hidden_size}"), &states(gru_forward), &want, 2e-6);
            }
        }
    }

    /// One unit, computed by hand. All weights and biases are zero but the biases of n. So r = z = ½ and
    /// n = tanh(b_ih,n + ½·b_hh,n).
    #[test]
    fn g0_naive_one_unit_follows_the_equations() {
        let mut problem = Problem::new(Size { time: 1, batch: 1, hidden_size: 1, vocabulary: 1 });
        (problem.w_ih, problem.w_hh, problem.b_hh) = (vec![0.0; 3], vec![0.0; 3], vec![0.0, 0.0, 4.0]);
        (problem.b_ih, problem.h0) = (vec![0.0, 0.0, -1.5], vec![3.0]);
        let mut h = [f32::NAN];
        g0_naive::gru_forward(&problem, &mut h);
        assert!((h[0] - (0.5 * 0.5_f32.tanh() + 1.5)).abs() < 1e-6, "{h:?}");
    }
}
