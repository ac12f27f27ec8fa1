//! Checkpoints: safetensors files, which Python opens too.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use nn::{Builder, Checkpoint, Linear, Params};
//!
//! let path = std::env::temp_dir().join("gradus-doc.safetensors");
//! let mut params = Params::<f32>::new();
//! Linear::new(&mut Builder::new(&mut params, 1), 3, 2);
//! let about = BTreeMap::from([("width".into(), "3".into())]);
//! nn::save(&path, &params, None, &about)?;
//!
//! let checkpoint = Checkpoint::load(&path)?;
//! assert_eq!(checkpoint.metadata()["width"], "3");
//! checkpoint.load_params(&mut params)?;
//! # std::fs::remove_file(path).ok();
//! # Ok::<(), nn::CheckpointError>(())
//! ```
//!
//! Parameters are under their names, which for our layers are PyTorch's, as are the shapes; an optimiser's moments are
//! flat, under `optimizer.m` and `optimizer.v`, and in the metadata are its rule, under `optimizer.rule`, and its number
//! of steps, under `optimizer.steps`.
//! Also there, under `crc32`, is a checksum of everything else.
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

pub use self::error::{CheckpointError, Problem};
use self::read::{Entry, Header};
use crate::bytes::{Stored, decode};
use crate::files::{Disk, write_whole};
use crate::optim::{MAX_STEPS, Optimizer};
use crate::params::Params;

/// What the names of an optimiser's tensors and metadata begin with, and those of parameters may not.
const OPTIMIZER: &str = "optimizer.";
const STEPS: &str = "optimizer.steps";
const RULE: &str = "optimizer.rule";
const SECOND_MOMENT: &str = "optimizer.v";
/// Where the format has the metadata, beside the tensors.
const METADATA: &str = "__metadata__";

/// Writes parameters, an optimiser's state and metadata, whole or not at all: whatever goes wrong, the file that was
/// there before is still there. This is [`encode`] and then [`write_whole`].
///
/// # Errors
/// If the file cannot be written, or those of [`encode`].
///
/// # Panics
/// If a parameter's name begins with `optimizer.` or is `__metadata__`.
#[track_caller]
pub fn save<T: Stored>(
    path: impl AsRef<Path>,
    params: &Params<T>,
    optimizer: Option<&Optimizer<T>>,
    metadata: &BTreeMap<String, String>,
) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let written = match encode(params, optimizer, metadata) {
        Ok(bytes) => write_whole(&Disk, path, &bytes).map_err(Problem::Write),
        Err(problem) => Err(problem),
    };
    written.map_err(|problem| problem.of(path))
}

/// The bytes of a checkpoint. Its metadata are `metadata`, and under `crc32` a checksum. `f32` is saved as F32 and `f64`
/// as F64, to the bit; the same content gives the same bytes.
///
/// # Errors
/// If a parameter or moment is not finite, a second moment is negative, a tensor without elements has extents whose product
/// overflows, or names, shapes and metadata need more than 1 MiB: such a checkpoint would not load.
///
/// # Panics
/// If a parameter's name begins with `optimizer.` or is `__metadata__`.
#[track_caller]
pub fn encode<T: Stored>(
    params: &Params<T>,
    optimizer: Option<&Optimizer<T>>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Problem> {
    let mut tensors: BTreeMap<_, _> = params.all().map(|p| (params.name(p).to_owned(), params.get(p))).collect();
    for name in tensors.keys() {
        assert!(!name.starts_with(OPTIMIZER), "save: parameter {name} has a name that is kept for the optimiser");
        assert!(name != METADATA, "save: parameter {name} has a name that is kept for the metadata");
    }
    let mut metadata = metadata.clone();
    if let Some(optimizer) = optimizer {
        tensors.extend(optimizer.moments().map(|(name, moment)| (format!("{OPTIMIZER}{name}"), moment.clone())));
        metadata.insert(STEPS.to_owned(), optimizer.steps().to_string());
        metadata.insert(RULE.to_owned(), optimizer.rule().name().to_owned());
    }
    for (name, values) in &tensors {
        let found = values.shape();
        if !has_size(&found) {
            return Err(Problem::Extents { name: name.clone(), found });
        }
        check(name, values)?;
    }
    write::file(&tensors, metadata)
}

/// Whether readers of the format, which multiply from the outermost extent on, find a size.
fn has_size(shape: &[usize]) -> bool {
    shape.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent)).is_some()
}

/// What holds for the numbers of every checkpoint, saved or loaded: they are finite, and second moments not negative.
fn check<T: Real>(name: &str, values: &Tensor<T>) -> Result<(), Problem> {
    let numbers = values.to_vec();
    if !numbers.iter().all(|x| x.is_finite()) {
        return Err(Problem::NotFinite { name: name.to_owned() });
    }
    match numbers.iter().find(|&&x| x < T::zero()).filter(|_| name == SECOND_MOMENT) {
        Some(&found) => Err(Problem::Negative { name: name.to_owned(), found: found.value() }),
        None => Ok(()),
    }
}

