//! The reasons why a run cannot train on a GPU.

use std::fmt;

use tensor::CudaError;

/// The reason why a run cannot train on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuTrainError {
    /// The task is not `calculator-stages`.
    Task {
        /// The task's name.
        name: String,
    },
    /// A setting has a value that only the host supports.
    Setting {
        /// The setting's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The values that the GPU supports, in words.
        takes: String,
    },
    /// The learner is not the one that the settings describe.
    Learner {
        /// Its part that a GPU does not support, in words.
        found: &'static str,
    },
    /// A parameter is frozen.
    Frozen {
        /// The parameter's name.
        parameter: String,
    },
    /// The GPU is missing, too small, or fails.
    Gpu(CudaError),
}

impl fmt::Display for GpuTrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task { name } => {
                write!(f, "a GPU trains only the task calculator-stages, not {name}; compute on the CPU (--device cpu)")
            }
            Self::Learner { found } => write!(
                f,
                "a GPU trains only a policy of a token embedding, a reset-after GRU and discrete actions, with adam or \
                 adamw, not {found}; compute on the CPU (--device cpu)"
            ),
            Self::Setting { name, value, takes } => {
                write!(
                    f,
                    "{name} = {value} is supported on the CPU only: a GPU takes {takes}; change it, or compute on the CPU"
                )
            }
            Self::Frozen { parameter } => write!(
                f,
                "parameter {parameter} is frozen, but a GPU updates all parameters; unfreeze it, or compute on the CPU"
            ),
            Self::Gpu(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GpuTrainError {}

impl From<CudaError> for GpuTrainError {
    fn from(error: CudaError) -> Self {
        Self::Gpu(error)
    }
}
