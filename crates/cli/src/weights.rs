//! Checkpoints of runs: what they say about themselves, and whether that fits the run they are loaded into.

use std::collections::BTreeMap;
use std::path::Path;

use nn::{Checkpoint, CheckpointError};
use rl::settings::Settings;

use crate::error::{Error, Result};
use crate::training::Training;

/// The settings that a network is made by.
const MADE_BY: [&str; 3] = ["width", "actions", "gru"];

/// What a checkpoint and the run that it is loaded into must have in common: the task, and how the network is made.
fn nature<R: Training>(config: &R::Config) -> impl Iterator<Item = (&'static str, String)> {
    let settings = MADE_BY.into_iter().filter_map(|name| Some((name, config.get(name)?)));
    [("task", R::TASK.name().to_owned())].into_iter().chain(settings)
}

/// Sets the parameters of `run` to those in the file. A file from elsewhere does not say what it was made for: then
/// names and shapes must do.
///
/// # Errors
/// If the file cannot be read, is of another task or network, or holds other tensors or numbers that are not finite.
pub(crate) fn load<R: Training>(path: &Path, config: &R::Config, run: &mut R) -> Result<()> {
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
    Ok(checkpoint.load_params(run.params_mut())?)
}

/// Writes the parameters and the optimiser's moments of `run`.
///
/// # Errors
/// If the file cannot be written, or a number is not finite.
pub(crate) fn save<R: Training>(path: &Path, config: &R::Config, run: &R) -> std::result::Result<(), CheckpointError> {
    let parts = run.parts();
    let about = [
        ("seed", parts.seed.to_string()),
        ("updates", parts.updates.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let about: BTreeMap<_, _> =
        about.into_iter().chain(nature::<R>(config)).map(|(key, value)| (key.to_owned(), value)).collect();
    nn::save(path, parts.params, Some(parts.optimizer), &about)
}
