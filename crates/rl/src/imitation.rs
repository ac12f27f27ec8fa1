//! Self-imitation: episodes that were right are kept, and done again.
//!
//! Where the reward comes at the end alone, a first success is rare, and one gradient from it is soon forgotten. A
//! [`Memory`] keeps the last successes of each stage; every update learns from a few of them once more:
//!
//! ```text
//! L = w/(K·S) Σ_episodes Σ_steps ( − ln π(a)·[max(G − V, 0)]  +  β/2·max(G − V, 0)² )
//! ```
//!
//! over K episodes of each of the S stages that have any, with G the return that the episode had, V what the critic says of it today, and no gradient through
//! the brackets: what has become expected teaches no more. Nothing in it knows the task.
//!
//! Source: J. Oh, Y. Guo, S. Singh, H. Lee, "Self-Imitation Learning" (2018), equations 1 to 3 and the β of its
//! appendix; draws are uniform where the paper's are prioritised.

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
use crate::returns::{Estimator, judge};
use crate::trajectories::Trajectories;

/// Successes that are kept of each stage.
const CAPACITY: usize = 256;

/// β, the weight of the critic's part.
const VALUE_COEFFICIENT: f64 = 0.01;

/// An episode that ended in an exact match.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The tokens that were shown.
    pub context: Vec<u32>,
    /// What was done at each step.
    pub actions: Vec<u32>,
    /// The token of each action.
    pub tokens: Vec<u32>,
    /// G at each step.
    pub returns: Vec<f64>,
}

/// The last successes of each stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Of each stage the oldest first; stages that have none at the end may be left out.
    pub stages: Vec<VecDeque<Success>>,
}

/// Successes that are done again: as played, with the returns that they had.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What was seen and done.
    pub played: Trajectories,
    /// G, \[T,B\].
    pub returns: Vec<f64>,
}

impl Memory {
    /// Whether these can be successes of `task`.
    ///
    /// # Errors
    /// If they cannot.
    pub fn check(&self, task: &dyn Task) -> Result<(), String> {
        if self.stages.len() > task.stages() {
            return Err(format!("successes of {} stages; expected at most {}", self.stages.len(), task.stages()));
        }
        for (stage, kept) in self.stages.iter().enumerate() {
            let context = task.env(stage, 1).context_len();
            if kept.len() > CAPACITY || !kept.iter().all(|success| success.is_of(task, context)) {
                return Err(format!("stage {stage}: successes that are not of this task"));
            }
        }
        Ok(())
    }

    /// Keeps the successes among these episodes; the oldest ones make room.
    pub fn note(&mut self, played: &Trajectories, gamma: f64) {
        if self.stages.len() <= played.stage {
            self.stages.resize_with(played.stage + 1, VecDeque::new);
        }
        let kept = &mut self.stages[played.stage];
        let targets = judge(played, gamma, Estimator::Gae(1.0)).targets;
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

    /// `count` successes of each stage that has any, drawn with replacement.
    pub fn draw(&self, count: usize, rng: &mut Philox) -> Vec<Replay> {
        let with_any = self.stages.iter().enumerate().filter(|(_, kept)| !kept.is_empty());
        with_any
            .map(|(stage, kept)| {
                let drawn: Vec<&Success> = (0..count).map(|_| &kept[rng.below(kept.len() as u32) as usize]).collect();
                Replay::of(stage, &drawn)
            })
            .collect()
    }
}

impl Success {
    fn is_of(&self, task: &dyn Task, context: usize) -> bool {
        let Self { context: shown, actions, tokens, returns } = self;
        let steps = actions.len();
        (1..=task.horizon()).contains(&steps)
            && (shown.len(), tokens.len(), returns.len()) == (context, steps, steps)
            && shown.iter().chain(tokens).all(|&token| (token as usize) < task.vocabulary())
            && actions.iter().all(|&action| (action as usize) < task.actions())
            && returns.iter().all(|g| g.is_finite())
    }
}

impl Replay {
    /// These episodes side by side; behind its end an episode repeats its last step, which does not count.
    fn of(stage: usize, drawn: &[&Success]) -> Self {
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

    /// The sum over these episodes' steps that count, for the network's decisions on them; without w/(K·S).
    pub fn loss<'t, T: Real>(&self, decisions: Decisions<'t, T>) -> Var<'t, T> {
        let (tape, steps) = (decisions.values.tape(), self.played.counted_steps());
        let (k, count) = (steps.to_vec(), steps.size());
        let returns = tape.constant(Tensor::from_fn([count], |n| T::of(self.returns[k[n] as usize])));
        let actions = Tensor::from_fn([count, 1], |n| self.played.actions[k[n] as usize]);

