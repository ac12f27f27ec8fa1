//! Evaluation: measures how often the policy is right, on episodes that training never draws.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use autograd::Tape;
use nn::Params;
use tensor::Real;
use tensor::par;
use tensor::philox::{Philox, Purpose, Stream};

use crate::distribution::Choice;
use crate::env::{Episodes, Task};
use crate::model::Model;
use crate::normalize::Moments;
use crate::rollout::{self, Options, RolloutError, Streams, chunks};
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
    /// True to show each episode the first observation of another one.
    pub shuffled: bool,
    /// True to erase the policy's state before each step.
    pub forgetting: bool,
    /// True to play each context once if the task lists them ([`Task::all_contexts`]), in a random order, instead of `episodes`.
    pub exhaustive: bool,
}

/// A trained model: the network, its parameters, and the statistics that normalise what it reads.
#[derive(Debug)]
pub struct Trained<'a, T: Real, M> {
    /// The network.
    pub model: &'a M,
    /// Its parameters.
    pub params: &'a Params<T>,
    /// The statistics of its observations, if they are normalised.
    pub normalizer: Option<&'a Moments>,
}

impl<T: Real, M> Clone for Trained<'_, T, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Real, M> Copy for Trained<'_, T, M> {}

impl<'a, T: Real, M> Trained<'a, T, M> {
    /// A model that reads observations as they are.
    pub fn new(model: &'a M, params: &'a Params<T>) -> Self {
        Self { model, params, normalizer: None }
    }
}

/// The statistics of the played episodes of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalStats {
    /// The stage.
    pub stage: usize,
    /// The number of episodes.
    pub episodes: usize,
    /// The share of solved episodes; 0 if the task has no success.
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
/// If the policy cannot choose an action, or if the environment has a fault.
///
/// # Panics
/// If there are more than 256 stages, or more than 2²⁴ episodes of each.
pub fn evaluate<T: Real, M: Model<T>>(
    trained: Trained<'_, T, M>,
    task: &(impl Task + ?Sized),
    config: EvalConfig,
) -> Result<Vec<EvalStats>, RolloutError> {
    evaluate_stages(trained, task, 0..task.spec().stages, config)
}

/// Evaluates the policy on one stage.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn evaluate_stage<T: Real, M: Model<T>>(
    trained: Trained<'_, T, M>,
    task: &(impl Task + ?Sized),
    stage: usize,
    config: EvalConfig,
) -> Result<EvalStats, RolloutError> {
    Ok(evaluate_stages(trained, task, stage..stage + 1, config)?.remove(0))
}

/// Evaluates the policy on these stages. The threads share the chunks of all.
fn evaluate_stages<T: Real, M: Model<T>>(
    trained: Trained<'_, T, M>,
    task: &(impl Task + ?Sized),
    stages: Range<usize>,
    config: EvalConfig,
) -> Result<Vec<EvalStats>, RolloutError> {
    let mut all: Vec<EvalChunk> = stages.clone().flat_map(|stage| EvalChunk::of_stage(task, stage, config)).collect();
    par::for_each_with(all.iter_mut(), &mut Vec::new(), Tape::no_grad, |tape, chunk| {
        chunk.play(trained, task, tape, config)
    });
    let played = all.into_iter().map(|chunk| chunk.played).collect::<Result<Vec<_>, _>>()?;
    let of_stage = |stage| played.chunk_by(|a, b| a.stage == b.stage).find(|chunks| chunks[0].stage == stage);
    Ok(stages.map(|stage| EvalStats::from_trajectories(stage, of_stage(stage).unwrap_or_default())).collect())
}

/// Plays the validation after `update` with the greedy policy: new episodes of every stage, from the validation stream. If the
/// task lists its contexts, each is played once instead.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`], or if `update` is above 2³² − 1.
pub fn validate<T: Real, M: Model<T>>(
    trained: Trained<'_, T, M>,
    task: &(impl Task + ?Sized),
    update: usize,
    (seed, episodes): (u64, usize),
) -> Result<Vec<EvalStats>, RolloutError> {
    let (purpose, update) = (Purpose::VALIDATION, to_stream_word("update", update));
    let config = EvalConfig {
        seed,
        purpose,
        update,
        episodes,
        sampled: false,
        shuffled: false,
        forgetting: false,
        exhaustive: true,
    };
    evaluate(trained, task, config)
}

/// The test results of one stage. The episodes depend only on the test stream of the seed, not on the rest of the run.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Results of the greedy policy.
    pub greedy: EvalStats,
    /// Results with sampled actions.
    pub sampled: EvalStats,
    /// Results of the greedy policy if each episode is shown the first observation of another one.
    pub shuffled: EvalStats,
}

