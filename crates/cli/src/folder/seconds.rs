//! `clock.json`: how long a run has taken.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::input::regular_file;

/// Seconds from the start of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seconds {
    /// To the end of training.
    pub(crate) training_seconds: f64,
    /// To the end of the test.
    pub(crate) seconds: f64,
}

impl Seconds {
    /// What the file says, if it can be read: it is a help, and no result.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&regular_file::read(path).ok()?).ok()
    }
}
