//! An agent from a run's checkpoint. How wide the network is and which actions it has can be read off the tensors; what
//! cannot, the task and where the reset gate acts, is in the metadata. A file that does not say, such as one written in
//! Python, is of `calculator` and has PyTorch's GRU.

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
use crate::train::network;

/// Why a file is not an agent.
#[derive(Debug)]
pub enum LoadError {
    /// It cannot be read, or its tensors are not those of such a network.
    Checkpoint(CheckpointError),
    /// It is of another task.
    Task {
        /// The file.
        path: PathBuf,
        /// Its task.
        found: String,
    },
    /// It names a network that there is not.
    Setting {
        /// The file.
        path: PathBuf,
        /// What is wrong.
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
                 or build the policy yourself and hand it to Agent::new",
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
    /// The agent of a run on `calculator`, from its checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, is of another task, or holds other tensors or numbers that are not finite.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let checkpoint = Checkpoint::load(path)?;
        let about = |key| checkpoint.metadata().get(key);
        if let Some(found) = about("task").filter(|found| *found != tasks::calculator::NAME) {
            return Err(LoadError::Task { path: path.to_owned(), found: found.clone() });
        }
        let mut config = Config { actions: actions(&checkpoint), ..Config::default() };
        let settings = [("width", width(&checkpoint)), ("gru", about("gru").cloned())];
        for (name, value) in settings.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            config.set(name, &value).map_err(|error| LoadError::Setting { path: path.to_owned(), error })?;
        }
        let (task, policy, mut params) = network(&config, 0);
        checkpoint.load_params(&mut params)?;
        Ok(Self::new(&task, policy, params))
    }
}

/// d, if the recurrent weights are \[3d,d\]. Only then is the file large enough to warrant a network of this width.
fn width(checkpoint: &Checkpoint) -> Option<String> {
    match shape(checkpoint, "rnn.weight_hh")? {
        &[rows, width] if Some(rows) == width.checked_mul(3) => Some(width.to_string()),
        _ => None,
    }
}

/// All tokens, if the policy's head has as many rows.
fn actions(checkpoint: &Checkpoint) -> Actions {
    match shape(checkpoint, "pi.weight") {
        Some(&[token::COUNT, _]) => Actions::Tokens,
        _ => Actions::Tools,
    }
}

fn shape<'a>(checkpoint: &'a Checkpoint, name: &str) -> Option<&'a [usize]> {
    checkpoint.shapes().find(|(other, _)| *other == name).map(|(_, shape)| shape)
}
