//! Self-imitation learning: a buffer keeps successful episodes, and updates learn from them again.
//!
//! If the only reward comes at the end of an episode, first successes are rare. A policy soon forgets what it learned from
//! one gradient. A [`ReplayBuffer`] keeps the last successes of each stage. Every update learns again from a few:
//!
//! ```text
//! L = w/(K·S) Σ_episodes Σ_steps ( − ln π(a)·[max(G − V, 0)]  +  β/2·max(G − V, 0)² )
//! ```
//!
//! The sum is over K episodes of each of the S stages that have successes. G is the return of the episode when it was
//! played. V is the critic's present value. No gradient flows through the brackets, so steps whose return the critic already
//! expects teach nothing. The method does not depend on the task.
//!
//! Source: J. Oh, Y. Guo, S. Singh, H. Lee, "Self-Imitation Learning" (2018), equations 1 to 3 and the β of its
//! appendix. The paper samples by priority; this code samples uniformly.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autograd::Var;
use tensor::philox::Philox;
use tensor::{Real, Tensor};

use crate::env::{ActionSpace, Space, Spec};
use crate::model::Decisions;
use crate::returns::{AdvantageEstimator, compute_advantages};
use crate::trajectories::{Row, Trajectories};

/// The maximum number of successes that the buffer keeps of each stage.
const CAPACITY: usize = 256;

/// β, the weight of the critic's term.
const VALUE_COEFFICIENT: f64 = 0.01;

/// An episode that ended with success.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The episode.
    pub row: Row,
    /// G, the return at each step.
    pub returns: Vec<f64>,
}

/// The buffer of the last successes of each stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayBuffer {
    /// The successes of each stage, oldest first. The last stages may be missing if they have no successes.
    pub stages: Vec<VecDeque<Success>>,
}

/// A batch of successes of one stage to learn from again, with their original returns.
#[derive(Clone, Debug)]
pub struct ReplayBatch {
    /// The successes.
    pub played: Trajectories,
    /// G, the original returns, \[T,B\].
    pub returns: Vec<f64>,
}

impl ReplayBuffer {
    /// Checks that these can be successes of a task.
    ///
    /// # Errors
    /// If there are too many stages or successes, or if one does not fit the task.
    pub fn check(&self, spec: &Spec) -> Result<(), String> {
        if self.stages.len() > spec.stages {
            return Err(format!("successes of {} stages; expected at most {}", self.stages.len(), spec.stages));
        }
        for (stage, kept) in self.stages.iter().enumerate() {
            if kept.len() > CAPACITY || !kept.iter().all(|success| success.fits(spec)) {
                return Err(format!("stage {stage}: successes that do not fit the task"));
            }
        }
        Ok(())
    }

    /// Adds the successes among these rows that are whole episodes. A full buffer drops the oldest success of the stage.
    pub fn add_successes(&mut self, played: &Trajectories, gamma: f64) {
        if self.stages.len() <= played.stage {
            self.stages.resize_with(played.stage + 1, VecDeque::new);
        }
        let kept = &mut self.stages[played.stage];
        let targets = compute_advantages(played, gamma, AdvantageEstimator::Gae(1.0)).targets;
        for i in (0..played.episodes).filter(|&i| played.solved[i]) {
            let row = played.row(i);
            if row.carried.is_some() {
                continue;
            }
            if kept.len() == CAPACITY {
                kept.pop_front();
            }
            kept.push_back(Success { row, returns: played.steps_of(i).map(|k| targets[k]).collect() });
        }
    }

    /// Draws `count` successes of each stage that has any, uniformly and with replacement.
    pub fn sample(&self, count: usize, rng: &mut Philox) -> Vec<ReplayBatch> {
        let nonempty = self.stages.iter().enumerate().filter(|(_, kept)| !kept.is_empty());
        nonempty
            .map(|(stage, kept)| {
                let drawn: Vec<&Success> = (0..count).map(|_| &kept[rng.below(kept.len() as u32) as usize]).collect();
                ReplayBatch::from_successes(stage, &drawn)
            })
            .collect()
    }
}

