//! How long a run has taken, over all the times that it was gone on with.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::folder::Seconds;
use crate::output::print::pretty;

/// The clock of a run. Of what was lost with a process that was killed it knows nothing.
#[derive(Debug)]
pub(super) struct Clock {
    before: Seconds,
    started: Instant,
    trained: Option<f64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { before: Seconds::default(), started: Instant::now(), trained: None }
    }
}

impl Clock {
    /// The clock that goes on from a file. Without a file it begins at zero: it is a help, and no result.
    pub(super) fn read(path: &Path) -> Self {
        Self { before: Seconds::read(path).unwrap_or_default(), ..Self::default() }
    }

    /// Notes that training is over, and the test begins.
    pub(super) fn trained(&mut self) {
        self.trained = Some(self.seconds());
    }

    /// Seconds so far.
    pub(super) fn seconds(&self) -> f64 {
        self.before.seconds + self.started.elapsed().as_secs_f64()
    }

    /// What the file holds.
    pub(super) fn to_json(&self) -> String {
        let seconds = self.seconds();
        pretty(&json!(Seconds { training_seconds: self.trained.unwrap_or(seconds), seconds }))
    }
}
