//! Sample runs for tests.

use rl::tasks::GOALS;

use crate::folder::{RunRecord, RunSet, TaskFacts};
use crate::score::Score;

/// Makes a set of these runs, without recorded settings.
pub(super) fn run_set(runs: Vec<RunRecord>) -> RunSet {
    let seeds = (runs.len() > 1).then_some(runs.len());
    let (goals, score) = (GOALS.map(String::from).to_vec(), Score::ExactMatch);
    let (name, caveat) = ("calculator-stages".into(), "Take care.".into());
    let task = TaskFacts { name, caveat, score, goals, lists_contexts: false };
    RunSet { task, name: "sample".into(), about: None, settings: Vec::new(), seeds, runs }
}
