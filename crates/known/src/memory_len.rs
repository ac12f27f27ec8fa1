//! bsuite's memory_len: remember a bit for L steps, then say it.
//!
//! Source: I. Osband et al., "Behaviour Suite for Reinforcement Learning" (2020); lengths, rewards and observations as in
//! bsuite 0.3.6. An episode has L + 1 steps, since the time advances after the observation is made: the reset and the first
//! step show the same. Its score is the share of lengths whose mean regret over 10,000 episodes is below 0.75, where a wrong
//! answer has regret 2.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// The task `memory-len`; each stage is a length. The observation is the remaining share of the time, 0 (the index of the bit
/// that is asked for, of which there is one), and the bit as ±1 at time 0 or 0 later.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLen {
    lengths: &'static [usize],
}

impl MemoryLen {
    /// The lengths of bsuite.
    pub const LENGTHS: [usize; 23] =
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100];

    /// The task with the lengths of bsuite.
    pub const ALL: Self = Self { lengths: &Self::LENGTHS };

    /// The task with other lengths, one for each stage.
    ///
    /// # Panics
    /// If there are no lengths, or if one is 0.
    #[track_caller]
    pub const fn new(lengths: &'static [usize]) -> Self {
        assert!(!lengths.is_empty(), "MemoryLen: 0 lengths, expected at least 1");
        let mut k = 0;
        while k < lengths.len() {
            assert!(lengths[k] > 0, "MemoryLen: a length is 0, expected at least 1");
            k += 1;
        }
        Self { lengths }
    }
}

impl Task for MemoryLen {
    fn spec(&self) -> Spec {
        let longest = self.lengths.iter().max().expect("at least one length");
        let actions = ActionSpace::discrete(["0", "1"]);
        Spec::new("memory-len", Space::vector(3), actions, longest + 1).with_stages(self.lengths.len()).with_success()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        let length = self.lengths[stage];
        env::vector(episodes, || Chain::new(length, 0))
    }
}

#[derive(Clone, Copy)]
struct Chain {
    length: usize,
    bit: u32,
    /// The number of steps so far.
    taken: usize,
}

impl Chain {
    fn new(length: usize, bit: u32) -> Self {
        Self { length, bit, taken: 0 }
    }
}

impl SingleEnv for Chain {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self::new(self.length, rng.below(2));
    }

    fn observe(&self, mut out: Observer<'_>) {
        let time = self.taken.saturating_sub(1);
        let shown = if time == 0 { 2.0 * f64::from(self.bit) - 1.0 } else { 0.0 };
        let left = 1.0 - time as f64 / self.length as f64;
        out.vector(&[f64::from(left as f32), 0.0, shown]); // bsuite's observations are float32
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.taken += 1;
        match self.taken {
            taken if taken <= self.length => Step::reward(0.0),
            _ if action.discrete() == self.bit => Step::solved(1.0),
            _ => Step::terminated(-1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn check_memory_len_finds_no_broken_promise() {
        assert_eq!(env::check::check(&MemoryLen::ALL), Ok(()));
        assert_eq!(env::check::check(&MemoryLen::new(&[3])), Ok(()));
    }

    #[test]
    fn memory_len_replays_the_episodes_of_bsuite() {
        let episodes = recorded::read(include_str!("../golden/memory_len.txt"));
        let round = |values: &[f64]| values.iter().map(|&x| f64::from(x as f32)).collect();
        let replay = |episode: &recorded::Recorded| {
            let length = episode.variant.parse().expect("a length");
            episode.replay(&MemoryLen::ALL.spec(), Chain::new(length, episode.hidden.parse().expect("a bit")), round)
        };
        let steps: usize = MemoryLen::LENGTHS.iter().map(|length| length + 1).sum();
        assert_eq!(episodes.iter().map(replay).sum::<usize>(), 3 * steps);
    }

    #[test]
    #[should_panic(expected = "MemoryLen: a length is 0, expected at least 1")]
    fn memory_len_of_length_0_panics() {
        MemoryLen::new(&[3, 0]);
    }
}
