//! Evaluation: measures how often the policy is right, on episodes that training never draws.

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

/// The settings of an evaluation.
#[derive(Clone, Copy, Debug)]
pub struct EvalConfig {
    /// The seed of the run.
    pub seed: u64,
    /// The purpose of the random streams; never one that training uses.
    pub purpose: Purpose,
    /// The update that the evaluation follows. Each validation draws new episodes.
    pub update: u32,
    /// The number of episodes of each stage.
    pub episodes: usize,
    /// True to sample the actions; false for the greedy policy.
    pub sampled: bool,
    /// True to show each episode the context of another one.
    pub shuffled: bool,
}

/// The statistics of the played episodes of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalStats {
    /// The stage.
    pub stage: usize,
    /// The number of episodes.
    pub episodes: usize,
    /// The share of episodes that ended in an exact match.
    pub exact: f64,
    /// The mean sum of rewards of an episode.
    pub reward: f64,
    /// The mean number of actions of an episode.
    pub steps: f64,
    /// The distinct programs (sequences of actions) with their counts, the most frequent first.
    pub programs: Vec<(Vec<u32>, usize)>,
}

/// The maximum number of episodes that one worker plays together.
pub(crate) const MAX_CHUNK_EPISODES: usize = 128;

/// Evaluates the policy on every stage of `task`. Episodes end at the task's horizon.
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
    config: EvalConfig,
) -> Result<Vec<EvalStats>, Undecided> {
    (0..task.stages()).map(|stage| evaluate_stage(policy, params, task, stage, config)).collect()
}

/// Evaluates the policy on one stage.
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
    config: EvalConfig,
) -> Result<EvalStats, Undecided> {
    let chunks = chunks(&[config.episodes], MAX_CHUNK_EPISODES).into_iter();
    let mut chunks: Vec<EvalChunk> = chunks.map(|(_, first, episodes)| EvalChunk::new(first, episodes)).collect();
    par::for_each(&mut chunks, |_, chunk| chunk.play(policy, params, task, stage, config));
    let played: Result<Vec<_>, _> = chunks.into_iter().map(|chunk| chunk.played).collect();
    Ok(EvalStats::from_trajectories(stage, played?.into_iter()))
}

/// Plays the validation after `update` with the greedy policy: new episodes of every stage, from the validation stream.
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
) -> Result<Vec<EvalStats>, Undecided> {
    let (purpose, update) = (Purpose::VALIDATION, to_stream_word("update", update));
    evaluate(policy, params, task, EvalConfig { seed, purpose, update, episodes, sampled: false, shuffled: false })
}

/// The test results of one stage. The episodes depend only on the test stream of the seed, not on the rest of the run.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Results of the greedy policy.
    pub greedy: EvalStats,
    /// Results with sampled actions.
    pub sampled: EvalStats,
    /// Results of the greedy policy if each episode is shown the context of another one.
    pub shuffled: EvalStats,
}

/// Tests the policy on one stage.
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
) -> Result<TestResult, Undecided> {
    let play = |sampled, shuffled| {
        let config = EvalConfig { seed, purpose: Purpose::TEST, update: 0, episodes, sampled, shuffled };
        evaluate_stage(policy, params, task, stage, config)
    };
    Ok(TestResult { greedy: play(false, false)?, sampled: play(true, false)?, shuffled: play(false, true)? })
}

/// Creates the generator of an episode of [`test_stage`]. It draws the context first, and then any sampled actions.
///
/// # Panics
/// If `stage` is above 255 or `episode` above 2²⁴ − 1: their streams would coincide with others.
#[track_caller]
pub fn test_stream(seed: u64, stage: usize, episode: usize) -> Philox {
    episode_stream((seed, Purpose::TEST, 0), stage, episode)
}

/// Creates the generator of an episode of [`validate`] after `update`. It draws the context.
///
/// # Panics
/// As [`test_stream`], or if `update` is above 2³² − 1.
#[track_caller]
pub fn validation_stream(seed: u64, update: usize, stage: usize, episode: usize) -> Philox {
    episode_stream((seed, Purpose::VALIDATION, to_stream_word("update", update)), stage, episode)
}

/// Converts an index to a 32-bit word of a [`Stream`].
#[track_caller]
pub(crate) fn to_stream_word(name: &str, x: usize) -> u32 {
    u32::try_from(x).unwrap_or_else(|_| panic!("{name} {x}: random streams exist for numbers up to {}", u32::MAX))
}

