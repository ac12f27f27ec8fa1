//! Kernels for the host: the reference, the fast ones, and for `f32` those of each instruction set; and which of them run.
//!
//! Each is a folder with one file for each family of kernels, and one function in it for each method of the trait.

use crate::shape::Shape;
use crate::view::View;

/// Implements [`Kernels`](crate::Kernels) by the functions of the modules beside it.
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

/// The row that the `i`th example of a batch has.
fn row_of(rows: Option<View<u32>>, i: usize) -> usize {
    rows.map_or(i, |rows| rows.at(&[i]) as usize)
}

/// # Panics
/// If a row is too long for the `u32` that `argmax` gives.
fn assert_indices_fit(x: Shape) {
    let n = x.last_extent();
    assert!(u32::try_from(n).is_ok(), "argmax of {x}: rows of {n} numbers, expected at most {}", u32::MAX);
}

mod choice;
mod fast;
mod naive;
mod simd;
mod sum;

#[cfg(feature = "std")]
pub(crate) use simd::multiply_adds;

pub use choice::{UnknownKernels, available_kernels, choose_kernels, default_kernels};
pub(crate) use choice::{for_any, for_f32, for_f64, host_for_f32};

pub use fast::Fast;
pub use naive::Naive;
