//! `episodes.jsonl`: what the policy does at each validation. One line a stage, with the probabilities of the actions at
//! each step and one episode decoded. No line tells the time.

use serde::{Deserialize, Serialize};

/// A stage, at a validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodesLine {
    /// The update that the validation followed.
    pub(crate) validation: usize,
    /// The stage.
    pub(crate) stage: usize,
    /// The names of the actions.
    pub(crate) actions: Vec<String>,
    /// The probability of each action at each step, [T,A]: a mean over the episodes that are not over.
    pub(crate) probabilities: Vec<Vec<f64>>,
    /// The first of the episodes.
    pub(crate) episode: Episode,
}

/// An episode, decoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Episode {
    /// Its stage.
    pub(crate) stage: usize,
    /// What an exact match is a match with, as in `(a·b+c)−d`.
    pub(crate) goal: String,
    /// The same as a number.
    pub(crate) goal_value: i64,
    /// The tokens that were read before the first step.
    pub(crate) context: Vec<String>,
    /// What was done.
    pub(crate) steps: Vec<EpisodeStep>,
    /// Whether it ended in an exact match.
    pub(crate) solved: bool,
}

/// A step of an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EpisodeStep {
    /// What was done.
    pub(crate) action: String,
    /// The probability of each action, in the order of the task's actions.
    pub(crate) probabilities: Vec<f64>,
    /// What the critic expected before it.
    pub(crate) value: f64,
    /// The entropy of the decision, in nats.
    pub(crate) entropy: f64,
    /// What it earned.
    pub(crate) reward: f64,
    /// The mean of the reset gate r over the units, when the token before this decision was read.
    pub(crate) reset: f64,
    /// The mean of the update gate z over the units then; 1 keeps the state.
    pub(crate) update: f64,
    /// The tools' state after it, as in `acc = a·b = 8`.
    pub(crate) state: String,
}
