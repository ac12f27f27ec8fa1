//! The `f32` kernels of each instruction set.
//!
//! Matrix products and the transcendental functions use the vector operations of [`isa::Isa`]. The other kernels run
//! plain loops over slices, for operands whose rows have no gaps. These loops are compiled once for each instruction
//! set, and the compiler vectorises them. Only sums of products use fused multiply-adds, so all other results have the
//! same bytes on every processor. Operands with gaps, and kernels that take little time, are left to
//! [`Fast`](crate::Fast).
#![allow(unsafe_code)] // the only module with unsafe code, apart from the GPU's

mod elementary;
mod elementwise;
mod entropy;
mod gru;
mod index;
mod isa;
#[cfg(test)]
mod isa_tests;
mod kernels;
mod matmul;
#[cfg(target_arch = "aarch64")]
mod neon;
mod optim;
#[cfg(feature = "std")]
mod peak;
mod portable;
mod reduce;
mod softmax;
#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86;

use crate::kernels::Kernels;
use crate::view::{View, ViewMut};

/// The `f32` kernels for the instruction set `S`.
#[derive(Clone, Copy)]
pub(crate) struct Simd<S>(S);

/// True if all operands are contiguous and none is empty.
fn are_contiguous(read: &[View<f32>], written: &[&ViewMut<f32>]) -> bool {
    let written = written.iter().all(|y| y.is_contiguous() && y.shape().size() > 0);
    written && read.iter().all(|x| x.as_slice().is_some_and(|x| !x.is_empty()))
}

/// Operands of one shape, as rows. The rows of each operand have no gaps, and a constant stride from one to the next.
struct Rows<'a, 'y, const N: usize> {
    /// The operands that are read: the elements from the first row on, and the row stride.
    x: [(&'a [f32], usize); N],
    /// The operand that is written, in the same form.
    y: (&'y mut [f32], usize),
    width: usize,
    count: usize,
}

impl<'a, 'y, const N: usize> Rows<'a, 'y, N> {
    /// Makes the rows along the last axis of y and of each x, which broadcasts to the shape of y. Returns y in the `Err` if an
    /// operand does not have such rows, or y is empty.
    fn from_views(x: [View<'a, f32>; N], y: ViewMut<'y, f32>) -> Result<Self, ViewMut<'y, f32>> {
        let shape = y.shape();
        let x = x.map(|x| x.broadcast_to(shape).rows());
        let (width, size) = (shape.last_extent(), shape.size());
        if size == 0 || y.view().rows().is_none() || x.iter().any(Option::is_none) {
            return Err(y);
        }
        let checked = "the rows were checked above";
        let (x, y) = (x.map(|x| x.expect(checked)), y.into_rows().expect(checked));
        Ok(Self { x, y, width, count: size / width })
    }

    /// Joins all rows into one row, if no operand has gaps between its rows.
    fn flattened(self) -> Self {
        let gaps = self.x.iter().map(|x| x.1).chain([self.y.1]).any(|distance| distance != self.width);
        if gaps { self } else { Self { width: self.width * self.count, count: 1, ..self } }
    }

    /// Calls `f` for each row, with the rows of x and the row of y.
    #[inline(always)]
    fn for_each(mut self, mut f: impl FnMut([&'a [f32]; N], &mut [f32])) {
        (0..self.count).for_each(|i| {
            let (x, y) = self.row(i);
            f(x, y);
        });
    }

    /// Row `i` of each x, and row `i` of y.
    #[inline(always)]
    fn row(&mut self, i: usize) -> ([&'a [f32]; N], &mut [f32]) {
        (self.x.map(|(x, distance)| &x[i * distance..][..self.width]), &mut self.y.0[i * self.y.1..][..self.width])
    }
}

/// The elements of a contiguous view.
fn as_slice(x: View<'_, f32>) -> &[f32] {
    x.as_slice().expect("the view is contiguous")
}

/// The elements of a contiguous view, for writing.
fn as_slice_mut(y: ViewMut<'_, f32>) -> &mut [f32] {
    y.into_slice().expect("the view is contiguous")
}

pub(super) fn portable() -> &'static dyn Kernels<f32> {
    &Simd(portable::Portable)
}

#[cfg(target_arch = "aarch64")]
pub(super) fn neon() -> &'static dyn Kernels<f32> {
    &Simd(neon::Neon)
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
pub(super) use x86::{avx2, avx512};

/// Runs multiply-adds of the fastest instruction set, `steps` in each lane of several vectors. Returns their number, and a sum
/// that depends on all of them.
#[cfg(feature = "std")]
pub(crate) fn multiply_adds(steps: usize) -> (usize, f32) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(kernels) = avx512() {
            return kernels.multiply_adds(steps);
        }
        if let Some(kernels) = avx2() {
            return kernels.multiply_adds(steps);
        }
    }
    #[cfg(target_arch = "aarch64")]
    return Simd(neon::Neon).multiply_adds(steps);
    #[cfg(not(target_arch = "aarch64"))]
    Simd(portable::Portable).multiply_adds(steps)
}
