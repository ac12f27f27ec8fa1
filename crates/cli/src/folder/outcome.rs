//! How a run ended.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::names::{CLOCK, TEST};
use super::seconds::Seconds;
use crate::error::{Error, Result};
use crate::input::regular_file;
use crate::run::final_test::Stage;

/// How a run ended. Nothing of it depends on the clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The task.
    pub(crate) task: String,
    /// What a reader of its figures must know.
    pub(crate) caveat: String,
    /// The seed.
    pub(crate) seed: u64,
    /// Why it ended.
    pub(crate) end: String,
    /// Whether it failed: then there was no test.
    pub(crate) failed: bool,
    /// Updates that were made.
    pub(crate) updates: usize,
    /// Training steps that were made.
    pub(crate) steps: u64,
    /// The test.
    pub(crate) stages: Vec<Stage>,
}

impl Outcome {
    /// Reads what a run wrote when it was over.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = regular_file::read(path).map_err(|error| error.to_string());
        let outcome = text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
        let advice = "expected what gradus train wrote when the run was over; remove it to have the test again";
        outcome.map_err(|error| Error::input(format!("cannot read {}: {error}; {advice}", path.display())))
    }

    /// Whether every test episode of every stage ended in an exact match.
    pub(crate) fn solved(&self) -> bool {
        !self.failed && self.stages.iter().all(|stage| stage.exact == 1.0)
    }

    /// The exact match of a stage; 0 if the run failed, as what cannot be used has solved nothing.
    pub(crate) fn exact(&self, stage: usize) -> f64 {
        self.stages.iter().find(|figures| figures.stage == stage).map_or(0.0, |figures| figures.exact)
    }

    /// How it ended, and what that took.
    pub(crate) fn sentence(&self, seconds: f64) -> String {
        let Self { end, updates, steps, failed, .. } = self;
        let how = if *failed { "failed" } else { end };
        format!("{how}; {updates} updates, {steps} steps, {seconds:.1} s with the test")
    }
}

/// An outcome, and how long it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timed {
    /// The outcome.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
    /// Seconds from the start of the run to the end of its test.
    pub(crate) seconds: f64,
}

impl Timed {
    /// Reads what the run in a folder left when it was over.
    ///
    /// # Errors
    /// If its test cannot be read or understood.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let seconds = Seconds::read(&folder.join(CLOCK)).map_or(0.0, |clock| clock.seconds);
        Ok(Self { outcome: Outcome::read(&folder.join(TEST))?, seconds })
    }
}