        let Decisions { log_probs, values } = decisions.at_steps(&steps);
        let surprise = (returns - values).relu();
        let chosen = log_probs.gather(&actions).reshape([count]);
        surprise.square().sum().scale(T::of(VALUE_COEFFICIENT / 2.0)) - (surprise.detach() * chosen).sum()
    }
}

#[cfg(test)]
mod tests {
    use tensor::philox::{Purpose, Stream};

    use super::*;

    /// Episode 1 of three succeeds, in two steps.
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
    fn successes_are_kept_and_nothing_else() {
        let mut memory = Memory::default();
        assert!(memory.draw(2, &mut rng()).is_empty());
        memory.note(&played(), 1.0);
        let replays = memory.draw(2, &mut rng());
        assert_eq!(replays.len(), 1);
        let Replay { played, returns } = &replays[0];
        assert_eq!((played.stage, played.episodes, played.steps), (1, 2, 2));
        assert_eq!(played.contexts, [2, 2, 10, 10]);
        assert_eq!((&played.actions[..], &played.tokens[..]), (&[1, 1, 4, 4][..], &[11, 11, 14, 14][..]));
        assert_eq!(returns[..], [1.5, 1.5, 2.0, 2.0]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut memory = Memory::default();
        for k in 0..CAPACITY as u32 + 3 {
            memory.note(&Trajectories { contexts: vec![k, k, k, 10, 10, 10], ..played() }, 1.0);
        }
        let kept = &memory.stages[1];
        assert_eq!((kept.len(), kept[0].context[0]), (CAPACITY, 3));
    }

    #[test]
    fn what_is_expected_teaches_nothing() {
        let mut memory = Memory::default();
        memory.note(&played(), 1.0);
        let replay = memory.draw(1, &mut rng()).remove(0);
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

    /// NaN and ±∞ in every place that does not count: loss and gradients keep their bytes.
    #[test]
    fn loss_poisoned_steps_that_do_not_count_changes_nothing() {
        let success = |steps: usize| Success {
            context: vec![1],
            actions: (0..steps as u32).collect(),
            tokens: vec![10; steps],
            returns: vec![1.5; steps],
        };
        let (short, long) = (success(1), success(3));
        let run = |poison: f64| {
            let mut replay = Replay::of(0, &[&short, &long]);
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

    /// d lnπ(a) / d logits = onehot(a) − π, and the surprise is no function of the critic where it weighs lnπ.
    #[test]
    fn the_gradient_raises_what_was_right_and_the_critic() {
        let mut memory = Memory::default();
        memory.note(&played(), 1.0);
        let replay = memory.draw(1, &mut rng()).remove(0);
        let tape = autograd::Tape::<f64>::new();
        let (logits, values) = (tape.input(Tensor::zeros([2, 6])), tape.input(Tensor::from([1.0, 0.0])));
        replay.loss(Decisions { log_probs: logits.log_softmax(), values }).backward().expect("no parameters");
        let (d_logits, d_values) = (logits.grad().expect("reached"), values.grad().expect("reached"));
        for (t, surprise) in [0.5, 2.0].into_iter().enumerate() {
            assert!((d_values.at(&[t]) + VALUE_COEFFICIENT * surprise).abs() < 1e-15);
            for a in 0..6 {
                let chosen = f64::from(u8::from(a == replay.played.actions[t] as usize));
                assert!((d_logits.at(&[t, a]) - surprise * (1.0 / 6.0 - chosen)).abs() < 1e-15);
            }
        }
    }
}
