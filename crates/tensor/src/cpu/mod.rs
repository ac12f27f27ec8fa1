//! The kernels of the host: the reference, the fast kernels, the `f32` kernels of each instruction set, and the choice of the
//! default kernels.
//!
//! Each implementation is a folder. It has one file for each family of kernels, with one function for each method of the trait.

use crate::shape::Shape;
use crate::view::View;

/// Implements [`Kernels`](crate::Kernels) by calling the functions of the sibling modules.
macro_rules! implement_kernels {
    ($kernels:ident, $name:literal) => {
        const _: () = {
            use crate::kernels::{call_function, forward_kernels};
            use crate::{AdamStep, Binary, Form, Kernels, Map, Real, Reduce, View, ViewMut};
            impl<T: Real> Kernels<T> for $kernels {
                fn name(&self) -> &'static str {
                    $name
                }
                forward_kernels! { call_function }
            }
        };
    };
}
pub(crate) use implement_kernels;

/// The row of gx for example `i` of a batch: `rows[i]`, or `i` itself without `rows`.
fn gx_row(rows: Option<View<u32>>, i: usize) -> usize {
    rows.map_or(i, |rows| rows.get(&[i]) as usize)
}

/// # Panics
/// If the rows of `x` are too long for the `u32` indices of `argmax`.
fn assert_indices_fit(x: Shape) {
    let n = x.last_extent();
    assert!(u32::try_from(n).is_ok(), "argmax of {x}: rows of {n} numbers, expected at most {}", u32::MAX);
}

mod dispatch;
mod fast;
mod naive;
mod simd;
mod sum;

#[cfg(feature = "std")]
pub(crate) use simd::multiply_adds;

pub use dispatch::{UnknownKernels, available_kernels, choose_kernels, default_kernels};
pub(crate) use dispatch::{default_for_any, default_for_f32, default_for_f64, host_default_for_f32};

pub use fast::Fast;
pub use naive::Naive;
