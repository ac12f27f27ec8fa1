//! What can be wrong with a checkpoint.

use std::borrow::ToOwned;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use tensor::Shape;

/// A file, and what is wrong with it.
#[derive(Debug)]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a checkpoint.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read.
    Read(io::Error),
    /// It cannot be written.
    Write(io::Error),
    /// Its length is not the one that its header announces.
    Truncated {
        /// The length in bytes.
        bytes: u64,
    },
    /// Its content is not what was saved.
    Damaged {
        /// The checksum of its content.
        found: String,
        /// What its metadata give as the checksum.
        expected: String,
    },
    /// Its header would be longer than those that are read.
    Header {
        /// The header's length in bytes.
        bytes: usize,
        /// The length limit.
        most: usize,
    },
    /// Its header is not that of a safetensors file.
    Format(String),
    /// A tensor is of a type that is not read.
    Type {
        /// The tensor.
        name: String,
        /// Its type in the file.
        found: String,
    },
    /// The names are not those of the model or optimiser.
    Names {
        /// Expected, but not in the file.
        missing: Vec<String>,
        /// In the file, but not expected.
        unexpected: Vec<String>,
    },
    /// A tensor has another shape than the model has.
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the model.
        expected: Shape,
    },
    /// A tensor holds a number that is infinite or NaN, at least in the scalar type it is loaded as.
    NotFinite {
        /// The tensor.
        name: String,
    },
    /// A second moment, which is a mean of squares, holds a negative number.
    Negative {
        /// The tensor.
        name: String,
        /// The number.
        found: f64,
    },
    /// A tensor without elements has extents whose product, from the outermost on, overflows: the format's readers refuse it.
    Extents {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Shape,
    },
    /// The metadata do not name the optimiser's rule.
    Rule {
        /// What they say.
        found: Option<String>,
        /// The name of the rule.
        expected: &'static str,
    },
    /// The metadata do not say how many steps the optimiser has taken.
    Steps {
        /// What they say.
        found: Option<String>,
    },
}

impl Problem {
    pub(crate) fn of(self, path: &Path) -> CheckpointError {
        CheckpointError { path: path.to_owned(), problem: self }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint {}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no such file; check the path, or train first")
            }
            Self::Read(error) => write!(f, "cannot be read: {error}; it should be a file that you may read"),
            Self::Write(error) => write!(
                f,
                "cannot be written: {error}; a file that was there before is still whole; \
                 choose a folder that exists, that you may write to, and that has room"
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
            Self::Header { bytes, most } => write!(
                f,
                "its header would have {bytes} bytes, expected {most} or fewer; \
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
                 go on from an earlier checkpoint"
                )
            }
            Self::Negative { name, found } => write!(
                f,
                "{name} holds the negative number {found}, expected numbers from 0, as means of squares are; \
                 go on from an earlier checkpoint, or begin with a new optimiser"
            ),
            Self::Extents { name, found } => write!(
                f,
                "{name} has the shape {found}, whose extents are too large for a safetensors file, although it has no \
                 element; expected a product below 2^{} up to its first 0",
                usize::BITS
            ),
            Self::Rule { found, expected } => {
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
            Problem::Read(error) | Problem::Write(error) => Some(error),
            _ => None,
        }
    }
}
