//! Learning on a graphics card: whole updates, and the greedy validation, without the host.
//!
//! What a run has come to lies on the host whenever somebody may look at it: parameters, moments and counters are brought there
//! after every few updates, so that checkpoints, tests and resuming do not care who computed. A run may go on on another device
//! than it began on. The numbers of both agree but for rounding, and random numbers are the same; so a run on a card repeats to
//! the bit there, and takes the same actions as one on the host until a rounding tips one of them.
//!
//! The kernels are those of `kernels/README.md`, put together by `tensor::cuda_update`, which knows no policy and no task;
//! here it is told of them.

mod learner;

use alloc::string::String;
use core::fmt;

use tensor::CudaError;

pub(crate) use learner::AT_ONCE;
pub use learner::{CardLearner, Done, Stopped};

/// Why a run does not learn on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A setting has a value that the host alone knows.
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What the card takes, in words.
        takes: String,
    },
    /// A parameter is frozen.
    Frozen {
        /// Its name.
        parameter: String,
    },
    /// The card is missing, too small, or fails.
    Card(CudaError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, value, takes } => {
                write!(
                    f,
                    "{name} = {value} is for the CPU alone: a card takes {takes}; change it, or compute on the CPU"
                )
            }
            Self::Frozen { parameter } => write!(
                f,
                "parameter {parameter} is frozen, and a card moves all of them; let it move, or compute on the CPU"
            ),
            Self::Card(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Refused {}

impl From<CudaError> for Refused {
    fn from(error: CudaError) -> Self {
        Self::Card(error)
    }
}