/// Tests the policy on one stage: on `episodes` episodes, or on each context once if the task lists them.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn test_stage<T: Real, M: Model<T>>(
    trained: Trained<'_, T, M>,
    task: &(impl Task + ?Sized),
    stage: usize,
    (seed, episodes): (u64, usize),
) -> Result<TestResult, RolloutError> {
    let play = |sampled, shuffled| {
        let purpose = Purpose::TEST;
        let config =
            EvalConfig { seed, purpose, update: 0, episodes, sampled, shuffled, forgetting: false, exhaustive: true };
        evaluate_stage(trained, task, stage, config)
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

/// A random order of the numbers below `count`. In it, the neighbour of a context is any other one.
fn permutation(count: usize, stage: usize, seed: u64) -> Vec<usize> {
    let mut rng = Philox::stream(seed, Stream { purpose: Purpose::SHUFFLE, update: 0, episode: stage as u32 });
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, rng.below(last as u32 + 1) as usize);
    }
    order
}

/// A chunk of episodes that one worker plays together.
struct EvalChunk {
    stage: usize,
    first: usize,
    episodes: usize,
    /// The context of each episode; empty if they are drawn.
    contexts: Vec<usize>,
    played: Result<Trajectories, RolloutError>,
}

impl EvalChunk {
    /// Divides the episodes of a stage.
    fn of_stage(task: &(impl Task + ?Sized), stage: usize, config: EvalConfig) -> impl Iterator<Item = Self> {
        let order = match task.all_contexts() {
            Some(contexts) if config.exhaustive => permutation(contexts.count(stage), stage, config.seed),
            _ => Vec::new(),
        };
        let episodes = if order.is_empty() { config.episodes } else { order.len() };
        chunks(&[episodes], MAX_CHUNK_EPISODES).into_iter().map(move |(_, first, episodes)| {
            let contexts = order.iter().skip(first).take(episodes).copied().collect();
            Self { stage, first, episodes, contexts, played: Ok(Trajectories::default()) }
        })
    }

    fn play<T: Real, M: Model<T>>(
        &mut self,
        trained: Trained<'_, T, M>,
        task: &(impl Task + ?Sized),
        tape: &mut Tape<T>,
        config: EvalConfig,
    ) {
        let stage = self.stage;
        let mut episodes = match task.all_contexts() {
            Some(all) if !self.contexts.is_empty() => {
                Episodes::with_env(task.spec(), stage, all.env_with_contexts(stage, &self.contexts), self.episodes)
            }
            _ => Episodes::new(task, stage, self.episodes),
        };
        let place = (config.seed, config.purpose, config.update);
        let rngs = (0..self.episodes).map(|i| episode_stream(place, stage, self.first + i)).collect();
        let Trained { model, params, normalizer } = trained;
        let choice = if config.sampled { Choice::SAMPLED } else { Choice::Greedy };
        let options = Options {
            choice,
            normalizer,
            shuffled: config.shuffled,
            forget: f64::from(u8::from(config.forgetting)),
            ..Options::GREEDY
        };
        let streams = &mut Streams::shared(rngs);
        let played = rollout::play((model, params), tape, &mut episodes, streams, options, None, |_| ());
        self.played = played.map_err(|error| error.with_first_episode(self.first));
    }
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
        mut play: impl FnMut(usize, usize) -> Result<Trajectories, RolloutError>,
    ) -> Result<Self, RolloutError> {
        let played = chunks(&[episodes], MAX_CHUNK_EPISODES).into_iter().map(|(_, first, count)| play(first, count));
        Ok(Self::from_trajectories(stage, &played.collect::<Result<Vec<_>, _>>()?))
    }

    /// Computes the statistics of the episodes of these chunks.
    pub fn from_trajectories(stage: usize, played: &[Trajectories]) -> Self {
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
    use crate::tasks::Expression;
    use crate::test_tasks::learner;

    /// Each context is played once, whatever the number of episodes says. In chunks of a random order, shuffled contexts are
    /// those of any other expression.
    #[test]
    fn evaluate_exhaustive_plays_each_context_once() {
        let task = Expression::default();
        let learner = learner::<f64>(&task);
        let config = EvalConfig {
            seed: 3,
            purpose: Purpose::TEST,
            update: 0,
            episodes: 5,
            sampled: true,
            shuffled: false,
            forgetting: false,
            exhaustive: true,
        };
        let episodes = |task: &Expression, stage, config| {
            evaluate_stage(learner.trained(), task, stage, config).expect("finite").episodes
        };
        assert_eq!([0, 1, 2].map(|stage| episodes(&task, stage, config)), [36, 336, 2592]);
        assert_eq!([1, 2].map(|stage| episodes(&task.held_out(), stage, config)), [96, 648]);
        assert_eq!(episodes(&task, 2, EvalConfig { exhaustive: false, ..config }), 5);
    }

    #[test]
    fn permutation_has_every_number_once_and_depends_on_stage_and_seed() {
        let sorted = |mut order: Vec<usize>| {
            order.sort_unstable();
            order
        };
        let order = permutation(300, 0, 1);
        assert_eq!(sorted(order.clone()), (0..300).collect::<Vec<_>>());
        assert!(order != permutation(300, 1, 1) && order != permutation(300, 0, 2));
        let moved = order.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > 20).count();
        assert!(moved > 240, "neighbours are far apart in the list: {moved} of 299");
    }

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
