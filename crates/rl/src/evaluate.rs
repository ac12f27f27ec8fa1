//! Evaluation: how often the policy is right, on episodes that training never draws.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use autograd::Tape;
use nn::Params;
use tensor::Real;
use tensor::par;
use tensor::philox::{Philox, Purpose, Stream};

use crate::env::Task;
use crate::policy::{Policy, Reading};
use crate::rollout::{self, Choice, Until, chunks};
use crate::trajectories::Trajectories;

/// Which episodes are played, and how.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// The seed of the run.
    pub seed: u64,
    /// What the episodes are for; never what training uses.
    pub purpose: Purpose,
    /// The update after which they are played: each validation draws its own.
    pub update: u32,
    /// How many of each stage.
    pub episodes: usize,
    /// Whether actions are sampled; greedy otherwise.
    pub sampled: bool,
    /// Whether each episode is shown another one's context.
    pub shuffled: bool,
    /// When to stop acting.
    pub until: Until,
}

/// The figures of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The stage.
    pub stage: usize,
    /// The number of episodes.
    pub episodes: usize,
    /// The share of episodes that ended in an exact match.
    pub exact: f64,
    /// The mean sum of rewards.
    pub reward: f64,
    /// The mean number of actions.
    pub steps: f64,
    /// The programs that were run, as actions, with how often; the most frequent first.
    pub programs: Vec<(Vec<u32>, usize)>,
}

/// Episodes that one worker plays at most, unless all of a batch start from one mean.
pub(crate) const CHUNK: usize = 128;

/// Plays a trial on every stage of `task`.
pub fn evaluate<T: Real>(policy: &Policy, params: &Params<T>, task: &dyn Task, trial: Trial) -> Vec<Figures> {
    (0..task.stages()).map(|stage| evaluate_stage(policy, params, task, stage, trial)).collect()
}

/// Plays a trial on one stage.
pub fn evaluate_stage<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    stage: usize,
    trial: Trial,
) -> Figures {
    let size = if policy.reading == Reading::BatchMean { trial.episodes.max(1) } else { CHUNK };
    let chunks = chunks(&[trial.episodes], size).into_iter();
    let mut parts: Vec<Part> = chunks.map(|(_, first, episodes)| Part::new(first, episodes)).collect();
    par::for_each(&mut parts, |_, part| part.play(policy, params, task, stage, trial));
    Figures::of(stage, parts.into_iter().map(|part| part.played))
}

/// Plays the validation after `update`, greedily: fresh episodes of every stage, from the validation stream.
pub fn validate<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    update: usize,
    (seed, episodes, until): (u64, usize, Until),
) -> Vec<Figures> {
    let (purpose, update) = (Purpose::VALIDATION, update as u32);
    evaluate(policy, params, task, Trial { seed, purpose, update, episodes, sampled: false, shuffled: false, until })
}

/// The test of one stage. Its episodes are the same whatever the run: those of the test stream, for this seed.
#[derive(Clone, Debug)]
pub struct Test {
    /// The greedy policy.
    pub greedy: Figures,
    /// Sampled actions.
    pub sampled: Figures,
    /// The greedy policy, each episode shown another one's context.
    pub shuffled: Figures,
}

/// Plays the test of one stage.
pub fn test_stage<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    stage: usize,
    (seed, episodes, until): (u64, usize, Until),
) -> Test {
    let play = |sampled, shuffled| {
        let trial = Trial { seed, purpose: Purpose::TEST, update: 0, episodes, sampled, shuffled, until };
        evaluate_stage(policy, params, task, stage, trial)
    };
    Test { greedy: play(false, false), sampled: play(true, false), shuffled: play(false, true) }
}

/// The generator of an episode of [`test_stage`]: it draws the context first, and then, where they are sampled, the actions.
pub fn test_stream(seed: u64, stage: usize, episode: usize) -> Philox {
    stream((seed, Purpose::TEST, 0), stage, episode)
}

/// The generator of an episode of [`validate`] after `update`: it draws the context.
pub fn validation_stream(seed: u64, update: usize, stage: usize, episode: usize) -> Philox {
    stream((seed, Purpose::VALIDATION, update as u32), stage, episode)
}

/// Stages share no stream: episode numbers of stage s start at s·2²⁴.
fn stream((seed, purpose, update): (u64, Purpose, u32), stage: usize, episode: usize) -> Philox {
    Philox::stream(seed, Stream { purpose, update, episode: ((stage << 24) + episode) as u32 })
}

/// Some of the episodes, played together.
struct Part {
    first: usize,
    episodes: usize,
    played: Trajectories,
}

impl Part {
    fn new(first: usize, episodes: usize) -> Self {
        Self { first, episodes, played: Trajectories::default() }
    }

    fn play<T: Real>(&mut self, policy: &Policy, params: &Params<T>, task: &dyn Task, stage: usize, trial: Trial) {
        let mut env = task.env(stage, self.episodes);
        let mut rngs: Vec<Philox> = (0..self.episodes)
            .map(|i| stream((trial.seed, trial.purpose, trial.update), stage, self.first + i))
            .collect();
        env.reset(&mut rngs);
        let mut contexts = rollout::contexts(&*env);
        if trial.shuffled {
            rotate_columns(&mut contexts, self.episodes);
        }
        let choice = if trial.sampled { Choice::Sampled(&mut rngs) } else { Choice::Greedy };
        self.played = rollout::play(policy, params, &mut Tape::evaluating(), &mut *env, contexts, choice, trial.until);
    }
}

/// Gives every episode the context of its neighbour. Contexts are independent draws, so this is as good as any
/// permutation, and no episode keeps its own (unless it is the only one).
fn rotate_columns(contexts: &mut [u32], episodes: usize) {
    contexts.chunks_mut(episodes).for_each(|row| row.rotate_left(1));
}

impl Figures {
    /// Those of episodes that were played in these parts.
    pub(crate) fn of(stage: usize, played: impl Iterator<Item = Trajectories>) -> Self {
        let (mut episodes, mut solved, mut reward, mut steps) = (0, 0, 0.0, 0);
        let mut programs = BTreeMap::new();
        for played in played {
            episodes += played.episodes;
            solved += played.solved.iter().filter(|&&solved| solved).count();
            reward += played.total_reward();
            steps += played.valid_steps();
            for i in 0..played.episodes {
                *programs.entry(played.program(i)).or_insert(0) += 1;
            }
        }
        let mean = |sum: f64| sum / episodes as f64;
        let mut programs: Vec<_> = programs.into_iter().collect();
        programs.sort_by_key(|&(_, count)| core::cmp::Reverse(count));
        Self { stage, episodes, exact: mean(solved as f64), reward: mean(reward), steps: mean(steps as f64), programs }
    }
}
