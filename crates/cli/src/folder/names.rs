//! The names of the files in a folder.

/// What the folder is, what made it, and on which machine.
pub(crate) const ABOUT: &str = "about.json";
/// The settings of a run, or of the runs of several seeds.
pub(crate) const CONFIG: &str = "config.toml";
/// The last checkpoint: parameters, the optimiser's moments, and where the run stood.
pub(crate) const MODEL: &str = "model.safetensors";
/// The same after the best validation; the last of equals.
pub(crate) const BEST: &str = "best.safetensors";
/// The folder of the checkpoints that are kept.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// What each update and each validation brought, without the clock.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// What the policy does at each validation, without the clock.
pub(crate) const EPISODES: &str = "episodes.jsonl";
/// The figures of the test, without the clock: a run that has it is over.
pub(crate) const TEST: &str = "test.json";
/// How long it took.
pub(crate) const CLOCK: &str = "clock.json";
/// The figures of runs of several seeds.
pub(crate) const TABLE: &str = "table.md";
/// The same for programs.
pub(crate) const TABLE_JSON: &str = "table.json";
/// Everything that the folder holds, to be looked at in a browser.
pub(crate) const REPORT: &str = "report.html";
