//! No instruction set in particular: arrays, which compilers turn into whatever vectors there are.
//!
//! Products and sums are rounded one by one and in a fixed order, so that every processor gives the same bytes.

use crate::elementary;

use super::isa::Isa;
use super::matmul::{Product, tiles};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 8;

impl Isa for Portable {
    const NAME: &'static str = "portable";
    const LANES: usize = LANES;
    const SUMS: usize = 6;
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
    fn at_most(self, x: Self::V, limit: f32) -> Self::V {
        core::array::from_fn(|i| if x[i] > limit { limit } else { x[i] })
    }
    #[inline(always)]
    fn at_least(self, x: Self::V, limit: f32) -> Self::V {
        core::array::from_fn(|i| if x[i] < limit { limit } else { x[i] })
    }
    #[inline(always)]
    fn larger(self, m: Self::V, x: Self::V) -> Self::V {
        core::array::from_fn(|i| if x[i] > m[i] { x[i] } else { m[i] })
    }
    #[inline(always)]
    fn magnitude(self, x: Self::V) -> Self::V {
        core::array::from_fn(|i| x[i].abs())
    }
    #[inline(always)]
    fn with_sign(self, x: Self::V, sign: Self::V) -> Self::V {
        core::array::from_fn(|i| x[i].copysign(sign[i]))
    }
    #[inline(always)]
    fn where_negative(self, x: Self::V, a: Self::V, b: Self::V) -> Self::V {
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
    // SAFETY: what callers promise is said at the trait.
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller's promise; an array of floats has their alignment.
        unsafe { *from.cast() }
    }
    // SAFETY: what callers promise is said at the trait.
    #[inline(always)]
    unsafe fn load_part(self, rest: Self::V, from: *const f32, lanes: usize) -> Self::V {
        // SAFETY: the caller's promise, for every lane below `lanes`.
        core::array::from_fn(|i| if i < lanes { unsafe { *from.add(i) } } else { rest[i] })
    }
    // SAFETY: what callers promise is said at the trait.
    #[inline(always)]
    unsafe fn store(self, v: Self::V, to: *mut f32) {
        // SAFETY: the caller's promise; an array of floats has their alignment.
        unsafe { *to.cast() = v }
    }
    // SAFETY: what callers promise is said at the trait.
    #[inline(always)]
    unsafe fn store_part(self, v: Self::V, to: *mut f32, lanes: usize) {
        for (i, &x) in v.iter().enumerate().take(lanes) {
            // SAFETY: the caller's promise, for every lane below `lanes`.
            unsafe { *to.add(i) = x }
        }
    }
    fn tiles(self, product: Product) {
        tiles::<Self, 4, 1>(self, product);
    }
}
