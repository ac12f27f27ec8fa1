//! Evaluation: how often the policy is right, on episodes that training never draws.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use autograd::Tape;
use nn::Params;
use tensor::Real;
use tensor::par;
use tensor::philox::{Philox, Purpose, Stream};

use crate::env::{Env, Task, TimeLimit};
use crate::policy::Policy;
use crate::rollout::{self, Choice, Undecided, chunks};
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

/// The most episodes that one worker plays.
pub(crate) const CHUNK: usize = 128;

/// Plays a trial on every stage of `task`. Episodes end at the task's horizon.
///
/// # Errors
/// If the log-probability of an action is NaN.
///
/// # Panics
/// If there are more than 256 stages, or more than 2²⁴ episodes of each.
pub fn evaluate<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    trial: Trial,
) -> Result<Vec<Figures>, Undecided> {
    (0..task.stages()).map(|stage| evaluate_stage(policy, params, task, stage, trial)).collect()
}

/// Plays a trial on one stage.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn evaluate_stage<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    stage: usize,
    trial: Trial,
) -> Result<Figures, Undecided> {
    let chunks = chunks(&[trial.episodes], CHUNK).into_iter();
    let mut parts: Vec<Part> = chunks.map(|(_, first, episodes)| Part::new(first, episodes)).collect();
    par::for_each(&mut parts, |_, part| part.play(policy, params, task, stage, trial));
    let played: Result<Vec<_>, _> = parts.into_iter().map(|part| part.played).collect();
    Ok(Figures::of(stage, played?.into_iter()))
}

/// Plays the validation after `update`, greedily: fresh episodes of every stage, from the validation stream.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`], or if `update` is above 2³² − 1.
pub fn validate<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    update: usize,
    (seed, episodes): (u64, usize),
) -> Result<Vec<Figures>, Undecided> {
    let (purpose, update) = (Purpose::VALIDATION, word("update", update));
    evaluate(policy, params, task, Trial { seed, purpose, update, episodes, sampled: false, shuffled: false })
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
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn test_stage<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    task: &dyn Task,
    stage: usize,
    (seed, episodes): (u64, usize),
) -> Result<Test, Undecided> {
    let play = |sampled, shuffled| {
        let trial = Trial { seed, purpose: Purpose::TEST, update: 0, episodes, sampled, shuffled };
        evaluate_stage(policy, params, task, stage, trial)
    };
    Ok(Test { greedy: play(false, false)?, sampled: play(true, false)?, shuffled: play(false, true)? })
}

/// The generator of an episode of [`test_stage`]: it draws the context first, and then, where they are sampled, the actions.
///
/// # Panics
/// If `stage` is above 255 or `episode` above 2²⁴ − 1: their streams would be those of others.
#[track_caller]
pub fn test_stream(seed: u64, stage: usize, episode: usize) -> Philox {
    stream((seed, Purpose::TEST, 0), stage, episode)
}

/// The generator of an episode of [`validate`] after `update`: it draws the context.
///
/// # Panics
/// As [`test_stream`], or if `update` is above 2³² − 1.
#[track_caller]
pub fn validation_stream(seed: u64, update: usize, stage: usize, episode: usize) -> Philox {
    stream((seed, Purpose::VALIDATION, word("update", update)), stage, episode)
}

/// `x` as a word of a stream's place.
#[track_caller]
pub(crate) fn word(name: &str, x: usize) -> u32 {
    u32::try_from(x).unwrap_or_else(|_| panic!("{name} {x}: random numbers are numbered up to {}", u32::MAX))
}

/// Stages share no stream: episode numbers of stage s start at s·2²⁴.
#[track_caller]
fn stream((seed, purpose, update): (u64, Purpose, u32), stage: usize, episode: usize) -> Philox {
    assert!(stage < 1 << 8, "stage {stage}: there are streams of random numbers for stages 0 to 255");
    assert!(episode < 1 << 24, "episode {episode}: a stage has streams of random numbers for episodes 0 to 16777215");
    Philox::stream(seed, Stream { purpose, update, episode: (stage << 24 | episode) as u32 })
}

/// Some of the episodes, played together.
struct Part {
    first: usize,
    episodes: usize,
    played: Result<Trajectories, Undecided>,
}

impl Part {
    fn new(first: usize, episodes: usize) -> Self {
        Self { first, episodes, played: Ok(Trajectories::default()) }
    }

    fn play<T: Real>(&mut self, policy: &Policy, params: &Params<T>, task: &dyn Task, stage: usize, trial: Trial) {
        let mut env = TimeLimit::new(task, stage, self.episodes);
        let mut rngs: Vec<Philox> = (0..self.episodes)
            .map(|i| stream((trial.seed, trial.purpose, trial.update), stage, self.first + i))
            .collect();
        env.reset(&mut rngs);
        let mut contexts = rollout::contexts(&env);
        if trial.shuffled {
            rotate_columns(&mut contexts, self.episodes);
        }
        let choice = if trial.sampled { Choice::Sampled(&mut rngs) } else { Choice::Greedy };
        let played = rollout::play(policy, params, &mut Tape::evaluating(), &mut env, contexts, choice);
        self.played = played.map_err(|error| Undecided { episode: self.first + error.episode, ..error });
    }
}

/// Gives every episode the context of its neighbour, in contexts\[L,B\] of B = `episodes`. Contexts are independent draws, so this is
/// as good as any permutation, and no episode keeps its own (unless it is the only one).
pub fn rotate_columns(contexts: &mut [u32], episodes: usize) {
    contexts.chunks_mut(episodes).for_each(|row| row.rotate_left(1));
}

impl Figures {
    /// The figures of episodes that were played elsewhere. `part(first, count)` returns `count` of them from the episode `first` on. The
    /// parts are those in which the host plays, so that sums are added in the same order.
    ///
    /// # Errors
    /// The error of the first part that has one.
    pub fn of_parts(
        stage: usize,
        episodes: usize,
        mut part: impl FnMut(usize, usize) -> Result<Trajectories, Undecided>,
    ) -> Result<Self, Undecided> {
        let parts = chunks(&[episodes], CHUNK).into_iter().map(|(_, first, count)| part(first, count));
        Ok(Self::of(stage, parts.collect::<Result<Vec<_>, _>>()?.into_iter()))
    }

    /// Those of episodes that were played in these parts.
    pub fn of(stage: usize, played: impl Iterator<Item = Trajectories>) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_stream_of_the_last_stage_and_episode_is_the_last_of_all() {
        let place = Stream { purpose: Purpose::TEST, update: 0, episode: u32::MAX };
        assert_eq!(test_stream(7, 255, (1 << 24) - 1).next_u64(), Philox::stream(7, place).next_u64());
    }

    #[test]
    #[should_panic(expected = "stage 256: there are streams of random numbers for stages 0 to 255")]
    fn test_stream_of_stage_256_is_refused() {
        test_stream(7, 256, 0);
    }

    #[test]
    #[should_panic(expected = "episode 16777216: a stage has streams of random numbers for episodes 0 to 16777215")]
    fn validation_stream_of_episode_2_to_the_24_is_refused() {
        validation_stream(7, 0, 0, 1 << 24);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    #[should_panic(expected = "update 4294967296: random numbers are numbered up to 4294967295")]
    fn validation_stream_of_update_2_to_the_32_is_refused() {
        validation_stream(7, 1 << 32, 0, 0);
    }
}
