//! `clock.json`: the duration of a run.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::input::regular_file;

/// Contents of `clock.json`: seconds since the start of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClockFile {
    /// Seconds until the end of training.
    pub(crate) training_seconds: f64,
    /// Seconds until the end of the test.
    pub(crate) seconds: f64,
}

impl ClockFile {
    /// Reads the file. Returns `None` if it cannot be read, because a run's results do not depend on it.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&regular_file::read(path).ok()?).ok()
    }
}
