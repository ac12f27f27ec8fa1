//! Names of the files in a run folder.

/// Format version, command and machine that created the folder.
pub(crate) const ABOUT: &str = "about.json";
/// Settings of the run, or of the runs of several seeds.
pub(crate) const CONFIG: &str = "config.toml";
/// Last checkpoint: parameters, optimiser moments and the state of the run.
pub(crate) const MODEL: &str = "model.safetensors";
/// Checkpoint after the best validation; the later one if two are equal.
pub(crate) const BEST: &str = "best.safetensors";
/// Best checkpoint before the end validation, if that validation replaced [`BEST`].
pub(crate) const BEST_BEFORE_END: &str = "best-before-end.safetensors";
/// Folder of the checkpoints that are kept for good.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// Metrics of each update and each validation, without times.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// Behaviour of the policy at each validation, without times.
pub(crate) const EPISODES: &str = "episodes.jsonl";
/// Results of the test, without times. A run that has this file is finished.
pub(crate) const TEST: &str = "test.json";
/// Duration of the run.
pub(crate) const CLOCK: &str = "clock.json";
/// Table of the runs of several seeds, as Markdown.
pub(crate) const TABLE: &str = "table.md";
/// The same table as JSON.
pub(crate) const TABLE_JSON: &str = "table.json";
/// HTML page with all contents of the folder.
pub(crate) const REPORT: &str = "report.html";
