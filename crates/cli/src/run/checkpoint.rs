//! Checkpoints of runs: their metadata, saving, loading, and the check that a checkpoint fits the run it is loaded into.

use std::collections::BTreeMap;
use std::path::Path;

use gpu_train::Run;
use nn::{Checkpoint, CheckpointProblem};
use rl::config::Config;
use rl::settings::Settings;
use serde_json::Value;

use crate::error::{Error, Result, show_path};
use crate::folder::CHECKPOINTS;
use crate::input::task_name;
use crate::run::state_json;

/// The settings that determine the network.
const NETWORK_SETTINGS: [&str; 3] = ["width", "actions", "gru"];

/// Returns the metadata in which a checkpoint and the run must agree: the task and the network's settings.
fn required_metadata(config: &Config) -> impl Iterator<Item = (&'static str, String)> {
    let settings = NETWORK_SETTINGS.into_iter().filter_map(|name| Some((name, config.get(name)?)));
    [("task", task_name::NAME.to_owned())].into_iter().chain(settings)
}

/// Lengths of the journals at the time of a checkpoint, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JournalLengths {
    /// Length of `metrics.jsonl`.
    pub(crate) metrics: u64,
    /// Length of `episodes.jsonl`.
    pub(crate) episodes: u64,
}

/// Loads the parameters of `run` from a checkpoint. For a file without gradus metadata, only names and shapes are checked.
///
/// # Errors
/// If the file cannot be read, belongs to another task or network, or holds other tensors or values that are not finite.
pub(crate) fn load(path: &Path, run: &mut Run<f32>) -> Result<()> {
    let checkpoint = load_compatible(path, &run.config)?;
    Ok(checkpoint.load_params(&mut run.learner.host_mut().params)?)
}

/// Restores the complete state of `run` from a checkpoint: parameters, optimizer and training state.
///
/// # Errors
/// As [`load`], or if the file lacks the state of the run, or belongs to another seed.
pub(crate) fn resume(path: &Path, run: &mut Run<f32>) -> Result<JournalLengths> {
    let checkpoint = load_compatible(path, &run.config)?;
    let invalid = |problem: &str| {
        let (path, advice) = (show_path(path), "expected a checkpoint that gradus train wrote to this folder");
        Error::input(format!("checkpoint {path}: {problem}; {advice}"))
    };
    let get = |key: &str| checkpoint.metadata().get(key).ok_or_else(|| invalid(&format!("its metadata lacks {key}")));
    let bytes = |key: &str| get(key)?.parse().map_err(|error| invalid(&format!("{key}: {error}")));
    let journal_lengths = JournalLengths { metrics: bytes("run.metrics")?, episodes: bytes("run.episodes")? };
    let seed = get("seed")?;
    if *seed != run.seed.to_string() {
        return Err(invalid(&format!("its seed is {seed}, but the run's seed is {}", run.seed)));
    }
    let state: Value =
        serde_json::from_str(get("run.state")?).map_err(|error| invalid(&format!("run.state: {error}")))?;
    checkpoint.load_params(&mut run.learner.host_mut().params)?;
    checkpoint.load_optimizer(&mut run.learner.host_mut().optimizer)?;
    let restored = state_json::from_value(state).and_then(|state| run.restore(state));
    restored.map_err(|error| invalid(&format!("run.state: {error}")))?;
    let (steps, updates) = (run.learner.host().optimizer.steps(), run.updates);
    if steps != updates as u64 {
        return Err(invalid(&format!(
            "optimizer.steps is {steps}, but the run has made {updates} updates of one step each"
        )));
    }
    Ok(journal_lengths)
}

/// Loads a checkpoint and checks that its metadata agrees with `config`.
fn load_compatible(path: &Path, config: &Config) -> Result<Checkpoint> {
    let checkpoint = Checkpoint::load(path)?;
    for (key, expected) in required_metadata(config) {
        if let Some(found) = checkpoint.metadata().get(key).filter(|found| **found != expected) {
            let path = show_path(path);
            let advice = format!("use another checkpoint, or set {key} to {found}");
            return Err(Error::input(format!(
                "checkpoint {path}: its {key} is {found}, expected {expected}; {advice}"
            )));
        }
    }
    Ok(checkpoint)
}

/// Returns the file name of a checkpoint that is kept for good.
pub(super) fn kept_name(update: usize) -> String {
    format!("{CHECKPOINTS}/update-{update:06}.safetensors")
}

/// Returns the number of updates in a checkpoint, or `None` if the file cannot be read or does not record it.
pub(super) fn read_updates(path: &Path) -> Option<usize> {
    Checkpoint::load(path).ok()?.metadata().get("updates")?.parse().ok()
}

/// Encodes a checkpoint: the parameters, the optimizer's moments and the state of the run.
///
/// # Errors
/// If a value is not finite, because such a checkpoint would not load.
pub(crate) fn encode(
    run: &Run<f32>,
    journal_lengths: JournalLengths,
) -> std::result::Result<Vec<u8>, CheckpointProblem> {
    let metadata = [
        ("run.episodes", journal_lengths.episodes.to_string()),
        ("run.metrics", journal_lengths.metrics.to_string()),
        ("run.state", state_json::to_value(run.state()).to_string()),
        ("seed", run.seed.to_string()),
        ("updates", run.updates.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let metadata: BTreeMap<_, _> = metadata
        .into_iter()
        .chain(required_metadata(&run.config))
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    nn::encode_checkpoint(&run.learner.host().params, Some(&run.learner.host().optimizer), &metadata)
}
