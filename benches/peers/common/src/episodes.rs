//! Episodes in the layout of the golden file, for peers without their own generator or layout.

use crate::workload::{CTX, DIGITS, VOCABULARY};

/// A generator of contexts: Marsaglia's xorshift.
pub struct Contexts(u64);

impl Default for Contexts {
    fn default() -> Self {
        Self(88_172_645_463_325_252)
    }
}

impl Contexts {
    /// Draws three digits and CTX for each episode, \[B,4\].
    pub fn draw(&mut self, batch: usize) -> Vec<u32> {
        (0..4 * batch).map(|k| if k % 4 == 3 { CTX } else { self.digit() }).collect()
    }

    fn digit(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(DIGITS)) as u32
    }
}

/// Computes G of each step, \[B,T\], for actions \[B,T\]: the sum of the rewards from step t on. The reward is 1/T if
/// a = (digit\[t mod 3\] + t) mod V, else 0.
pub fn returns(contexts: &[u32], actions: &[u32], steps: usize) -> Vec<f32> {
    let right = |digits: &[u32], t: usize| (digits[t % 3] + t as u32) % VOCABULARY as u32;
    let mut out = vec![0.0; actions.len()];
    for ((digits, actions), out) in contexts.chunks(4).zip(actions.chunks(steps)).zip(out.chunks_mut(steps)) {
        let mut hits = 0_u16;
        for t in (0..steps).rev() {
            hits += u16::from(actions[t] == right(digits, t));
            out[t] = f32::from(hits) / steps as f32;
        }
    }
    out
}

/// Computes the mean reward of the episodes from their returns \[B,T\]: the mean of G at the first step.
pub fn mean_reward(returns: &[f32], steps: usize) -> f64 {
    let first = returns.iter().step_by(steps);
    first.clone().map(|&g| f64::from(g)).sum::<f64>() / first.len() as f64
}