impl Success {
    fn fits(&self, spec: &Spec) -> bool {
        let Self { row, returns } = self;
        let (steps, size) = (returns.len(), spec.observation.size());
        let observed = match spec.observation {
            Space::Tokens { .. } => {
                row.vectors.is_empty()
                    && row.ends.len() == steps
                    && row.ends.is_sorted()
                    && row.ends.last().is_some_and(|&end| end as usize + 1 == row.tokens.len())
                    && row.tokens.iter().all(|&token| (token as usize) < size)
            }
            Space::Vector { .. } => {
                row.tokens.is_empty() && row.vectors.len() == steps * size && row.vectors.iter().all(|x| x.is_finite())
            }
        };
        let choices = match &spec.action {
            ActionSpace::Discrete { names } => names.len(),
            ActionSpace::Continuous { .. } => 0,
        };
        (1..=spec.horizon).contains(&steps)
            && spec.action.accepts(&row.actions)
            && (row.actions.len(), row.rewards.len(), row.values.len()) == (steps, steps, steps)
            && (row.legal.is_empty() || row.legal.len() == steps * choices)
            && row.carried.is_none()
            && observed
            && returns.iter().all(|g| g.is_finite())
    }
}

impl ReplayBatch {
    /// Combines episodes into a batch.
    fn from_successes(stage: usize, drawn: &[&Success]) -> Self {
        let played = Trajectories::from_rows(stage, &drawn.iter().map(|success| &success.row).collect::<Vec<_>>());
        let returns = (0..played.steps)
            .flat_map(|t| drawn.iter().map(move |success| success.returns.get(t).copied().unwrap_or(0.0)));
        Self { returns: returns.collect(), played }
    }

