//! Which kernels run, of those that are there.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Fast, Naive, simd};
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

/// One more than the place in [`SETS`]; 0 until somebody chooses or asks.
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// The environment variable that chooses.
#[cfg(feature = "std")]
const VARIABLE: &str = "GRADUS_KERNELS";

fn named(name: &str) -> Result<usize, UnknownKernels> {
    let place = SETS.iter().position(|set| set().is_some_and(|kernels| kernels.name() == name));
    place.ok_or_else(|| UnknownKernels { name: name.into() })
}

/// The environment's choice, or else the fastest.
fn first() -> Result<usize, UnknownKernels> {
    #[cfg(feature = "std")]
    if let Some(name) = std::env::var_os(VARIABLE) {
        return named(&name.to_string_lossy());
    }
    Ok(SETS.iter().rposition(|set| set().is_some()).expect("the reference is always there"))
}

fn chosen() -> Result<usize, UnknownKernels> {
    match CHOSEN.load(Ordering::Relaxed) {
        0 => {
            let place = first()?;
            // Whoever chose meanwhile is right; where two only asked, both found the same.
            let _ = CHOSEN.compare_exchange(0, place + 1, Ordering::Relaxed, Ordering::Relaxed);
            Ok(CHOSEN.load(Ordering::Relaxed) - 1)
        }
        place => Ok(place - 1),
    }
}

/// The kernels for `f32` that this processor can run, from the plainest to the fastest: `reference`, `portable`, and
/// `neon`, `avx2` or `avx512`.
///
/// `portable` gives the same bytes on every processor: nothing is fused, and every order is fixed.
pub fn available_kernels() -> Vec<&'static dyn Kernels<f32>> {
    SETS.iter().filter_map(|set| set()).collect()
}

/// The kernels that run where nobody asks for others: by the last [`choose_kernels`], by the environment variable
/// `GRADUS_KERNELS`, or the fastest.
///
/// # Errors
/// If the environment names kernels that are not there.
pub fn default_kernels() -> Result<&'static dyn Kernels<f32>, UnknownKernels> {
    chosen().map(|place| SETS[place]().expect("it was there when it was chosen"))
}

/// Makes the kernels of this name the ones that run from now on; what was made before, such as a tape, keeps its own.
/// Of other scalars than `f32`, `reference` chooses [`Naive`], and every other name [`Fast`].
///
/// # Errors
/// If this processor has none of that name.
///
/// ```
/// tensor::choose_kernels("portable")?;
/// assert_eq!(<f32 as tensor::Real>::kernels().name(), "portable");
/// # Ok::<(), tensor::UnknownKernels>(())
/// ```
pub fn choose_kernels(name: &str) -> Result<(), UnknownKernels> {
    CHOSEN.store(named(name)? + 1, Ordering::Relaxed);
    Ok(())
}

/// [`default_kernels`], for callers who have no use for an error.
#[track_caller]
pub(crate) fn for_f32() -> &'static dyn Kernels<f32> {
    default_kernels().unwrap_or_else(|error| panic!("{error}"))
}

/// What runs for scalars that have no kernels of their own.
#[track_caller]
pub(crate) fn for_any<T: Real>() -> &'static dyn Kernels<T> {
    match chosen() {
        Ok(0) => &Naive,
        Ok(_) => &Fast,
        Err(error) => panic!("{error}"),
    }
}

/// Kernels that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKernels {
    name: String,
}

impl fmt::Display for UnknownKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = available_kernels().iter().map(|kernels| kernels.name()).collect();
        write!(f, "there are no kernels '{}' for this processor; choose one of {}", self.name, names.join(", "))?;
        #[cfg(feature = "std")]
        write!(f, ", or leave {VARIABLE} unset for the last")?;
        Ok(())
    }
}

impl core::error::Error for UnknownKernels {}

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
    fn an_unknown_name_is_said_with_those_that_are_there() {
        let error = choose_kernels("mmx").expect_err("there are none of that name").to_string();
        assert!(
            error.starts_with("there are no kernels 'mmx' for this processor; choose one of reference, portable"),
            "{error}"
        );
    }
}
