//! `metrics.jsonl`: one line per update, and one per validation after an update. No line contains a time, so that the same
//! run writes the same bytes.

use std::path::Path;

use rl::evaluate::EvalStats;
use rl::train::Report;
use serde::{Deserialize, Serialize};

use super::jsonl;
use crate::error::{self, Error};
use crate::score::Score;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// Metrics of an update.
    Update(UpdateLine),
    /// Results of the validation after an update.
    Validation(ValidationLine),
}

/// Metrics of one update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLine {
    /// Number of the update, from 1.
    pub(crate) update: usize,
    /// Learning rate α.
    pub(crate) rate: f64,
    /// Entropy coefficient β.
    pub(crate) entropy_coefficient: f64,
    /// Highest unlocked stage.
    pub(crate) unlocked: usize,
    /// Loss L.
    pub(crate) loss: f64,
    /// Policy loss, the first term of L.
    pub(crate) policy_loss: f64,
    /// Mean squared error of the critic, without its weight in L.
    pub(crate) value_loss: f64,
    /// Mean entropy of the policy per decision, in nats.
    pub(crate) entropy: f64,
    /// Mean of − ln π over the relabelled programs of hindsight; absent without hindsight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hindsight_loss: Option<f64>,
    /// Number of kinds of problem of each stage with a known program; absent without hindsight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kinds: Vec<usize>,
    /// Norm of the gradient before clipping.
    pub(crate) grad_norm: f64,
    /// Mean sum of an episode's rewards.
    pub(crate) reward: f64,
    /// Number of valid training steps.
    pub(crate) steps: u64,
    /// Number of episodes of each stage.
    pub(crate) episodes: Vec<usize>,
    /// Number of these episodes that ended in an exact match, with sampled actions.
    pub(crate) solved: Vec<usize>,
}

/// Results of a validation: the greedy policy on fresh episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidationLine {
    /// Update after which the validation ran.
    pub(crate) validation: usize,
    /// Statistics of each stage.
    pub(crate) stages: Vec<StageStats>,
}

/// Validation statistics of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageStats {
    /// Stage of the task.
    pub(crate) stage: usize,
    /// Fraction of episodes that ended in an exact match; absent for tasks without success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exact: Option<f64>,
    /// Mean sum of rewards of an episode.
    pub(crate) reward: f64,
    /// Mean number of actions of an episode.
    pub(crate) steps: f64,
    /// Number of distinct programs.
    pub(crate) programs: usize,
}

/// Parses the text of `metrics.jsonl`. An incomplete last line is ignored.
///
/// # Errors
/// The number of the first invalid line, from 1, and its error.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Line>, (usize, serde_json::Error)> {
    jsonl::parse(text)
}

/// Reads the file. An incomplete last line is ignored.
///
/// # Errors
/// If the file cannot be read, or a line is invalid.
pub(crate) fn read(path: &Path) -> error::Result<Vec<Line>> {
    jsonl::read(path, "metrics")
}

/// Creates the error of an invalid line, counted from 1.
pub(super) fn invalid_line_error(path: &Path, number: usize, error: &serde_json::Error) -> Error {
    jsonl::invalid_line(path, number, "metrics", error)
}

impl UpdateLine {
    /// Returns the highest stage with training episodes in this update.
    pub(crate) fn stage(&self) -> usize {
        self.episodes.iter().rposition(|&episodes| episodes > 0).unwrap_or(0)
    }
}

impl From<&Report> for UpdateLine {
    fn from(report: &Report) -> Self {
        let m = &report.metrics;
        let (episodes, solved) = m.stages.iter().copied().unzip();
        Self {
            update: report.update,
            rate: report.rate,
            entropy_coefficient: report.entropy_coefficient,
            unlocked: report.unlocked,
            loss: m.loss,
            policy_loss: m.policy_loss,
            value_loss: m.value_loss,
            entropy: m.entropy,
            hindsight_loss: (m.hindsight_loss != 0.0).then_some(m.hindsight_loss),
            kinds: m.kinds.clone(),
            grad_norm: m.grad_norm,
            reward: m.reward,
            steps: m.steps as u64,
            episodes,
            solved,
        }
    }
}

impl StageStats {
    /// Returns the score: the exact match, or the reward of a task without success.
    pub(crate) fn score(&self) -> f64 {
        self.exact.unwrap_or(self.reward)
    }
}

impl ValidationLine {
    /// Returns the mean score over the stages, or 0 without stages.
    pub(crate) fn score(&self) -> f64 {
        let sum: f64 = self.stages.iter().map(StageStats::score).sum();
        sum / self.stages.len().max(1) as f64
    }

    /// Returns the score if a checkpoint may be the best one because of it: an exact match of 0 is no success.
    pub(crate) fn best_score(&self) -> Option<f64> {
        let is_success = self.stages.iter().any(|stage| stage.exact != Some(0.0));
        is_success.then(|| self.score())
    }

    /// Creates the line of a validation after an update.
    pub(crate) fn new(update: usize, stats: &[EvalStats], score: Score) -> Self {
        let stage = |f: &EvalStats| StageStats {
            stage: f.stage,
            exact: (score == Score::ExactMatch).then_some(f.exact),
            reward: f.reward,
            steps: f.steps,
            programs: f.programs.len(),
        };
        Self { validation: update, stages: stats.iter().map(stage).collect() }
    }
}
