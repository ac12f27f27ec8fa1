//! The fast kernels of the host, for every scalar type.
//!
//! They compute the same as [`Naive`](crate::Naive), and differ in three ways:
//! 1. Elementwise kernels use `Zip` of `ndarray`, which treats contiguous operands as flat slices. Each function has a compiled
//!    loop of its own.
//! 2. Matrix products use `matrixmultiply` (through `ndarray`), which packs the operands and uses the CPU's vector units.
//! 3. Row-wise kernels process each row as a slice.

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

/// The fast kernels of the host, for every scalar type. [`available_kernels`](crate::available_kernels) lists faster kernels
/// for `f32`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fast;

crate::cpu::implement_kernels!(Fast, "fast");

/// A row as a slice: the row itself if it has no gaps, else a copy.
fn row<'a, T: Real>(x: ArrayView1<'a, T>) -> Cow<'a, [T]> {
    match x.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// Calls `f` with a row as a mutable slice: the row itself if it has no gaps, else a copy that is then written back.
fn with_row<T: Real>(mut y: ArrayViewMut1<T>, f: impl FnOnce(&mut [T])) {
    if let Some(slice) = y.as_slice_mut() {
        return f(slice);
    }
    let mut copy: alloc::vec::Vec<T> = y.iter().copied().collect();
    f(&mut copy);
    y.iter_mut().zip(copy).for_each(|(y, value)| *y = value);
}
