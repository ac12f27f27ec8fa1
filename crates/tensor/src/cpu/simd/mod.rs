//! The kernels for `f32`, once for each instruction set.
//!
//! Matrix products and the transcendental functions are written by hand, over the few operations of [`isa::Isa`]. Other
//! work whose rows lie without gaps runs over slices, in loops that are compiled again for each instruction set, which compilers
//! vectorise. Nothing is fused but in products, so that all else gives the same bytes everywhere. What has gaps, and what
//! costs nothing, is left to [`Fast`](crate::Fast).
#![allow(unsafe_code)] // here alone

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

/// The kernels for `f32` by the instruction set `S`.
#[derive(Clone, Copy)]
pub(crate) struct Simd<S>(S);

/// Whether all of these lie without gaps, and have elements.
fn packed(read: &[View<f32>], written: &[&ViewMut<f32>]) -> bool {
    let written = written.iter().all(|y| y.is_contiguous() && y.shape().size() > 0);
    written && read.iter().all(|x| x.as_slice().is_some_and(|x| !x.is_empty()))
}

/// Operands of one shape, row by row: the rows of each lie without gaps, equally far apart.
struct Rows<'a, 'y, const N: usize> {
    /// What is read: from the first row on, and the distance to the next.
    x: [(&'a [f32], usize); N],
    /// What is written.
    y: (&'y mut [f32], usize),
    width: usize,
    count: usize,
}

impl<'a, 'y, const N: usize> Rows<'a, 'y, N> {
    /// Those along the last axis of y and of x, each repeated to y's shape. Gives y back where the rows of some lie otherwise,
    /// or have no elements.
    fn of(x: [View<'a, f32>; N], y: ViewMut<'y, f32>) -> Result<Self, ViewMut<'y, f32>> {
        let shape = y.shape();
        let x = x.map(|x| x.broadcast_to(shape).rows());
        let (width, size) = (shape.last_extent(), shape.size());
        if size == 0 || y.view().rows().is_none() || x.iter().any(Option::is_none) {
            return Err(y);
        }
        let looked_at = "they have been looked at";
        let (x, y) = (x.map(|x| x.expect(looked_at)), y.into_rows().expect(looked_at));
        Ok(Self { x, y, width, count: size / width })
    }

    /// The same elements in one row, where none have gaps.
    fn in_one(self) -> Self {
        let gaps = self.x.iter().map(|x| x.1).chain([self.y.1]).any(|distance| distance != self.width);
        if gaps { self } else { Self { width: self.width * self.count, count: 1, ..self } }
    }

    /// Calls `f` with the rows of x, and that of y.
    #[inline(always)]
    fn each(mut self, mut f: impl FnMut([&'a [f32]; N], &mut [f32])) {
        (0..self.count).for_each(|i| {
            let (x, y) = self.row(i);
            f(x, y);
        });
    }

    /// The `i`th row of each of x, and that of y.
    #[inline(always)]
    fn row(&mut self, i: usize) -> ([&'a [f32]; N], &mut [f32]) {
        (self.x.map(|(x, distance)| &x[i * distance..][..self.width]), &mut self.y.0[i * self.y.1..][..self.width])
    }
}

/// The elements of something packed.
fn all(x: View<'_, f32>) -> &[f32] {
    x.as_slice().expect("it is packed")
}

/// The elements of something packed, to write them.
fn all_mut(y: ViewMut<'_, f32>) -> &mut [f32] {
    y.into_slice().expect("it is packed")
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

/// Multiply-adds of the fastest instruction set, `steps` in each lane of some vectors: how many, and a sum that needs them.
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
