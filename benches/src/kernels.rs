//! The kernel sets that the benchmarks compare.

use tensor::{Fast, Kernels, available_kernels};

/// Returns the kernel sets for `f32` that this machine can run, from the plainest to the fastest.
///
/// The first is the reference. The second is [`Fast`], which exists for every scalar type.
pub fn kernels() -> Vec<&'static dyn Kernels<f32>> {
    let mut all = available_kernels();
    all.insert(1, &Fast);
    all
}
