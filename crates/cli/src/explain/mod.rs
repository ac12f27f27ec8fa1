//! Explanation of one episode of a trained agent. [`terminal`] formats it as text, [`page`] as HTML.

pub(crate) mod page;
pub(crate) mod terminal;

use std::cmp::Reverse;

use gpu_train::Run;
use rl::env::Task;
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::rollout::{Choice, Undecided};
use rl::trace;
use serde::Serialize;

use crate::folder::{Episode, EpisodeStep};

/// The metrics of a step and their meaning.
const LEGEND: [(&str, &str); 5] = [
    ("value", "the return that the critic predicts from this step on"),
    ("reward", "the reward of the action"),
    ("entropy", "−Σ p·ln p over the actions, in nats"),
    (
        "reset",
        "the GRU's reset gate r at the last token, averaged over units; near 0 the candidate state depends only on the \
         token",
    ),
    (
        "update",
        "the GRU's update gate z at the last token, averaged over units; near 1 the old state is kept, near 0 the \
         candidate replaces it",
    ),
];

/// An episode with its origin.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExplainedEpisode {
    /// The task.
    pub(crate) task: &'static str,
    /// The caveat of the task, which every reader of its results must know.
    pub(crate) caveat: &'static str,
    /// The file that the agent was loaded from.
    pub(crate) checkpoint: String,
    /// The seed of the operands of a test episode and of sampled actions.
    pub(crate) seed: u64,
    /// The number of the test episode; `None` if the operands were given.
    pub(crate) number: Option<u32>,
    /// True if actions were sampled, false if the most probable ones were taken.
    pub(crate) sampled: bool,
    /// The names of the actions.
    pub(crate) actions: Vec<&'static str>,
    /// The episode.
    pub(crate) episode: Episode,
}

/// The episode to play.
#[derive(Clone, Debug)]
pub(crate) struct EpisodeRequest {
    /// The stage.
    pub(crate) stage: usize,
    /// The operands; `None` takes those of a test episode.
    pub(crate) operands: Option<Vec<u32>>,
    /// The number of that test episode.
    pub(crate) number: u32,
    /// The seed of the test episodes and of sampled actions.
    pub(crate) seed: u64,
    /// True to sample actions, false to take the most probable ones.
    pub(crate) sampled: bool,
}

impl ExplainedEpisode {
    /// Plays the episode. A test episode has the operands and the sampled actions of [`rl::evaluate::test_stage`].
    ///
    /// # Errors
    /// If a decision cannot be made, because a log-probability is NaN.
    pub(crate) fn play(
        run: &Run<f32>,
        request: EpisodeRequest,
        checkpoint: String,
    ) -> std::result::Result<Self, Undecided> {
        let EpisodeRequest { stage, operands, number, seed, sampled } = request;
        let (task, learner) = (&run.task, run.learner.host());
        let mut rng = [test_stream(seed, stage, number as usize)];
        let mut drawn = task.env(stage, 1);
        drawn.reset(&mut rng);
        let drawn = &drawn.context(0)[..task.operand_count(stage)];
        let mut env = task.env_with_operands(stage, operands.as_deref().unwrap_or(drawn));
        let choice = if sampled { Choice::Sampled(&mut rng) } else { Choice::Greedy };
        let trace = trace::trace_episodes(&learner.policy, &learner.params, &mut *env, choice)?;
        Ok(Self {
            task: task.name(),
            caveat: task.caveat(),
            checkpoint,
            seed,
            number: operands.is_none().then_some(number),
            sampled,
            actions: (0..task.actions()).map(|action| task.action_name(action)).collect(),
            episode: Episode::from_trace(task, &trace, 0),
        })
    }

    /// Describes the episode: task, stage, number and seed.
    fn title(&self) -> String {
        let Self { task, seed, number, sampled, episode, .. } = self;
        let how = match (sampled, number) {
            (true, _) => format!(", sampled with seed {seed}"),
            (false, None) => ", greedy".to_owned(),
            (false, Some(_)) => format!(", greedy, seed {seed}"),
        };
        let which = number.map_or("given operands".to_owned(), |number| format!("test episode {number}"));
        format!("{task}, stage {}, {which}{how}", episode.stage)
    }

    /// Describes how the episode ended.
    fn verdict(&self) -> String {
        let steps = &self.episode.steps;
        let how = match (self.episode.solved, steps.last()) {
            (true, _) => "exact match",
            (false, Some(step)) if step.action == "ANS" => "wrong answer",
            _ => "no answer",
        };
        let total: f64 = steps.iter().map(|step| step.reward).sum();
        let steps = match steps.len() {
            1 => "1 step".to_owned(),
            steps => format!("{steps} steps"),
        };
        format!("{how} after {steps}, total reward {total:.3}")
    }

    /// Returns all actions with their probabilities at a step: first the action taken, then the others, most probable
    /// first.
    fn ranked_actions(&self, step: &EpisodeStep) -> Vec<(&'static str, f64)> {
        let mut all: Vec<_> = self.actions.iter().copied().zip(step.probabilities.iter().copied()).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.sort_by_key(|(name, _)| Reverse(*name == step.action));
        all
    }
}
