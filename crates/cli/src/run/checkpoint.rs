//! Checkpoints of runs: what they say about themselves, and whether that fits the run they are loaded into.

use std::collections::BTreeMap;
use std::path::Path;

use gpu_train::Run;
use nn::{Checkpoint, Problem};
use rl::config::Config;
use rl::settings::Settings;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::input::task_name;
use crate::run::state_json;

/// The settings that a network is made by.
const MADE_BY: [&str; 3] = ["width", "actions", "gru"];

/// What a checkpoint and the run that it is loaded into must have in common: the task, and how the network is made.
fn nature(config: &Config) -> impl Iterator<Item = (&'static str, String)> {
    let settings = MADE_BY.into_iter().filter_map(|name| Some((name, config.get(name)?)));
    [("task", task_name::NAME.to_owned())].into_iter().chain(settings)
}

/// How much of the journals belongs to a checkpoint, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of the metrics.
    pub(crate) metrics: u64,
    /// Of the episodes.
    pub(crate) episodes: u64,
}

/// Sets the parameters of `run` to those in the file. A file from elsewhere does not say what it was made for: then
/// names and shapes must do.
///
/// # Errors
/// If the file cannot be read, is of another task or network, or holds other tensors or numbers that are not finite.
pub(crate) fn load(path: &Path, run: &mut Run<f32>) -> Result<()> {
    let checkpoint = fitting(path, &run.config)?;
    Ok(checkpoint.load_params(&mut run.learner.host_mut().params)?)
}

/// Sets everything about `run` to what it was when the file was written.
///
/// # Errors
/// As of [`load`], or if the file does not say where the run stood.
pub(crate) fn resume(path: &Path, run: &mut Run<f32>) -> Result<Marks> {
    let checkpoint = fitting(path, &run.config)?;
    let wrong = |what: &str| {
        let (path, advice) = (path.display(), "expected a checkpoint that gradus train has written in this folder");
        Error::input(format!("checkpoint {path}: {what}; {advice}"))
    };
    let say = |key: &str| checkpoint.metadata().get(key).ok_or_else(|| wrong(&format!("it says nothing of {key}")));
    let bytes = |key: &str| say(key)?.parse().map_err(|error| wrong(&format!("{key}: {error}")));
    let marks = Marks { metrics: bytes("run.metrics")?, episodes: bytes("run.episodes")? };
    let seed = say("seed")?;
    if *seed != run.seed.to_string() {
        return Err(wrong(&format!("its seed is {seed}, and the run's is {}", run.seed)));
    }
    let state: Value =
        serde_json::from_str(say("run.state")?).map_err(|error| wrong(&format!("run.state: {error}")))?;
    checkpoint.load_params(&mut run.learner.host_mut().params)?;
    checkpoint.load_optimizer(&mut run.learner.host_mut().optimizer)?;
    let restored = state_json::from_value(state).and_then(|state| run.restore(state));
    restored.map_err(|error| wrong(&format!("run.state: {error}")))?;
    let (steps, updates) = (run.learner.host().optimizer.steps(), run.updates);
    if steps != updates as u64 {
        return Err(wrong(&format!(
            "optimizer.steps is {steps}, and the run has made {updates} updates, each one step"
        )));
    }
    Ok(marks)
}

/// A checkpoint of this task and network.
fn fitting(path: &Path, config: &Config) -> Result<Checkpoint> {
    let checkpoint = Checkpoint::load(path)?;
    for (key, expected) in nature(config) {
        if let Some(found) = checkpoint.metadata().get(key).filter(|found| **found != expected) {
            let path = path.display();
            let advice = format!("take another checkpoint, or set {key} to {found}");
            return Err(Error::input(format!(
                "checkpoint {path}: its {key} is {found}, expected {expected}; {advice}"
            )));
        }
    }
    Ok(checkpoint)
}

/// The bytes of a checkpoint: the parameters, the optimiser's moments, and where the run stands.
///
/// # Errors
/// If a number is not finite: such a checkpoint would not load.
pub(crate) fn encode(run: &Run<f32>, marks: Marks) -> std::result::Result<Vec<u8>, Problem> {
    let about = [
        ("run.episodes", marks.episodes.to_string()),
        ("run.metrics", marks.metrics.to_string()),
        ("run.state", state_json::to_value(run.state()).to_string()),
        ("seed", run.seed.to_string()),
        ("updates", run.updates.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let about: BTreeMap<_, _> =
        about.into_iter().chain(nature(&run.config)).map(|(key, value)| (key.to_owned(), value)).collect();
    nn::encode(&run.learner.host().params, Some(&run.learner.host().optimizer), &about)
}
