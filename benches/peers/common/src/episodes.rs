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

/// Computes R of each episode, \[B\], for actions \[B,T\]: the fraction of steps t with a = (digit\[t mod 3\] + t) mod V.
pub fn rewards(contexts: &[u32], actions: &[u32], steps: usize) -> Vec<f32> {
    let right = |digits: &[u32], t: usize| (digits[t % 3] + t as u32) % VOCABULARY as u32;
    let hits = |(digits, actions): (&[u32], &[u32])| (0..steps).filter(|&t| actions[t] == right(digits, t)).count();
    contexts.chunks(4).zip(actions.chunks(steps)).map(|episode| hits(episode) as f32 / steps as f32).collect()
}
