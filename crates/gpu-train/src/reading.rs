//! Reading what the card leaves. Its structs are read as the words they consist of.

use tensor::CudaError;

use crate::buffers::TraceBuffers;
use crate::operands::{COUNTERS, METRICS};
use crate::results::{Metrics, Played};

impl Metrics {
    /// Those in a place of the ring.
    pub(crate) fn of(words: &[u32], place: usize, stages: usize) -> Self {
        let words = &words[place * METRICS..][..METRICS];
        let number = |k: usize| f64::from_bits(u64::from(words[2 * k]) | u64::from(words[2 * k + 1]) << 32);
        Self {
            loss: number(0),
            policy_loss: number(1),
            value_loss: number(2),
            entropy: number(3),
            grad_norm: number(4),
            reward: number(5),
            rate: number(6),
            entropy_coefficient: number(7),
            update: words[16],
            decisions: words[17],
            solved: words[18..][..stages].to_vec(),
        }
    }
}

/// `struct Counters`, when so many updates and steps have been taken.
pub(crate) fn counters(update: u32, step: u32) -> [u32; COUNTERS] {
    let mut words = [0; COUNTERS];
    (words[0], words[1]) = (update, step);
    words
}

impl Played {
    pub(crate) fn read(trace: &TraceBuffers<'_>, episodes: usize, steps: usize) -> Result<Self, CudaError> {
        let places = steps * episodes;
        Ok(Self {
            episodes,
            begin: trace.begin.read(0..episodes)?,
            end: trace.end.read(0..episodes)?,
            solved: trace.solved.read(0..episodes)?.into_iter().map(|solved| solved != 0).collect(),
            tokens: trace.tokens.read(0..places)?,
            actions: trace.actions.read(0..places)?,
            rewards: trace.rewards.read(0..places)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_from_their_place() {
        let mut words = vec![0; 2 * METRICS];
        for k in 0..8 {
            let bits = (k as f64 + 0.5).to_bits();
            (words[METRICS + 2 * k], words[METRICS + 2 * k + 1]) = (bits as u32, (bits >> 32) as u32);
        }
        for k in 16..METRICS {
            words[METRICS + k] = k as u32;
        }
        let got = Metrics::of(&words, 1, 3);
        assert_eq!((got.loss, got.entropy_coefficient, got.update, got.decisions), (0.5, 7.5, 16, 17));
        assert_eq!(got.solved, [18, 19, 20]);
    }
}
