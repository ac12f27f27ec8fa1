//! Errors of checkpoints.

use std::borrow::ToOwned;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use tensor::Shape;

/// An error of a checkpoint file.
#[derive(Debug)]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// The error.
    pub problem: CheckpointProblem,
}

/// The kinds of errors of a checkpoint.
#[derive(Debug)]
pub enum CheckpointProblem {
    /// The file cannot be read.
    Read(io::Error),
    /// The file cannot be written.
    Write(io::Error),
    /// The length of the file differs from the length that its header announces.
    Truncated {
        /// The length in bytes.
        bytes: u64,
    },
    /// The content differs from what was saved.
    Damaged {
        /// The checksum of the content.
        found: String,
        /// The checksum in the metadata.
        expected: String,
    },
    /// The header would exceed the limit for reading.
    Header {
        /// The header's length in bytes.
        bytes: usize,
        /// The length limit.
        max: usize,
    },
    /// The header is not that of a safetensors file.
    Format(String),
    /// A tensor has an unsupported type.
    Type {
        /// The tensor.
        name: String,
        /// The type in the file.
        found: String,
    },
    /// The names of the tensors differ from those of the model or optimiser.
    Names {
        /// Names that are expected but not in the file.
        missing: Vec<String>,
        /// Names that are in the file but not expected.
        unexpected: Vec<String>,
    },
    /// A tensor and the model's tensor differ in shape.
    Shape {
        /// The tensor.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape in the model.
        expected: Shape,
    },
    /// A tensor holds a number that is infinite or NaN, or becomes so in the scalar type of the model.
    NotFinite {
        /// The tensor.
        name: String,
    },
    /// A second moment holds a negative number, although it is a mean of squares.
    Negative {
        /// The tensor.
        name: String,
        /// The number.
        found: f64,
    },
    /// A tensor without elements has extents whose product overflows before its first 0. Readers of the format refuse
    /// it.
    Extents {
        /// The tensor.
        name: String,
        /// The shape.
        found: Shape,
    },
    /// The metadata name another update rule than the optimiser's, or none.
    UpdateRule {
        /// The entry in the metadata.
        found: Option<String>,
        /// The name of the rule.
        expected: &'static str,
    },
    /// The metadata have no valid number of optimiser steps.
    Steps {
        /// The entry in the metadata.
        found: Option<String>,
    },
}

impl CheckpointProblem {
    pub(crate) fn at_path(self, path: &Path) -> CheckpointError {
        CheckpointError { path: path.to_owned(), problem: self }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint {}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for CheckpointProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no such file; check the path, or train first")
            }
            Self::Read(error) => write!(f, "cannot be read: {error}; it should be a file that you may read"),
            Self::Write(error) => write!(
                f,
                "cannot be written: {error}; an earlier file at this path is unchanged; \
                 choose an existing, writable folder with enough free space"
            ),
            Self::Truncated { bytes } => write!(
                f,
                "holds {bytes} bytes, which is not what its header announces; \
                 it was cut off or damaged: copy it again, or take an earlier one"
            ),
            Self::Damaged { found, expected } => write!(
                f,
                "its content has the checksum {found:?}, expected {expected:?} as its metadata say under \"crc32\"; \
                 it was damaged: copy it again, or take an earlier one; if it was changed on purpose, leave \"crc32\" out"
            ),
            Self::Header { bytes, max } => write!(
                f,
                "its header would have {bytes} bytes, expected {max} or fewer; \
                 shorten the metadata, or put what they hold into a file of its own"
            ),
            Self::Format(error) => write!(
                f,
                "is not a safetensors file ({error}); \
                 from PyTorch, write one with safetensors.torch.save_file(model.state_dict(), path)"
            ),
            Self::Type { name, found } => {
                write!(f, "{name} is of type {found}, expected F32 or F64; convert it, or leave it out of the file")
            }
            Self::Names { missing, unexpected } => {
                list(f, "lacks", missing)?;
                f.write_str(if missing.is_empty() || unexpected.is_empty() { "" } else { ", and " })?;
                list(f, "holds the unexpected", unexpected)?;
                write!(f, "; rename the tensors, or build the model or optimiser that the file was saved from")
            }
            Self::Shape { name, found, expected } => write!(
                f,
                "{name} has shape {found:?}, expected {expected}; \
                 build the model with the sizes that the file was saved with"
            ),
            Self::NotFinite { name } => {
                write!(
                    f,
                    "{name} holds a number that is not finite, expected finite numbers only; \
                 continue from an earlier checkpoint"
                )
            }
            Self::Negative { name, found } => write!(
                f,
                "{name} holds the negative number {found}, expected 0 or more, because it is a mean of squares; \
                 continue from an earlier checkpoint, or begin with a new optimiser"
            ),
            Self::Extents { name, found } => write!(
                f,
                "{name} has the shape {found}, whose extents are too large for a safetensors file, although it has no \
                 element; expected a product below 2^{} up to its first 0",
                usize::BITS
            ),
            Self::UpdateRule { found, expected } => {
                match found {
                    Some(found) => write!(f, "its metadata give the optimiser's rule as {found:?}")?,
                    None => write!(f, "its metadata lack the optimiser's rule")?,
                }
                write!(
                    f,
                    ", expected {expected:?} under \"optimizer.rule\"; \
                     build the optimiser that the file was saved from, or begin with a new one"
                )
            }
            Self::Steps { found } => {
                match found {
                    Some(found) => write!(f, "its metadata give the optimiser's steps as {found:?}")?,
                    None => write!(f, "its metadata lack the optimiser's steps")?,
                }
                write!(f, ", expected a whole number below 2^63 under \"optimizer.steps\"; begin with a new optimiser")
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, verb: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() { Ok(()) } else { write!(f, "{verb} {}", names.join(", ")) }
}

impl std::error::Error for CheckpointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            CheckpointProblem::Read(error) | CheckpointProblem::Write(error) => Some(error),
            _ => None,
        }
    }
}
