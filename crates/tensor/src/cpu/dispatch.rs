//! The choice of the default kernels, among those that this processor and the GPUs support.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Fast, Naive, simd};
use crate::cuda::CudaError;
use crate::device::Device;
use crate::kernels::Kernels;
use crate::real::Real;

type KernelSet = fn() -> Option<&'static dyn Kernels<f32>>;

/// The kernel sets, from the simplest to the fastest. A set that this processor does not support gives `None`.
const SETS: &[KernelSet] = &[
    || Some(&Naive),
    || Some(simd::portable()),
    #[cfg(target_arch = "aarch64")]
    || Some(simd::neon()),
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    || simd::avx2().map(|kernels| kernels as _),
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    || simd::avx512().map(|kernels| kernels as _),
];

/// A kernel set of this processor, by its index in [`SETS`], or a GPU, by its number.
#[derive(Clone, Copy)]
enum Choice {
    Set(usize),
    Gpu(usize),
}

impl Choice {
    fn to_code(self) -> usize {
        match self {
            Self::Set(index) => 1 + index,
            Self::Gpu(ordinal) => 1 + SETS.len() + ordinal,
        }
    }

    fn from_code(code: usize) -> Self {
        let index = code - 1;
        if index < SETS.len() { Self::Set(index) } else { Self::Gpu(index - SETS.len()) }
    }
}

/// The code of the current [`Choice`]; 0 until the first call that chooses or needs the default kernels.
static CURRENT: AtomicUsize = AtomicUsize::new(0);

/// The environment variable that names the default kernels.
#[cfg(feature = "std")]
const VARIABLE: &str = "GRADUS_KERNELS";

fn find_choice(name: &str) -> Result<Choice, UnknownKernels> {
    let unknown = |cuda| UnknownKernels { name: name.into(), cuda };
    if let Some(ordinal) = parse_gpu(name) {
        return Device::cuda(ordinal).map(|_| Choice::Gpu(ordinal)).map_err(|error| unknown(Some(error)));
    }
    let index = SETS.iter().position(|set| set().is_some_and(|kernels| kernels.name() == name));
    index.map(Choice::Set).ok_or_else(|| unknown(None))
}

/// Parses the name of a GPU to its number: `cuda` is the first GPU, `cuda:1` the second.
fn parse_gpu(name: &str) -> Option<usize> {
    match name.strip_prefix("cuda")? {
        "" => Some(0),
        rest => rest.strip_prefix(':')?.parse().ok().filter(|&ordinal| ordinal < 1 << 16),
    }
}

/// The index of the fastest set that this processor supports.
fn fastest_set() -> usize {
    SETS.iter().rposition(|set| set().is_some()).expect("every processor supports the reference")
}

/// The initial choice: the kernels that the environment variable names, or the fastest set if it is unset or empty.
fn initial_choice() -> Result<Choice, UnknownKernels> {
    #[cfg(feature = "std")]
    if let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        return find_choice(&name.to_string_lossy());
    }
    Ok(Choice::Set(fastest_set()))
}

fn current_choice() -> Result<Choice, UnknownKernels> {
    match CURRENT.load(Ordering::Relaxed) {
        0 => {
            let choice = initial_choice()?.to_code();
            // If another thread has called `choose_kernels` meanwhile, its choice stays. Two initial choices are equal.
            let _ = CURRENT.compare_exchange(0, choice, Ordering::Relaxed, Ordering::Relaxed);
            Ok(Choice::from_code(CURRENT.load(Ordering::Relaxed)))
        }
        code => Ok(Choice::from_code(code)),
    }
}

fn host_kernels(index: usize) -> &'static dyn Kernels<f32> {
    SETS[index]().expect("the processor supported this set when it was chosen")
}

/// The kernels of a GPU that is open already.
fn gpu_kernels<T: Real>(ordinal: usize) -> &'static dyn Kernels<T> {
    Device::cuda(ordinal).and_then(Device::kernels).expect("the GPU was open when it was chosen")
}

/// The `f32` kernels that this processor supports, from the simplest to the fastest: `reference`, `portable`, and `neon`,
/// `avx2` or `avx512`.
///
/// `portable` gives the same bytes on every processor, because it has no fused multiply-adds and a fixed order of operations.
pub fn available_kernels() -> Vec<&'static dyn Kernels<f32>> {
    SETS.iter().filter_map(|set| set()).collect()
}

