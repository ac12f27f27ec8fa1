//! Explanation of one episode of a trained agent. [`terminal`] formats it as text, [`page`] as HTML.

pub(crate) mod page;
pub(crate) mod terminal;

use std::cmp::Reverse;

use rl::env::{ActionSpace, Env, Episodes, Spec, Task};
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::rollout::{Options, RolloutError, Streams};
use rl::trace;
use serde::Serialize;

use crate::folder::{Episode, EpisodeStep};
use crate::run::Run;

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
    pub(crate) task: String,
    /// The caveat of the task, which every reader of its results must know.
    pub(crate) caveat: String,
    /// The file that the agent was loaded from.
    pub(crate) checkpoint: String,
    /// The seed of the operands of a test episode and of sampled actions.
    pub(crate) seed: u64,
    /// The number of the test episode; `None` if the operands were given.
    pub(crate) number: Option<u32>,
    /// True if training taught the critic.
    #[serde(skip)]
    pub(crate) has_critic: bool,
    /// True if actions were sampled, false if the most probable ones were taken.
    pub(crate) sampled: bool,
    /// The names of the actions; empty if actions are numbers.
    pub(crate) actions: Vec<String>,
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

/// A task whose episodes start on given operands.
struct GivenOperands<'a> {
    task: &'a dyn Explain,
    operands: &'a [u32],
}

impl Task for GivenOperands<'_> {
    fn spec(&self) -> Spec {
        self.task.spec()
    }

    fn env(&self, stage: usize, _: usize) -> Box<dyn Env> {
        self.task.env_with_operands(stage, self.operands)
    }
}

impl ExplainedEpisode {
    /// Plays the episode. A test episode has the operands and the sampled actions of [`rl::evaluate::test_stage`].
    ///
    /// # Errors
    /// If a decision cannot be made because a log-probability is NaN, or the environment has a fault.
    pub(crate) fn play(
        run: &Run,
        request: EpisodeRequest,
        checkpoint: String,
    ) -> std::result::Result<Self, RolloutError> {
        let EpisodeRequest { stage, operands, number, seed, sampled } = request;
        let task: &dyn Task = &*run.task;
        let mut streams = Streams::shared(vec![test_stream(seed, stage, number as usize)]);
        let mut episodes = Episodes::new(task, stage, 1);
        if let Some((task, operands)) = task.explanations().zip(operands.as_deref()) {
            episodes.reset(&[0], &mut streams.env)?; // sampled actions are those after the operands of the test episode
            episodes = Episodes::new(&GivenOperands { task, operands }, stage, 1);
        }
        let options = if sampled { Options::SAMPLED } else { Options::GREEDY };
        let trace = trace::trace_episodes(run.learner.host().trained(), &mut episodes, &mut streams, options)?;
        let Spec { name, caveat, action, .. } = task.spec();
        Ok(Self {
            task: name,
            caveat,
            checkpoint,
            seed,
            number: operands.is_none().then_some(number),
            has_critic: run.config.a2c > 0.0,
            sampled,
            actions: match action {
                ActionSpace::Discrete { names } => names,
                ActionSpace::Continuous { .. } => Vec::new(),
            },
            episode: Episode::from_trace(task, &trace, &episodes, 0),
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
        let Episode { steps, solved, truncated, .. } = &self.episode;
        let is_explained = !self.episode.goals.is_empty();
        let how = match (solved, steps.last()) {
            (Some(true), _) if is_explained => "exact match",
            (Some(false), Some(step)) if is_explained && step.action == "ANS" => "wrong answer",
            _ if is_explained => "no answer",
            (Some(true), _) => "solved",
            (Some(false), _) if *truncated => "not solved, truncated",
            (Some(false), _) => "not solved, terminated",
            (None, _) if *truncated => "truncated",
            (None, _) => "terminated",
        };
        let (count, total) = self.episode.totals();
        let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
        format!("{how} after {steps}, total reward {total:.3}")
    }

    /// The metrics that the steps have, with their meanings.
    fn legend(&self) -> Vec<(&'static str, &'static str)> {
        let mut legend = LEGEND.to_vec();
        if !self.has_critic {
            legend[0].1 = "of no meaning: these settings (a2c = 0) do not train the critic";
        }
        if self.episode.steps.iter().all(|step| step.reset.is_none()) {
            legend.truncate(3);
        }
        if self.actions.is_empty() {
            legend[2].1 = "of the distribution of the action, in nats";
        }
        legend
    }

    /// Returns all actions with their probabilities at a step: first the action taken, then the others, most probable
    /// first.
    fn ranked_actions(&self, step: &EpisodeStep) -> Vec<(&str, f64)> {
        let mut all: Vec<_> = self.actions.iter().map(String::as_str).zip(step.probabilities.iter().copied()).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.sort_by_key(|(name, _)| Reverse(*name == step.action));
        all
    }
}
