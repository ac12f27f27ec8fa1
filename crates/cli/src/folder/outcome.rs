//! `test.json`: the outcome of a run.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::clock_file::ClockFile;
use super::file_names::{CLOCK, TEST};
use crate::error::{Error, Result, show_path};
use crate::input::regular_file;
use crate::run::final_test::StageTest;
use crate::run::known_kinds::KnownKind;
use crate::run::learned_rule::RuleRow;
use crate::score::Score;

/// The outcome of a run: why it ended, and its test. It contains no times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Name of the task.
    pub(crate) task: String,
    /// Caveat that a reader of the numbers must know.
    pub(crate) caveat: String,
    /// The seed.
    pub(crate) seed: u64,
    /// Reason for the end.
    pub(crate) end: String,
    /// True if the run failed. A failed run has no test.
    pub(crate) failed: bool,
    /// Number of updates.
    pub(crate) updates: usize,
    /// Number of training steps.
    pub(crate) steps: u64,
    /// Test results of each stage, then those of other test sets.
    pub(crate) stages: Vec<StageTest>,
    /// The programs that hindsight knows; empty without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kinds: Vec<KnownKind>,
    /// What the policy does after each observation of the task's rule; empty if it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rule: Vec<RuleRow>,
}

impl Outcome {
    /// Reads the file that a run writes when it finishes.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = regular_file::read(path).map_err(|error| error.to_string());
        let outcome = text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
        let advice = "expected the file that gradus train writes when a run finishes; delete it to repeat the test";
        outcome.map_err(|error| Error::input(format!("cannot read {}: {error}; {advice}", show_path(path))))
    }

    /// Returns true if every test episode of every stage ended in an exact match. Other test sets do not count.
    pub(crate) fn is_perfect(&self) -> bool {
        !self.failed && self.stages.iter().filter(|test| test.set.is_empty()).all(|test| test.exact == Some(1.0))
    }

    /// Returns the score in each of the stages of a task. `None` if a failed run has no such score.
    pub(crate) fn scores(&self, score: Score, stages: usize) -> Option<Vec<f64>> {
        let of_stage = |stage| self.stages.iter().find(|result| result.stage == stage).map(StageTest::score);
        (0..stages).map(|stage| of_stage(stage).or_else(|| score.of_failed_run())).collect()
    }

    /// Describes the end of the run with its updates, steps and seconds.
    pub(crate) fn to_sentence(&self, seconds: f64) -> String {
        let Self { end, updates, steps, failed, .. } = self;
        let reason = if *failed { "failed" } else { end };
        format!("{reason}; {updates} updates, {steps} steps, {seconds:.1} s including the test")
    }
}

/// An outcome and the run's duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimedOutcome {
    /// The outcome.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
    /// Seconds from the start of the run to the end of its test.
    pub(crate) seconds: f64,
}

impl TimedOutcome {
    /// Reads the outcome and the duration of the finished run in a folder.
    ///
    /// # Errors
    /// If `test.json` cannot be read or is invalid. A missing or invalid clock counts as 0 seconds.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let seconds = ClockFile::read(&folder.join(CLOCK)).map_or(0.0, |clock| clock.seconds);
        Ok(Self { outcome: Outcome::read(&folder.join(TEST))?, seconds })
    }
}