/// The default kernels: those of the last [`choose_kernels`], else those that the environment variable `GRADUS_KERNELS` names,
/// else the fastest kernels of this processor.
///
/// # Errors
/// If the environment variable names unknown kernels.
pub fn default_kernels() -> Result<&'static dyn Kernels<f32>, UnknownKernels> {
    current_choice().map(|choice| match choice {
        Choice::Set(index) => host_kernels(index),
        Choice::Gpu(ordinal) => gpu_kernels(ordinal),
    })
}

/// Makes the kernels of this name the default from now on. Objects that exist already, such as a tape, keep their kernels. For
/// scalars other than `f32`, `reference` selects [`Naive`], and every other name selects [`Fast`].
///
/// `cuda` selects the first GPU, and `cuda:1` the second, for `f32` and `f64`. Dual numbers stay on the host, because GPUs do
/// not support them.
///
/// # Errors
/// If this processor has no kernels of that name, or the GPU does not open. In the second case the source of the error is a
/// [`CudaError`].
///
/// ```
/// tensor::choose_kernels("portable")?;
/// assert_eq!(<f32 as tensor::Real>::kernels().name(), "portable");
/// # Ok::<(), tensor::UnknownKernels>(())
/// ```
pub fn choose_kernels(name: &str) -> Result<(), UnknownKernels> {
    CURRENT.store(find_choice(name)?.to_code(), Ordering::Relaxed);
    Ok(())
}

/// Does the same as [`default_kernels`], and panics on an error.
#[track_caller]
pub(crate) fn default_for_f32() -> &'static dyn Kernels<f32> {
    or_panic(default_kernels())
}

/// The default kernels of the host: if a GPU is chosen, the fastest of this processor.
#[track_caller]
pub(crate) fn host_default_for_f32() -> &'static dyn Kernels<f32> {
    match or_panic(current_choice()) {
        Choice::Set(index) => host_kernels(index),
        Choice::Gpu(_) => host_kernels(fastest_set()),
    }
}

#[track_caller]
pub(crate) fn default_for_f64() -> &'static dyn Kernels<f64> {
    match or_panic(current_choice()) {
        Choice::Set(_) => default_for_any(),
        Choice::Gpu(ordinal) => gpu_kernels(ordinal),
    }
}

/// The default kernels of the host for scalars without specialised kernels.
#[track_caller]
pub(crate) fn default_for_any<T: Real>() -> &'static dyn Kernels<T> {
    match or_panic(current_choice()) {
        Choice::Set(0) => &Naive,
        _ => &Fast,
    }
}

#[track_caller]
fn or_panic<R>(result: Result<R, UnknownKernels>) -> R {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// The error for a name of kernels that this machine does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKernels {
    name: String,
    /// The reason, if the name is that of a GPU.
    cuda: Option<CudaError>,
}

impl fmt::Display for UnknownKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.cuda {
            return write!(f, "there are no kernels '{}': {error}", self.name);
        }
        let names: Vec<&str> = available_kernels().iter().map(|kernels| kernels.name()).collect();
        write!(f, "there are no kernels '{}' for this processor; choose one of {}", self.name, names.join(", "))?;
        #[cfg(feature = "std")]
        write!(f, ", or unset {VARIABLE} to use the last")?;
        Ok(())
    }
}

impl core::error::Error for UnknownKernels {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.cuda.as_ref().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn available_kernels_start_with_the_reference_and_can_be_found_by_name() {
        let names: Vec<&str> = available_kernels().iter().map(|kernels| kernels.name()).collect();
        assert_eq!(names[..2], ["reference", "portable"]);
        assert!(names.iter().all(|name| find_choice(name).is_ok()));
    }

    #[test]
    fn parse_gpu_name_gives_its_number_or_none() {
        assert_eq!(["cuda", "cuda:0", "cuda:12"].map(parse_gpu), [Some(0), Some(0), Some(12)]);
        let others = ["cuda:", "cuda:x", "cuda1", "cuda:-1", "cuda:99999999", "cpu"];
        assert!(others.map(parse_gpu).iter().all(Option::is_none));
    }

    #[test]
    fn choose_kernels_unknown_name_lists_the_available_ones() {
        let error = choose_kernels("mmx").expect_err("no kernels have that name").to_string();
        assert!(
            error.starts_with("there are no kernels 'mmx' for this processor; choose one of reference, portable"),
            "{error}"
        );
    }
}
