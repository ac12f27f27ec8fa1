//! Which kernels run, of those that are there.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Fast, Naive, simd};
use crate::cuda::CudaError;
use crate::device::Device;
use crate::kernels::Kernels;
use crate::real::Real;

type Set = fn() -> Option<&'static dyn Kernels<f32>>;

/// From the plainest to the fastest; one that this processor cannot run is not there.
const SETS: &[Set] = &[
    || Some(&Naive),
    || Some(simd::portable()),
    #[cfg(target_arch = "aarch64")]
    || Some(simd::neon()),
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    || simd::avx2().map(|kernels| kernels as _),
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    || simd::avx512().map(|kernels| kernels as _),
];

/// A set of this processor, by its place in [`SETS`], or a GPU, by its number.
#[derive(Clone, Copy)]
enum Choice {
    Set(usize),
    Gpu(usize),
}

impl Choice {
    fn code(self) -> usize {
        match self {
            Self::Set(place) => 1 + place,
            Self::Gpu(ordinal) => 1 + SETS.len() + ordinal,
        }
    }

    fn of(code: usize) -> Self {
        let place = code - 1;
        if place < SETS.len() { Self::Set(place) } else { Self::Gpu(place - SETS.len()) }
    }
}

/// The code of a [`Choice`]; 0 until somebody chooses or asks.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// The environment variable that chooses.
#[cfg(feature = "std")]
const VARIABLE: &str = "GRADUS_KERNELS";

fn named(name: &str) -> Result<Choice, UnknownKernels> {
    let unknown = |cuda| UnknownKernels { name: name.into(), cuda };
    if let Some(ordinal) = gpu(name) {
        return Device::cuda(ordinal).map(|_| Choice::Gpu(ordinal)).map_err(|error| unknown(Some(error)));
    }
    let place = SETS.iter().position(|set| set().is_some_and(|kernels| kernels.name() == name));
    place.map(Choice::Set).ok_or_else(|| unknown(None))
}

/// The number of the GPU that a name means: `cuda` is the first, `cuda:1` the second.
fn gpu(name: &str) -> Option<usize> {
    match name.strip_prefix("cuda")? {
        "" => Some(0),
        rest => rest.strip_prefix(':')?.parse().ok().filter(|&ordinal| ordinal < 1 << 16),
    }
}

/// The fastest for this processor.
fn fastest() -> usize {
    SETS.iter().rposition(|set| set().is_some()).expect("the reference is always there")
}

/// The environment's choice, or else the fastest. An empty variable chooses nothing.
fn first() -> Result<Choice, UnknownKernels> {
    #[cfg(feature = "std")]
    if let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        return named(&name.to_string_lossy());
    }
    Ok(Choice::Set(fastest()))
}

fn chosen() -> Result<Choice, UnknownKernels> {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => {
            let choice = first()?.code();
            // Whoever chose meanwhile is right; where two only asked, both found the same.
            let _ = CHOSEN.compare_exchange(0, choice, Ordering::Relaxed, Ordering::Relaxed);
            Ok(Choice::of(CHOSEN.load(Ordering::Relaxed)))
        }
        code => Ok(Choice::of(code)),
    }
}

fn set(place: usize) -> &'static dyn Kernels<f32> {
    SETS[place]().expect("it was there when it was chosen")
}

/// Those of a GPU that is open already.
fn of_gpu<T: Real>(ordinal: usize) -> &'static dyn Kernels<T> {
    Device::cuda(ordinal).and_then(Device::kernels).expect("it was open when it was chosen")
}

/// The kernels for `f32` that this processor can run, from the plainest to the fastest: `reference`, `portable`, and
/// `neon`, `avx2` or `avx512`.
///
/// `portable` gives the same bytes on every processor: nothing is fused, and every order is fixed.
pub fn available_kernels() -> Vec<&'static dyn Kernels<f32>> {
    SETS.iter().filter_map(|set| set()).collect()
}

/// The kernels that run where nobody asks for others: by the last [`choose_kernels`], by the environment variable
/// `GRADUS_KERNELS`, or the fastest of this processor.
///
/// # Errors
/// If the environment names kernels that are not there.
pub fn default_kernels() -> Result<&'static dyn Kernels<f32>, UnknownKernels> {
    chosen().map(|choice| match choice {
        Choice::Set(place) => set(place),
        Choice::Gpu(ordinal) => of_gpu(ordinal),
    })
}

/// Makes the kernels of this name the ones that run from now on; what was made before, such as a tape, keeps its own.
/// Of other scalars than `f32`, `reference` chooses [`Naive`], and every other name [`Fast`].
///
/// `cuda` chooses the first GPU, and `cuda:1` the second, for `f32` and `f64`; duals, which GPUs do not have, stay on the host.
///
/// # Errors
/// If this processor has none of that name, or there is no such GPU; then the error's source is a [`CudaError`].
///
/// ```
/// tensor::choose_kernels("portable")?;
/// assert_eq!(<f32 as tensor::Real>::kernels().name(), "portable");
/// # Ok::<(), tensor::UnknownKernels>(())
/// ```
pub fn choose_kernels(name: &str) -> Result<(), UnknownKernels> {
    CHOSEN.store(named(name)?.code(), Ordering::Relaxed);
    Ok(())
}

/// [`default_kernels`], for callers who have no use for an error.
#[track_caller]
pub(crate) fn for_f32() -> &'static dyn Kernels<f32> {
    or_panic(default_kernels())
}

/// The same on the host: where a GPU is chosen, the fastest.
#[track_caller]
pub(crate) fn host_for_f32() -> &'static dyn Kernels<f32> {
    match or_panic(chosen()) {
        Choice::Set(place) => set(place),
        Choice::Gpu(_) => set(fastest()),
    }
}

#[track_caller]
pub(crate) fn for_f64() -> &'static dyn Kernels<f64> {
    match or_panic(chosen()) {
        Choice::Set(_) => for_any(),
        Choice::Gpu(ordinal) => of_gpu(ordinal),
    }
}

/// What runs on the host for scalars that have no kernels of their own.
#[track_caller]
pub(crate) fn for_any<T: Real>() -> &'static dyn Kernels<T> {
    match or_panic(chosen()) {
        Choice::Set(0) => &Naive,
        _ => &Fast,
    }
}

#[track_caller]
fn or_panic<R>(result: Result<R, UnknownKernels>) -> R {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Kernels that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKernels {
    name: String,
    /// Of a GPU.
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
        write!(f, ", or leave {VARIABLE} unset for the last")?;
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
    fn the_plainest_come_first_and_names_are_found() {
        let names: Vec<&str> = available_kernels().iter().map(|kernels| kernels.name()).collect();
        assert_eq!(names[..2], ["reference", "portable"]);
        assert!(names.iter().all(|name| named(name).is_ok()));
    }

    #[test]
    fn a_gpu_is_named_by_its_number() {
        assert_eq!(["cuda", "cuda:0", "cuda:12"].map(gpu), [Some(0), Some(0), Some(12)]);
        assert!(["cuda:", "cuda:x", "cuda1", "cuda:-1", "cuda:99999999", "cpu"].map(gpu).iter().all(Option::is_none));
    }

    #[test]
    fn an_unknown_name_is_said_with_those_that_are_there() {
        let error = choose_kernels("mmx").expect_err("there are none of that name").to_string();
        assert!(
            error.starts_with("there are no kernels 'mmx' for this processor; choose one of reference, portable"),
            "{error}"
        );
    }
}