/// Creates the generator of one episode. Stages do not share streams: the episode numbers of stage s start at s·2²⁴.
#[track_caller]
fn episode_stream((seed, purpose, update): (u64, Purpose, u32), stage: usize, episode: usize) -> Philox {
    assert!(stage < 1 << 8, "stage {stage}: random streams exist for stages 0 to 255");
    assert!(episode < 1 << 24, "episode {episode}: random streams exist for episodes 0 to 16777215");
    Philox::stream(seed, Stream { purpose, update, episode: (stage << 24 | episode) as u32 })
}

/// A chunk of episodes that one worker plays together.
struct EvalChunk {
    first: usize,
    episodes: usize,
    played: Result<Trajectories, Undecided>,
}

impl EvalChunk {
    fn new(first: usize, episodes: usize) -> Self {
        Self { first, episodes, played: Ok(Trajectories::default()) }
    }

    fn play<T: Real>(
        &mut self,
        policy: &Policy,
        params: &Params<T>,
        task: &dyn Task,
        stage: usize,
        config: EvalConfig,
    ) {
        let mut env = TimeLimit::new(task, stage, self.episodes);
        let mut rngs: Vec<Philox> = (0..self.episodes)
            .map(|i| episode_stream((config.seed, config.purpose, config.update), stage, self.first + i))
            .collect();
        env.reset(&mut rngs);
        let mut contexts = rollout::contexts(&env);
        if config.shuffled {
            rotate_contexts(&mut contexts, self.episodes);
        }
        let choice = if config.sampled { Choice::Sampled(&mut rngs) } else { Choice::Greedy };
        let played = rollout::play(policy, params, &mut Tape::no_grad(), &mut env, contexts, choice);
        self.played = played.map_err(|error| Undecided { episode: self.first + error.episode, ..error });
    }
}

/// Gives every episode the context of its neighbour, in contexts\[L,B\] with B = `episodes`. Contexts are independent draws, so
/// a rotation is as good as any permutation. No episode keeps its own context, unless it is the only one.
pub fn rotate_contexts(contexts: &mut [u32], episodes: usize) {
    contexts.chunks_mut(episodes).for_each(|row| row.rotate_left(1));
}

impl EvalStats {
    /// Computes the statistics of episodes that the caller plays. `play(first, count)` returns `count` episodes from the episode
    /// `first` on. The chunks are the same as on the host, so that sums are added in the same order.
    ///
    /// # Errors
    /// Returns the error of the first chunk that has one.
    pub fn from_chunks(
        stage: usize,
        episodes: usize,
        mut play: impl FnMut(usize, usize) -> Result<Trajectories, Undecided>,
    ) -> Result<Self, Undecided> {
        let played = chunks(&[episodes], MAX_CHUNK_EPISODES).into_iter().map(|(_, first, count)| play(first, count));
        Ok(Self::from_trajectories(stage, played.collect::<Result<Vec<_>, _>>()?.into_iter()))
    }

    /// Computes the statistics of the episodes of these chunks.
    pub fn from_trajectories(stage: usize, played: impl Iterator<Item = Trajectories>) -> Self {
        let (mut episodes, mut solved, mut reward, mut steps) = (0, 0, 0.0, 0);
        let mut programs = BTreeMap::new();
        for played in played {
            episodes += played.episodes;
            solved += played.solved.iter().filter(|&&solved| solved).count();
            reward += played.total_reward();
            steps += played.valid_step_count();
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
    fn test_stream_last_stage_and_episode_is_the_last_stream() {
        let place = Stream { purpose: Purpose::TEST, update: 0, episode: u32::MAX };
        assert_eq!(test_stream(7, 255, (1 << 24) - 1).next_u64(), Philox::stream(7, place).next_u64());
    }

    #[test]
    #[should_panic(expected = "stage 256: random streams exist for stages 0 to 255")]
    fn test_stream_stage_256_panics() {
        test_stream(7, 256, 0);
    }

    #[test]
    #[should_panic(expected = "episode 16777216: random streams exist for episodes 0 to 16777215")]
    fn validation_stream_episode_2_to_the_24_panics() {
        validation_stream(7, 0, 0, 1 << 24);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    #[should_panic(expected = "update 4294967296: random streams exist for numbers up to 4294967295")]
    fn validation_stream_update_2_to_the_32_panics() {
        validation_stream(7, 1 << 32, 0, 0);
    }
}
