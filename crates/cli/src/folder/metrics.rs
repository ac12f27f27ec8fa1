//! `metrics.jsonl`: a line for each update, and one for each validation that followed it. No line tells the time, so that
//! the same run writes the same bytes.

use std::path::Path;

use rl::evaluate::Figures;
use rl::train::Report;
use serde::{Deserialize, Serialize};

use super::jsonl;
use crate::error::{self, Error};

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// What an update did.
    Update(UpdateLine),
    /// What the validation after it found.
    Validation(ValidationLine),
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLine {
    /// Its number, from 1.
    pub(crate) update: usize,
    /// α, the learning rate.
    pub(crate) rate: f64,
    /// β, the weight of the entropy.
    pub(crate) entropy_coefficient: f64,
    /// The highest stage that was open.
    pub(crate) unlocked: usize,
    /// L, the loss.
    pub(crate) loss: f64,
    /// Its first term.
    pub(crate) policy_loss: f64,
    /// The critic's mean squared error, without its weight.
    pub(crate) value_loss: f64,
    /// The mean entropy of a decision, in nats.
    pub(crate) entropy: f64,
    /// The gradient's norm before clipping.
    pub(crate) grad_norm: f64,
    /// The mean sum of an episode's rewards.
    pub(crate) reward: f64,
    /// Training steps that counted.
    pub(crate) steps: u64,
    /// Episodes of each stage.
    pub(crate) episodes: Vec<usize>,
    /// How many of them ended in an exact match, with sampled actions.
    pub(crate) solved: Vec<usize>,
}

/// What a validation found: the greedy policy on fresh episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidationLine {
    /// The update that it followed.
    pub(crate) validation: usize,
    /// The figures of each stage.
    pub(crate) stages: Vec<StageFigures>,
}

/// The figures of one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageFigures {
    /// The stage.
    pub(crate) stage: usize,
    /// The share of episodes that ended in an exact match.
    pub(crate) exact: f64,
    /// The mean sum of rewards.
    pub(crate) reward: f64,
    /// The mean number of actions.
    pub(crate) steps: f64,
    /// The number of distinct programs.
    pub(crate) programs: usize,
}

/// Understands the text of `metrics.jsonl`. A torn last line is left out.
///
/// # Errors
/// The number of the first line that is none, from 1, and why.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Line>, (usize, serde_json::Error)> {
    jsonl::parse(text)
}

/// Reads the file. A torn last line is left out.
///
/// # Errors
/// If it cannot be read or understood.
pub(crate) fn read(path: &Path) -> error::Result<Vec<Line>> {
    jsonl::read(path, "metrics")
}

/// That a line, counted from 1, is none of the metrics.
pub(super) fn not_of_them(path: &Path, number: usize, error: &serde_json::Error) -> Error {
    jsonl::wrong(path, number, "metrics", error)
}

impl UpdateLine {
    /// The highest stage that it trained.
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
            grad_norm: m.grad_norm,
            reward: m.reward,
            steps: m.steps as u64,
            episodes,
            solved,
        }
    }
}

impl ValidationLine {
    /// The mean exact match over the stages, or 0 if there are none.
    pub(crate) fn exact(&self) -> f64 {
        let sum: f64 = self.stages.iter().map(|stage| stage.exact).sum();
        sum / self.stages.len().max(1) as f64
    }

    /// What is to be written of a validation.
    pub(crate) fn new(update: usize, figures: &[Figures]) -> Self {
        let stage = |f: &Figures| StageFigures {
            stage: f.stage,
            exact: f.exact,
            reward: f.reward,
            steps: f.steps,
            programs: f.programs.len(),
        };
        Self { validation: update, stages: figures.iter().map(stage).collect() }
    }
}
