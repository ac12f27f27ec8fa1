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
use alloc::vec;
use alloc::vec::Vec;

use autograd::Var;
use tensor::philox::Philox;
use tensor::{Real, Tensor};

use crate::env::Task;
use crate::policy::Decisions;
use crate::returns::{AdvantageEstimator, compute_advantages};
use crate::trajectories::Trajectories;

/// The maximum number of successes that the buffer keeps of each stage.
const CAPACITY: usize = 256;

/// β, the weight of the critic's term.
const VALUE_COEFFICIENT: f64 = 0.01;

/// An episode that ended in an exact match.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The tokens of the context.
    pub context: Vec<u32>,
    /// The action at each step.
    pub actions: Vec<u32>,
    /// The token of each action.
    pub tokens: Vec<u32>,
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
    /// The contexts and actions of the successes.
    pub played: Trajectories,
    /// G, the original returns, \[T,B\].
    pub returns: Vec<f64>,
}

impl ReplayBuffer {
    /// Checks that these can be successes of `task`.
    ///
    /// # Errors
    /// If there are too many stages or successes, or if one does not fit the task.
    pub fn check(&self, task: &dyn Task) -> Result<(), String> {
        if self.stages.len() > task.stages() {
            return Err(format!("successes of {} stages; expected at most {}", self.stages.len(), task.stages()));
        }
        for (stage, kept) in self.stages.iter().enumerate() {
            let context = task.env(stage, 1).context_len();
            if kept.len() > CAPACITY || !kept.iter().all(|success| success.fits_task(task, context)) {
                return Err(format!("stage {stage}: successes that do not fit the task"));
            }
        }
        Ok(())
    }

    /// Adds the successes among these episodes. A full buffer drops the oldest success of the stage.
    pub fn add_successes(&mut self, played: &Trajectories, gamma: f64) {
        if self.stages.len() <= played.stage {
            self.stages.resize_with(played.stage + 1, VecDeque::new);
        }
        let kept = &mut self.stages[played.stage];
        let targets = compute_advantages(played, gamma, AdvantageEstimator::Gae(1.0)).targets;
        for i in (0..played.episodes).filter(|&i| played.solved[i]) {
            let steps: Vec<usize> =
                (0..played.steps).map(|t| t * played.episodes + i).filter(|&k| played.valid[k]).collect();
            if kept.len() == CAPACITY {
                kept.pop_front();
            }
            kept.push_back(Success {
                context: played.contexts.iter().skip(i).step_by(played.episodes).copied().collect(),
                actions: steps.iter().map(|&k| played.actions[k]).collect(),
                tokens: steps.iter().map(|&k| played.tokens[k]).collect(),
                returns: steps.iter().map(|&k| targets[k]).collect(),
            });
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
    fn fits_task(&self, task: &dyn Task, context: usize) -> bool {
        let Self { context: shown, actions, tokens, returns } = self;
        let steps = actions.len();
        (1..=task.horizon()).contains(&steps)
            && (shown.len(), tokens.len(), returns.len()) == (context, steps, steps)
            && shown.iter().chain(tokens).all(|&token| (token as usize) < task.vocabulary())
            && actions.iter().all(|&action| (action as usize) < task.actions())
            && returns.iter().all(|g| g.is_finite())
    }
}

impl ReplayBatch {
    /// Combines episodes into a batch. An episode that is shorter than the longest repeats its last step; the repeated steps
    /// are not valid.
    fn from_successes(stage: usize, drawn: &[&Success]) -> Self {
        let episodes = drawn.len();
        let steps = drawn.iter().map(|success| success.actions.len()).max().unwrap_or(0);
        let context = drawn.first().map_or(0, |success| success.context.len());
        let each = |t: usize| drawn.iter().map(move |success| (success, t.min(success.actions.len() - 1)));
        let all = || (0..steps).flat_map(each);
        let played = Trajectories {
            stage,
            episodes,
            steps,
            contexts: (0..context).flat_map(|t| drawn.iter().map(move |success| success.context[t])).collect(),
            actions: all().map(|(success, t)| success.actions[t]).collect(),
            tokens: all().map(|(success, t)| success.tokens[t]).collect(),
            valid: (0..steps).flat_map(|t| drawn.iter().map(move |success| t < success.actions.len())).collect(),
            rewards: vec![0.0; steps * episodes],
            values: vec![0.0; steps * episodes],
            solved: vec![true; episodes],
        };
        Self { played, returns: all().map(|(success, t)| success.returns[t]).collect() }
    }

    /// The loss of the decisions, summed over the valid steps of these episodes. It has no factor w/(K·S).
    pub fn loss<'t, T: Real>(&self, decisions: Decisions<'t, T>) -> Var<'t, T> {
        let (tape, steps) = (decisions.values.tape(), self.played.valid_step_indices());
        let (k, count) = (steps.to_vec(), steps.size());
        let returns = tape.constant(Tensor::from_fn([count], |n| T::from_f64(self.returns[k[n] as usize])));
        let actions = Tensor::from_fn([count, 1], |n| self.played.actions[k[n] as usize]);

        let Decisions { log_probs, values } = decisions.at_steps(&steps);
        let excess = (returns - values).relu(); // max(G − V, 0)
        let chosen = log_probs.gather(&actions).reshape([count]);
        excess.square().sum().scale(T::from_f64(VALUE_COEFFICIENT / 2.0)) - (excess.detach() * chosen).sum()
    }
}