/// A checkpoint that has been read, but whose tensors have not been compared with any model.
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
    /// If it is missing, no regular file, cut off, not a safetensors file, damaged, has a header of more than 1 MiB, or
    /// holds numbers other than F32 and F64. Only a file with a checksum is known to be damaged; foreign ones have none.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::decode(path, read::bytes(path).map_err(|problem| problem.of(path))?)
    }

    /// Reads the bytes of a file, which errors call `path`. Beside them it takes memory of some 64 times the size
    /// of their header at most.
    ///
    /// # Errors
    /// As those of [`load`](Self::load).
    pub fn decode(path: impl AsRef<Path>, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let header = read::header(&bytes).map_err(|problem| problem.of(path))?;
        Ok(Self { path: path.to_owned(), bytes, header })
    }

    /// What was saved beside the tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.header.metadata
    }

    /// The names and shapes of all tensors, sorted by name.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.header.tensors.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// Sets all parameters to what the file holds for them.
    ///
    /// # Errors
    /// If a parameter is missing, has another shape or holds a number that is not finite, or if the file holds a
    /// tensor that is neither a parameter nor an optimiser's. Nothing is changed then.
    pub fn load_params<T: Real>(&self, params: &mut Params<T>) -> Result<(), CheckpointError> {
        let expected: Vec<_> = params.all().map(|p| (params.name(p).to_owned(), params.shape(p))).collect();
        let values = self.take(&expected, |name| !name.starts_with(OPTIMIZER))?;
        params.all().zip(&values).for_each(|(param, value)| params.set(param, value));
        Ok(())
    }

    /// Sets an optimiser's moments and number of steps to what the file holds for them. Its hyper-parameters are its own:
    /// like the learning rate, they may differ from those that it was saved with.
    ///
    /// # Errors
    /// If the file holds no optimiser's state, or one of another [rule](crate::Rule::name) or for another model, a number
    /// in it is not finite, a second moment is negative, or the steps are too many to go on from. Nothing is changed then.
    pub fn load_optimizer<T: Real>(&self, optimizer: &mut Optimizer<T>) -> Result<(), CheckpointError> {
        let expected: Vec<_> = optimizer.moments().map(|(name, m)| (format!("{OPTIMIZER}{name}"), m.shape())).collect();
        let (found, rule) = (self.header.metadata.get(RULE), optimizer.rule().name());
        if found.is_none_or(|found| found != rule) {
            return Err(Problem::Rule { found: found.cloned(), expected: rule }.of(&self.path));
        }
        let moments = self.take(&expected, |name| name.starts_with(OPTIMIZER))?;
        let found = self.header.metadata.get(STEPS);
        let steps = found.and_then(|text| text.parse().ok()).filter(|&steps: &u64| steps < MAX_STEPS);
        let steps = steps.ok_or_else(|| Problem::Steps { found: found.cloned() }.of(&self.path))?;
        optimizer.restore(steps, moments);
        Ok(())
    }

    /// The tensors of these names and shapes, which must be all of those in the file that are `ours`.
    fn take<T: Real>(
        &self,
        expected: &[(String, Shape)],
        ours: impl Fn(&str) -> bool,
    ) -> Result<Vec<Tensor<T>>, CheckpointError> {
        let is_expected = |name: &str| expected.iter().any(|(other, _)| other == name);
        let missing = expected.iter().map(|(name, _)| name).filter(|&name| !self.header.tensors.contains_key(name));
        let unexpected = self.header.tensors.keys().filter(|name| ours(name) && !is_expected(name));
        let (missing, unexpected): (Vec<_>, Vec<_>) = (missing.cloned().collect(), unexpected.cloned().collect());
        if !missing.is_empty() || !unexpected.is_empty() {
            return Err(Problem::Names { missing, unexpected }.of(&self.path));
        }
        let tensors = expected.iter().map(|(name, shape)| self.tensor(name, *shape));
        tensors.collect::<Result<_, _>>().map_err(|problem| problem.of(&self.path))
    }

    fn tensor<T: Real>(&self, name: &str, expected: Shape) -> Result<Tensor<T>, Problem> {
        let Entry { shape: found, width, data } = &self.header.tensors[name];
        if found[..] != expected[..] {
            return Err(Problem::Shape { name: name.to_owned(), found: found.clone(), expected });
        }
        let values = Tensor::new(expected, decode(*width, &self.bytes[data.clone()]));
        check(name, &values).map(|()| values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_overflows_before_its_zero_has_no_size() {
        for shape in [&[][..], &[0, usize::MAX], &[0, usize::MAX, usize::MAX], &[usize::MAX, 0], &[usize::MAX, 1]] {
            assert!(has_size(shape), "{shape:?}");
        }
        for shape in [&[usize::MAX, 2, 0][..], &[1 << (usize::BITS / 2), 1 << (usize::BITS / 2)]] {
            assert!(!has_size(shape), "{shape:?}");
        }
    }
}
