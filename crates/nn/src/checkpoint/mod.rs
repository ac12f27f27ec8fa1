//! Checkpoints as safetensors files, which Python can open too.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use nn::{Builder, Checkpoint, Linear, Params};
//!
//! let path = std::env::temp_dir().join("gradus-doc.safetensors");
//! let mut params = Params::<f32>::new();
//! Linear::new(&mut Builder::new(&mut params, 1), 3, 2);
//! let metadata = BTreeMap::from([("width".into(), "3".into())]);
//! nn::save_checkpoint(&path, &params, None, &metadata)?;
//!
//! let checkpoint = Checkpoint::load(&path)?;
//! assert_eq!(checkpoint.metadata()["width"], "3");
//! checkpoint.load_params(&mut params)?;
//! # std::fs::remove_file(path).ok();
//! # Ok::<(), nn::CheckpointError>(())
//! ```
//!
//! A file holds:
//!
//! - the parameters under their names; names and shapes of our layers are those of PyTorch;
//! - an optimiser's moments as flat tensors `optimizer.m` and `optimizer.v`;
//! - in the metadata, its update rule as `optimizer.rule` and its number of steps as `optimizer.steps`;
//! - in the metadata, a checksum of everything else as `crc32`.
//!
//! The `state_dict` of a PyTorch model, saved by `safetensors.torch.save_file`, is a checkpoint without optimiser.

mod checksum;
mod error;
mod read;
mod write;

use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::format;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;

use tensor::{Real, Shape, Tensor};

pub use self::error::{CheckpointError, CheckpointProblem};
use self::read::{Entry, Header};
use crate::bytes::{Storable, decode_floats};
use crate::files::{Disk, write_atomic};
use crate::optim::{MAX_STEPS, Optimizer};
use crate::params::Params;

/// The prefix of the names of an optimiser's tensors and metadata. Names of parameters may not begin with it.
const OPTIMIZER_PREFIX: &str = "optimizer.";
const STEPS: &str = "optimizer.steps";
const RULE: &str = "optimizer.rule";
const SECOND_MOMENT: &str = "optimizer.v";
/// The key of the metadata in the header, next to the tensors.
const METADATA: &str = "__metadata__";

/// Writes parameters, an optimiser's state and metadata, whole or not at all. After any failure the old file is still
/// there. This calls [`encode_checkpoint`] and then [`write_atomic`].
///
/// # Errors
/// If the file cannot be written, and all errors of [`encode_checkpoint`].
///
/// # Panics
/// If a parameter's name begins with `optimizer.` or is `__metadata__`.
#[track_caller]
pub fn save_checkpoint<T: Storable>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    optimizer: Option<&Optimizer<T>>,
    metadata: &BTreeMap<String, String>,
) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let written = match encode_checkpoint(params, optimizer, metadata) {
        Ok(bytes) => write_atomic(&Disk, path, &bytes).map_err(CheckpointProblem::Write),
        Err(problem) => Err(problem),
    };
    written.map_err(|problem| problem.at_path(path))
}

/// Encodes a checkpoint as bytes. Its metadata are `metadata` and a checksum under `crc32`. `f32` is saved as F32 and
/// `f64` as F64, bit for bit. The same content gives the same bytes.
///
/// # Errors
/// If the checkpoint would not load: a parameter or moment is not finite, a second moment is negative, a tensor without
/// elements has extents whose product overflows, or names, shapes and metadata need more than 1 MiB.
///
/// # Panics
/// If a parameter's name begins with `optimizer.` or is `__metadata__`.
#[track_caller]
pub fn encode_checkpoint<T: Storable>(
    params: &Params<T>,
    optimizer: Option<&Optimizer<T>>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, CheckpointProblem> {
    let mut tensors: BTreeMap<_, _> = params.handles().map(|p| (params.name(p).to_owned(), params.get(p))).collect();
    for name in tensors.keys() {
        assert!(
            !name.starts_with(OPTIMIZER_PREFIX),
            "save_checkpoint: parameter {name} has a name that is reserved for the optimiser"
        );
        assert!(name != METADATA, "save_checkpoint: parameter {name} has a name that is reserved for the metadata");
    }
    let mut metadata = metadata.clone();
    if let Some(optimizer) = optimizer {
        tensors.extend(optimizer.moments().map(|(name, moment)| (format!("{OPTIMIZER_PREFIX}{name}"), moment.clone())));
        metadata.insert(STEPS.to_owned(), optimizer.steps().to_string());
        metadata.insert(RULE.to_owned(), optimizer.rule().name().to_owned());
    }
    for (name, values) in &tensors {
        let found = values.shape();
        if !has_size(&found) {
            return Err(CheckpointProblem::Extents { name: name.clone(), found });
        }
        check_values(name, values)?;
    }
    write::encode_file(&tensors, metadata)
}

/// Returns true if the product of the extents, multiplied in order as readers of the format do, does not overflow.
fn has_size(shape: &[usize]) -> bool {
    shape.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent)).is_some()
}

/// Checks the numbers of a tensor: they must be finite, and second moments not negative.
fn check_values<T: Real>(name: &str, values: &Tensor<T>) -> Result<(), CheckpointProblem> {
    let numbers = values.to_vec();
    if !numbers.iter().all(|x| x.is_finite()) {
        return Err(CheckpointProblem::NotFinite { name: name.to_owned() });
    }
    match numbers.iter().find(|&&x| x < T::zero()).filter(|_| name == SECOND_MOMENT) {
        Some(&found) => Err(CheckpointProblem::Negative { name: name.to_owned(), found: found.value() }),
        None => Ok(()),
    }
}

