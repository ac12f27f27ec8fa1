//! Which kernels are compared.

use tensor::{Fast, Kernels, available_kernels};

/// The sets of kernels for `f32` that this machine can run, from the plainest to the fastest, with those that every scalar
/// has after the first. The first is the reference.
pub fn kernels() -> Vec<&'static dyn Kernels<f32>> {
    let mut all = available_kernels();
    all.insert(1, &Fast);
    all
}