#[cfg(test)]
mod tests {
    use tensor::philox::{Purpose, Stream};

    use super::*;

    /// Three episodes. Episode 1 succeeds, in two steps.
    fn played() -> Trajectories {
        Trajectories {
            stage: 1,
            episodes: 3,
            steps: 2,
            contexts: vec![1, 2, 3, 10, 10, 10],
            actions: vec![0, 1, 2, 3, 4, 5],
            tokens: vec![10, 11, 12, 13, 14, 15],
            rewards: vec![0.0, -0.5, 0.0, 0.0, 2.0, 0.0],
            values: vec![0.3; 6],
            valid: vec![true, true, true, true, true, false],
            solved: vec![false, true, false],
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
        assert_eq!(played.contexts, [2, 2, 10, 10]);
        assert_eq!((&played.actions[..], &played.tokens[..]), (&[1, 1, 4, 4][..], &[11, 11, 14, 14][..]));
        assert_eq!(returns[..], [1.5, 1.5, 2.0, 2.0]);
    }

    #[test]
    fn add_successes_full_buffer_drops_the_oldest() {
        let mut memory = ReplayBuffer::default();
        for k in 0..CAPACITY as u32 + 3 {
            memory.add_successes(&Trajectories { contexts: vec![k, k, k, 10, 10, 10], ..played() }, 1.0);
        }
        let kept = &memory.stages[1];
        assert_eq!((kept.len(), kept[0].context[0]), (CAPACITY, 3));
    }

    #[test]
    fn loss_return_below_the_value_adds_nothing() {
        let mut memory = ReplayBuffer::default();
        memory.add_successes(&played(), 1.0);
        let replay = memory.sample(1, &mut rng()).remove(0);
        let tape = autograd::Tape::<f64>::new();
        let logits = tape.input(Tensor::zeros([2, 6]));
        let loss = |values: [f64; 2]| {
            let decisions = Decisions { log_probs: logits.log_softmax(), values: tape.input(Tensor::from(values)) };
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
            context: vec![1],
            actions: (0..steps as u32).collect(),
            tokens: vec![10; steps],
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
            let loss = replay.loss(Decisions { log_probs, values });
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
        replay.loss(Decisions { log_probs: logits.log_softmax(), values }).backward().expect("no parameters");
        let (d_logits, d_values) = (logits.grad().expect("reached"), values.grad().expect("reached"));
        for (t, excess) in [0.5, 2.0].into_iter().enumerate() {
            assert!((d_values.get(&[t]) + VALUE_COEFFICIENT * excess).abs() < 1e-15);
            for a in 0..6 {
                let chosen = f64::from(u8::from(a == replay.played.actions[t] as usize));
                assert!((d_logits.get(&[t, a]) - excess * (1.0 / 6.0 - chosen)).abs() < 1e-15);
            }
        }
    }
}
