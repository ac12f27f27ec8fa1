//! Why a run does not learn on a GPU.

use std::fmt;

use tensor::CudaError;

/// Why a run does not learn on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A setting has a value that the host alone knows.
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What the GPU takes, in words.
        takes: String,
    },
    /// A parameter is frozen.
    Frozen {
        /// Its name.
        parameter: String,
    },
    /// The GPU is missing, too small, or fails.
    Gpu(CudaError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, value, takes } => {
                write!(
                    f,
                    "{name} = {value} is for the CPU alone: a GPU takes {takes}; change it, or compute on the CPU"
                )
            }
            Self::Frozen { parameter } => write!(
                f,
                "parameter {parameter} is frozen, and a GPU moves all of them; let it move, or compute on the CPU"
            ),
            Self::Gpu(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

impl From<CudaError> for Refused {
    fn from(error: CudaError) -> Self {
        Self::Gpu(error)
    }
}
