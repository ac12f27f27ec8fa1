//! Checkpoints of runs: what they say about themselves, and whether that fits the run they are loaded into.

use std::collections::BTreeMap;
use std::path::Path;

use nn::{Checkpoint, Problem};
use rl::settings::Settings;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::training::{Parts, Training};

/// The settings that a network is made by.
const MADE_BY: [&str; 3] = ["width", "actions", "gru"];

/// What a checkpoint and the run that it is loaded into must have in common: the task, and how the network is made.
fn nature<R: Training>(config: &R::Config) -> impl Iterator<Item = (&'static str, String)> {
    let settings = MADE_BY.into_iter().filter_map(|name| Some((name, config.get(name)?)));
    [("task", R::TASK.name().to_owned())].into_iter().chain(settings)
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
pub(crate) fn load<R: Training>(path: &Path, config: &R::Config, run: &mut R) -> Result<()> {
    let checkpoint = fitting::<R>(path, config)?;
    Ok(checkpoint.load_params(run.params_mut())?)
}

/// Sets everything about `run` to what it was when the file was written.
///
/// # Errors
/// As of [`load`], or if the file does not say where the run stood.
pub(crate) fn resume<R: Training>(path: &Path, config: &R::Config, run: &mut R) -> Result<Marks> {
    let checkpoint = fitting::<R>(path, config)?;
    let wrong = |what: &str| {
        let (path, advice) = (path.display(), "expected a checkpoint that gradus train has written in this folder");
        Error::input(format!("checkpoint {path}: {what}; {advice}"))
    };
    let say = |key: &str| checkpoint.metadata().get(key).ok_or_else(|| wrong(&format!("it says nothing of {key}")));
    let bytes = |key: &str| say(key)?.parse().map_err(|error| wrong(&format!("{key}: {error}")));
    let marks = Marks { metrics: bytes("run.metrics")?, episodes: bytes("run.episodes")? };
    let seed = say("seed")?;
    if *seed != run.parts().seed.to_string() {
        return Err(wrong(&format!("its seed is {seed}, and the run's is {}", run.parts().seed)));
    }
    let state: Value =
        serde_json::from_str(say("run.state")?).map_err(|error| wrong(&format!("run.state: {error}")))?;
    checkpoint.load_params(run.params_mut())?;
    checkpoint.load_optimizer(run.optimizer_mut())?;
    run.restore(state).map_err(|error| wrong(&format!("run.state: {error}")))?;
    let Parts { optimizer, updates, .. } = run.parts();
    if optimizer.steps() != updates as u64 {
        let steps = optimizer.steps();
        return Err(wrong(&format!(
            "optimizer.steps is {steps}, and the run has made {updates} updates, each one step"
        )));
    }
    Ok(marks)
}

/// A checkpoint of this task and network.
fn fitting<R: Training>(path: &Path, config: &R::Config) -> Result<Checkpoint> {
    let checkpoint = Checkpoint::load(path)?;
    for (key, expected) in nature::<R>(config) {
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
pub(crate) fn encode<R: Training>(config: &R::Config, run: &R, marks: Marks) -> std::result::Result<Vec<u8>, Problem> {
    let parts = run.parts();
    let about = [
        ("run.episodes", marks.episodes.to_string()),
        ("run.metrics", marks.metrics.to_string()),
        ("run.state", run.state().to_string()),
        ("seed", parts.seed.to_string()),
        ("updates", parts.updates.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let about: BTreeMap<_, _> =
        about.into_iter().chain(nature::<R>(config)).map(|(key, value)| (key.to_owned(), value)).collect();
    nn::encode(parts.params, Some(parts.optimizer), &about)
}
