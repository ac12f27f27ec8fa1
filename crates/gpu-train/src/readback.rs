//! Reading the GPU's results: its structs are parsed from their 32-bit words.

use rl::a2c::Metrics;
use rl::train::UpdateResult;
use tensor::CudaError;

use crate::buffers::TraceBuffers;
use crate::episode_record::EpisodeRecord;
use crate::operands::{COUNTERS, METRICS};

/// Parses the metrics at `place` of the ring. Their update had `counts` episodes of each stage.
pub(crate) fn parse_metrics(words: &[u32], place: usize, counts: &[usize]) -> UpdateResult {
    let words = &words[place * METRICS..][..METRICS];
    let number = |k: usize| f64::from_bits(u64::from(words[2 * k]) | u64::from(words[2 * k + 1]) << 32);
    let metrics = Metrics {
        loss: number(0),
        policy_loss: number(1),
        value_loss: number(2),
        entropy: number(3),
        hindsight_loss: 0.0,
        kinds: Vec::new(),
        grad_norm: number(4),
        reward: number(5),
        steps: words[17] as usize, // after the update's number
        stages: counts.iter().zip(&words[18..]).map(|(&count, &solved)| (count, solved as usize)).collect(),
    };
    UpdateResult { metrics, rate: number(6), entropy_coefficient: number(7) }
}

/// Encodes `struct Counters` after `update` updates and `step` steps.
pub(crate) fn encode_counters(update: u32, step: u32) -> [u32; COUNTERS] {
    let mut words = [0; COUNTERS];
    (words[0], words[1]) = (update, step);
    words
}

impl EpisodeRecord {
    pub(crate) fn read(trace: &TraceBuffers<'_>, episodes: usize, steps: usize) -> Result<Self, CudaError> {
        let step_slots = steps * episodes;
        let [begin, end, solved, tokens, actions] = trace.words;
        Ok(Self {
            episodes,
            begin: begin.read(0..episodes)?,
            end: end.read(0..episodes)?,
            solved: solved.read(0..episodes)?.into_iter().map(|solved| solved != 0).collect(),
            tokens: tokens.read(0..step_slots)?,
            actions: actions.read(0..step_slots)?,
            rewards: trace.rewards.read(0..step_slots)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_metrics_reads_its_place_in_the_ring() {
        let mut words = vec![0; 2 * METRICS];
        for k in 0..8 {
            let bits = (k as f64 + 0.5).to_bits();
            (words[METRICS + 2 * k], words[METRICS + 2 * k + 1]) = (bits as u32, (bits >> 32) as u32);
        }
        for k in 16..METRICS {
            words[METRICS + k] = k as u32;
        }
        let got = parse_metrics(&words, 1, &[5, 6, 7]);
        assert_eq!((got.metrics.loss, got.rate, got.entropy_coefficient, got.metrics.steps), (0.5, 6.5, 7.5, 17));
        assert_eq!(got.metrics.stages, [(5, 18), (6, 19), (7, 20)]);
    }
}
