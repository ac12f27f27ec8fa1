//! Vectors as arrays, for any processor. The compiler maps them to the vectors of the target.
//!
//! Every product and sum is rounded on its own, in a fixed order, so every processor gives the same bytes.

use crate::elementary;

use super::isa::Isa;
use super::matmul::{Product, matmul_tiles};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 8;

impl Isa for Portable {
    const NAME: &'static str = "portable";
    const LANES: usize = LANES;
    const ACCUMULATORS: usize = 6;
    type V = [f32; LANES];
    type Mask = usize;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    fn min(self, x: Self::V, limit: f32) -> Self::V {
        core::array::from_fn(|i| if x[i] > limit { limit } else { x[i] })
    }
    #[inline(always)]
    fn max(self, x: Self::V, limit: f32) -> Self::V {
        core::array::from_fn(|i| if x[i] < limit { limit } else { x[i] })
    }
    #[inline(always)]
    fn maximum(self, m: Self::V, x: Self::V) -> Self::V {
        core::array::from_fn(|i| if x[i] > m[i] { x[i] } else { m[i] })
    }
    #[inline(always)]
    fn abs(self, x: Self::V) -> Self::V {
        core::array::from_fn(|i| x[i].abs())
    }
    #[inline(always)]
    fn copysign(self, x: Self::V, sign: Self::V) -> Self::V {
        core::array::from_fn(|i| x[i].copysign(sign[i]))
    }
    #[inline(always)]
    fn select_negative(self, x: Self::V, a: Self::V, b: Self::V) -> Self::V {
        core::array::from_fn(|i| if x[i].is_sign_negative() { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn power_of_two(self, n: Self::V) -> Self::V {
        core::array::from_fn(|i| elementary::power_of_two(n[i]))
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        lanes.min(LANES)
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller's promise; an array of floats has their alignment.
        unsafe { *from.cast() }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load_masked(self, rest: Self::V, from: *const f32, lanes: usize) -> Self::V {
        // SAFETY: the caller's promise, for every lane below `lanes`.
        core::array::from_fn(|i| if i < lanes { unsafe { *from.add(i) } } else { rest[i] })
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store(self, v: Self::V, to: *mut f32) {
        // SAFETY: the caller's promise; an array of floats has their alignment.
        unsafe { *to.cast() = v }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store_masked(self, v: Self::V, to: *mut f32, lanes: usize) {
        for (i, &x) in v.iter().enumerate().take(lanes) {
            // SAFETY: the caller's promise, for every lane below `lanes`.
            unsafe { *to.add(i) = x }
        }
    }
    fn matmul_tiles(self, product: Product) {
        matmul_tiles::<Self, 4, 1>(self, product);
    }
}
