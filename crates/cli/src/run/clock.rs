//! Measures the duration of a run over all its sessions.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::folder::ClockFile;
use crate::output::print::pretty_json;

/// The clock of a run. Time that a killed process spent after its last checkpoint is not counted.
#[derive(Debug)]
pub(super) struct Clock {
    before: ClockFile,
    started: Instant,
    trained: Option<f64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { before: ClockFile::default(), started: Instant::now(), trained: None }
    }
}

impl Clock {
    /// Continues the clock from a file, or from zero if the file cannot be read. Results do not depend on the clock.
    pub(super) fn read(path: &Path) -> Self {
        Self { before: ClockFile::read(path).unwrap_or_default(), ..Self::default() }
    }

    /// Records the time at which training ends and the test begins.
    pub(super) fn mark_training_end(&mut self) {
        self.trained = Some(self.seconds());
    }

    /// Returns the seconds so far.
    pub(super) fn seconds(&self) -> f64 {
        self.before.seconds + self.started.elapsed().as_secs_f64()
    }

    /// Returns the contents of `clock.json`.
    pub(super) fn to_json(&self) -> String {
        let seconds = self.seconds();
        pretty_json(&json!(ClockFile { training_seconds: self.trained.unwrap_or(seconds), seconds }))
    }
}
