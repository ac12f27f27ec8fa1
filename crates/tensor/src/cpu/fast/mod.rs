//! The fast kernels for the host.
//!
//! What they do is what [`Naive`](crate::Naive) does. How they depart from it:
//! 1. Elementwise work runs over `ndarray`'s `Zip`, which walks contiguous operands as flat slices, one compiled loop
//!    per function.
//! 2. Matrix products go to `matrixmultiply` (through `ndarray`), which packs and uses the machine's vector units.
//! 3. Row-wise work takes each row as a slice.

pub(super) mod elementwise;
pub(super) mod gru;
pub(super) mod index;
pub(super) mod matmul;
pub(super) mod norm;
pub(super) mod optim;
pub(super) mod reduce;
pub(super) mod softmax;

use alloc::borrow::Cow;

use ndarray::{ArrayView1, ArrayViewMut1};

use crate::real::Real;

/// The fast kernels for the host, for every scalar. For `f32` there are faster ones: see
/// [`available_kernels`](crate::available_kernels).
#[derive(Clone, Copy, Debug, Default)]
pub struct Fast;

crate::cpu::implement_kernels!(Fast, "fast");

/// A row to read as a slice: itself where it has no gaps, else a copy.
fn row<'a, T: Real>(x: ArrayView1<'a, T>) -> Cow<'a, [T]> {
    match x.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// A row to change as a slice: itself where it has no gaps, else a copy that is written back.
fn with_row<T: Real>(mut y: ArrayViewMut1<T>, f: impl FnOnce(&mut [T])) {
    if let Some(slice) = y.as_slice_mut() {
        return f(slice);
    }
    let mut copy: alloc::vec::Vec<T> = y.iter().copied().collect();
    f(&mut copy);
    y.iter_mut().zip(copy).for_each(|(y, value)| *y = value);
}
