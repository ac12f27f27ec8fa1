//! The error of training.

use core::fmt;

use nn::Params;
use tensor::Real;

use crate::env::EnvError;
use crate::not_finite::NotFinite;
use crate::rollout::RolloutError;

/// The error that training cannot go on.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainError {
    /// Training diverged.
    NotFinite(NotFinite),
    /// The environment has a fault.
    Env {
        /// The number of the update, from 1.
        update: u32,
        /// The fault and its place.
        error: EnvError,
    },
}

impl TrainError {
    /// Adds the update to the error of a rollout. `update` is the number of the update, from 1, in which it happened or that it
    /// follows.
    pub fn from_rollout<T: Real>(update: u32, params: &Params<T>, error: RolloutError) -> Self {
        match error {
            RolloutError::Undecided(decision) => Self::NotFinite(NotFinite::from_undecided(update, params, decision)),
            RolloutError::Env(error) => Self::Env { update, error },
        }
    }
}

impl From<NotFinite> for TrainError {
    fn from(error: NotFinite) -> Self {
        Self::NotFinite(error)
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite(error) => error.fmt(f),
            Self::Env { update, error } => write!(f, "update {update}: {error}; mend the task's environment"),
        }
    }
}

impl core::error::Error for TrainError {}
