//! Sample runs for tests.

use crate::folder::{RunRecord, RunSet};

/// Makes a set of these runs, without recorded settings.
pub(super) fn run_set(runs: Vec<RunRecord>) -> RunSet {
    let seeds = (runs.len() > 1).then_some(runs.len());
    RunSet { name: "sample".into(), about: None, settings: Vec::new(), seeds, runs }
}