    /// The loss of the decisions, summed over the valid steps of these episodes. It has no factor w/(K·S).
    pub fn loss<'t, T: Real>(&self, decisions: Decisions<'t, T>) -> Var<'t, T> {
        let (tape, steps) = (decisions.values.tape(), self.played.valid_step_indices());
        let (k, count) = (steps.to_vec(), steps.size());
        let returns = tape.constant(Tensor::from_fn([count], |n| T::from_f64(self.returns[k[n] as usize])));

        let Decisions { actions, values } = decisions.at_steps(&steps);
        let excess = (returns - values).relu(); // max(G − V, 0)
        let chosen = actions.log_prob(&self.played.actions_at(&k));
        excess.square().sum().scale(T::from_f64(VALUE_COEFFICIENT / 2.0)) - (excess.detach() * chosen).sum()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use tensor::philox::{Purpose, Stream};

    use super::*;
    use crate::distribution::Distribution;
    use crate::env::Actions;
    use crate::trajectories::Observed;

    /// Three episodes. Episode 1 succeeds, in two steps.
    fn played() -> Trajectories {
        Trajectories {
            stage: 1,
            episodes: 3,
            steps: 2,
            observed: Observed::from_contexts(&[1, 2, 3, 10, 10, 10], &[10, 11, 12, 13, 14, 15], 3),
            actions: Actions::Discrete(vec![0, 1, 2, 3, 4, 5]),
            rewards: vec![0.0, -0.5, 0.0, 0.0, 2.0, 0.0],
            values: vec![0.3; 6],
            valid: vec![true, true, true, true, true, false],
            solved: vec![false, true, false],
            ..Trajectories::default()
        }
    }

    fn rng() -> Philox {
        Philox::stream(1, Stream { purpose: Purpose::REPLAY, update: 0, episode: 0 })
    }

    #[test]
    fn add_successes_keeps_only_successes() {
        let mut memory = ReplayBuffer::default();
        assert!(memory.sample(2, &mut rng()).is_empty());
        memory.add_successes(&played(), 1.0);
        let replays = memory.sample(2, &mut rng());
        assert_eq!(replays.len(), 1);
        let ReplayBatch { played, returns } = &replays[0];
        assert_eq!((played.stage, played.episodes, played.steps), (1, 2, 2));
        assert_eq!(played.observed, Observed::from_contexts(&[2, 2, 10, 10], &[11, 11, 14, 14], 2));
        assert_eq!(played.actions, Actions::Discrete(vec![1, 1, 4, 4]));
        assert_eq!(returns[..], [1.5, 1.5, 2.0, 2.0]);
    }

    #[test]
    fn add_successes_full_buffer_drops_the_oldest() {
        let mut memory = ReplayBuffer::default();
        for k in 0..CAPACITY as u32 + 3 {
            let observed = Observed::from_contexts(&[k, k, k, 10, 10, 10], &[10; 6], 3);
            memory.add_successes(&Trajectories { observed, ..played() }, 1.0);
        }
        let kept = &memory.stages[1];
        assert_eq!((kept.len(), kept[0].row.tokens[0]), (CAPACITY, 3));
    }

    #[test]
    fn loss_return_below_the_value_adds_nothing() {
        let mut memory = ReplayBuffer::default();
        memory.add_successes(&played(), 1.0);
        let replay = memory.sample(1, &mut rng()).remove(0);
        let tape = autograd::Tape::<f64>::new();
        let logits = tape.input(Tensor::zeros([2, 6]));
        let loss = |values: [f64; 2]| {
            let (actions, values) = (Distribution::categorical(logits, &[]), tape.input(Tensor::from(values)));
            let decisions = Decisions { actions, values };
            replay.loss(decisions).value().item()
        };
        let ln6 = Real::ln(6.0_f64);
        let half_beta = VALUE_COEFFICIENT / 2.0;
        assert!((loss([1.0, 0.0]) - (0.5 + 2.0) * ln6 - half_beta * (0.25 + 4.0)).abs() < 1e-12);
        assert!((loss([1.0, 3.0]) - 0.5 * ln6 - half_beta * 0.25).abs() < 1e-12);
    }

    /// Loss and gradients keep their bytes if all entries of invalid steps are NaN or ±∞.
    #[test]
    fn loss_poisoned_invalid_steps_change_nothing() {
        let success = |steps: usize| Success {
            row: Row {
                tokens: vec![1; steps],
                ends: (0..steps as u32).collect(),
                actions: Actions::Discrete((0..steps as u32).collect()),
                rewards: vec![0.0; steps],
                values: vec![0.0; steps],
                ..Row::default()
            },
            returns: vec![1.5; steps],
        };
        let (short, long) = (success(1), success(3));
        let run = |poison: f64| {
            let mut replay = ReplayBatch::from_successes(0, &[&short, &long]);
            let valid = replay.played.valid.clone();
            assert_eq!(valid, [true, true, false, true, false, true]);
            let put = |k: usize, x: f64| if valid[k] { x } else { poison };
            replay.returns = (0..6).map(|k| put(k, replay.returns[k])).collect();
            let tape = autograd::Tape::<f64>::new();
            let log_probs = tape.input(Tensor::from_fn([6, 3], |i| put(i / 3, -1.0 - 0.1 * i as f64)));
            let values = tape.input(Tensor::from_fn([6], |k| put(k, 0.2 * k as f64)));
            let loss = replay.loss(Decisions { actions: Distribution::Categorical { log_probs }, values });
            loss.backward().expect("no parameters");
            let bits = |x: Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert!(loss.value().item().is_finite());
            (loss.value().item().to_bits(), [log_probs, values].map(|x| bits(x.grad().expect("reached").clone())))
        };
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(run(poison), run(0.25), "{poison}");
        }
    }

    /// d lnπ(a) / d logits = onehot(a) − π. max(G − V, 0) is a constant where it weights lnπ.
    #[test]
    fn loss_gradient_raises_the_chosen_action_and_the_value() {
        let mut memory = ReplayBuffer::default();
        memory.add_successes(&played(), 1.0);
        let replay = memory.sample(1, &mut rng()).remove(0);
        let tape = autograd::Tape::<f64>::new();
        let (logits, values) = (tape.input(Tensor::zeros([2, 6])), tape.input(Tensor::from([1.0, 0.0])));
        let actions = Distribution::categorical(logits, &[]);
        replay.loss(Decisions { actions, values }).backward().expect("no parameters");
        let (d_logits, d_values) = (logits.grad().expect("reached"), values.grad().expect("reached"));
        for (t, excess) in [0.5, 2.0].into_iter().enumerate() {
            assert!((d_values.get(&[t]) + VALUE_COEFFICIENT * excess).abs() < 1e-15);
            for a in 0..6 {
                let chosen = f64::from(u8::from(a == replay.played.actions.discrete()[t] as usize));
                assert!((d_logits.get(&[t, a]) - excess * (1.0 / 6.0 - chosen)).abs() < 1e-15);
            }
        }
    }
}