/// A checkpoint that has been read. Its tensors have not been compared with any model.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    bytes: Vec<u8>,
    header: Header,
}

impl Checkpoint {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is missing, not a regular file, truncated, not a safetensors file or damaged; if its header exceeds 1 MiB,
    /// or it holds numbers other than F32 and F64. Damage is detected only in files with a checksum; files of other
    /// programs have none.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::decode(path, read::read_file(path).map_err(|problem| problem.at_path(path))?)
    }

    /// Decodes the bytes of a file; errors name `path`. Besides the bytes, decoding needs memory of at most about 64 times
    /// the size of the header.
    ///
    /// # Errors
    /// The errors of [`load`](Self::load).
    pub fn decode(path: impl AsRef<Path>, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let header = read::read_header(&bytes).map_err(|problem| problem.at_path(path))?;
        Ok(Self { path: path.to_owned(), bytes, header })
    }

    /// The metadata of the file.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.header.metadata
    }

    /// The names and shapes of all tensors, sorted by name.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.header.tensors.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// Loads all parameters from the file.
    ///
    /// # Errors
    /// If a parameter is missing, has another shape or holds a number that is not finite. Also if the file holds a tensor
    /// that is neither a parameter nor part of an optimiser's state. The parameters are then unchanged.
    pub fn load_params<T: Real>(&self, params: &mut Params<T>) -> Result<(), CheckpointError> {
        let expected: Vec<_> = params.handles().map(|p| (params.name(p).to_owned(), params.shape(p))).collect();
        let values = self.take_tensors(&expected, |name| !name.starts_with(OPTIMIZER_PREFIX))?;
        params.handles().zip(&values).for_each(|(param, value)| params.set(param, value));
        Ok(())
    }

    /// Loads an optimiser's moments and number of steps. The optimiser keeps its hyper-parameters. They may differ from
    /// those of the saved optimiser, as the learning rate may.
    ///
    /// # Errors
    /// If the file holds no optimiser state, or one of another [rule](crate::UpdateRule::name) or for another model; if
    /// a number in it is not finite, a second moment is negative, or the steps exceed the limit. The optimiser is then
    /// unchanged.
    pub fn load_optimizer<T: Real>(&self, optimizer: &mut Optimizer<T>) -> Result<(), CheckpointError> {
        let expected: Vec<_> =
            optimizer.moments().map(|(name, m)| (format!("{OPTIMIZER_PREFIX}{name}"), m.shape())).collect();
        let (found, rule) = (self.header.metadata.get(RULE), optimizer.rule().name());
        if found.is_none_or(|found| found != rule) {
            return Err(CheckpointProblem::UpdateRule { found: found.cloned(), expected: rule }.at_path(&self.path));
        }
        let moments = self.take_tensors(&expected, |name| name.starts_with(OPTIMIZER_PREFIX))?;
        let found = self.header.metadata.get(STEPS);
        let steps = found.and_then(|text| text.parse().ok()).filter(|&steps: &u64| steps < MAX_STEPS);
        let steps = steps.ok_or_else(|| CheckpointProblem::Steps { found: found.cloned() }.at_path(&self.path))?;
        optimizer.restore(steps, moments);
        Ok(())
    }

    /// Reads the tensors of these names and shapes. The file must hold no other tensor whose name satisfies `is_ours`.
    fn take_tensors<T: Real>(
        &self,
        expected: &[(String, Shape)],
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<Vec<Tensor<T>>, CheckpointError> {
        let is_expected = |name: &str| expected.iter().any(|(other, _)| other == name);
        let missing = expected.iter().map(|(name, _)| name).filter(|&name| !self.header.tensors.contains_key(name));
        let unexpected = self.header.tensors.keys().filter(|name| is_ours(name) && !is_expected(name));
        let (missing, unexpected): (Vec<_>, Vec<_>) = (missing.cloned().collect(), unexpected.cloned().collect());
        if !missing.is_empty() || !unexpected.is_empty() {
            return Err(CheckpointProblem::Names { missing, unexpected }.at_path(&self.path));
        }
        let tensors = expected.iter().map(|(name, shape)| self.tensor(name, *shape));
        tensors.collect::<Result<_, _>>().map_err(|problem| problem.at_path(&self.path))
    }

    fn tensor<T: Real>(&self, name: &str, expected: Shape) -> Result<Tensor<T>, CheckpointProblem> {
        let Entry { shape: found, width, data } = &self.header.tensors[name];
        if found[..] != expected[..] {
            return Err(CheckpointProblem::Shape { name: name.to_owned(), found: found.clone(), expected });
        }
        let values = Tensor::new(expected, decode_floats(*width, &self.bytes[data.clone()]));
        check_values(name, &values).map(|()| values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_size_product_that_overflows_before_its_zero_is_false() {
        for shape in [&[][..], &[0, usize::MAX], &[0, usize::MAX, usize::MAX], &[usize::MAX, 0], &[usize::MAX, 1]] {
            assert!(has_size(shape), "{shape:?}");
        }
        for shape in [&[usize::MAX, 2, 0][..], &[1 << (usize::BITS / 2), 1 << (usize::BITS / 2)]] {
            assert!(!has_size(shape), "{shape:?}");
        }
    }
}
