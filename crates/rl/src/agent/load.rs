//! Loads an agent from the checkpoint of a run. The shapes of the tensors determine the hidden size of the network and its
//! actions. The metadata hold the task and the position of the reset gate. A file without them, for example one
//! written in Python, is loaded as an agent of `calculator` with PyTorch's GRU.

use core::fmt;
use std::borrow::ToOwned;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};

use nn::{Checkpoint, CheckpointError};
use tensor::Real;

use super::Agent;
use crate::config::{Actions, Config};
use crate::settings::{SettingError, Settings};
use crate::tasks::{self, token};
use crate::train::build_network;

/// The reason why a file cannot be loaded as an agent.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read, or its tensors do not fit the network.
    Checkpoint(CheckpointError),
    /// The file belongs to another task.
    Task {
        /// The file.
        path: PathBuf,
        /// The task of the file.
        found: String,
    },
    /// The file describes a network that gradus does not have.
    Setting {
        /// The file.
        path: PathBuf,
        /// The error of the setting.
        error: SettingError,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(error) => error.fmt(f),
            Self::Task { path, found } => write!(
                f,
                "checkpoint {}: its task is {found}, expected {}; take the checkpoint of a run on that task, \
                 or create the policy in your program and pass it to Agent::new",
                path.display(),
                tasks::calculator::NAME
            ),
            Self::Setting { path, error } => {
                write!(f, "checkpoint {}: {error}; take a checkpoint that gradus wrote", path.display())
            }
        }
    }
}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Checkpoint(error) => error.source(),
            Self::Task { .. } => None,
            Self::Setting { error, .. } => Some(error),
        }
    }
}

impl From<CheckpointError> for LoadError {
    fn from(error: CheckpointError) -> Self {
        Self::Checkpoint(error)
    }
}

impl<T: Real> Agent<T> {
    /// Loads the agent of a run on `calculator` from its checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, belongs to another task, has other tensors, or holds numbers that are not finite.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let checkpoint = Checkpoint::load(path)?;
        let metadata = |key| checkpoint.metadata().get(key);
        if let Some(found) = metadata("task").filter(|found| *found != tasks::calculator::NAME) {
            return Err(LoadError::Task { path: path.to_owned(), found: found.clone() });
        }
        let mut config = Config { actions: actions(&checkpoint), ..Config::default() };
        let settings = [("width", hidden_size(&checkpoint)), ("gru", metadata("gru").cloned())];
        for (name, value) in settings.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            config.set(name, &value).map_err(|error| LoadError::Setting { path: path.to_owned(), error })?;
        }
        let (task, policy, mut params) = build_network(&config, 0);
        checkpoint.load_params(&mut params)?;
        Ok(Self::new(&task, policy, params))
    }
}

/// Returns H if the recurrent weights are \[3H,H\]. Therefore a small file cannot cause the allocation of a large network.
fn hidden_size(checkpoint: &Checkpoint) -> Option<String> {
    match shape(checkpoint, "rnn.weight_hh")? {
        &[rows, hidden_size] if Some(rows) == hidden_size.checked_mul(3) => Some(hidden_size.to_string()),
        _ => None,
    }
}

/// Returns all tokens if the policy head has that many rows; otherwise the tools.
fn actions(checkpoint: &Checkpoint) -> Actions {
    match shape(checkpoint, "pi.weight") {
        Some(&[token::COUNT, _]) => Actions::Tokens,
        _ => Actions::Tools,
    }
}

fn shape<'a>(checkpoint: &'a Checkpoint, name: &str) -> Option<&'a [usize]> {
    checkpoint.shapes().find(|(other, _)| *other == name).map(|(_, shape)| shape)
}
