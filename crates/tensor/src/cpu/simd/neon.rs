//! NEON, which every 64-bit ARM processor has: 4 lanes, 32 registers, no masks.

use core::arch::aarch64::*;

use super::isa::Isa;
use super::matmul::{Product, matmul_tiles};

#[derive(Clone, Copy)]
pub(crate) struct Neon;

// SAFETY, for every block of this file that says "always there": NEON is part of the architecture.

impl Isa for Neon {
    const NAME: &'static str = "neon";
    const LANES: usize = 4;
    const ACCUMULATORS: usize = 18;
    type V = float32x4_t;
    type Mask = usize;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn min(self, x: float32x4_t, limit: f32) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vminq_f32(vdupq_n_f32(limit), x) }
    }
    #[inline(always)]
    fn max(self, x: float32x4_t, limit: f32) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vmaxq_f32(vdupq_n_f32(limit), x) }
    }
    #[inline(always)]
    fn maximum(self, m: float32x4_t, x: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vbslq_f32(vcgtq_f32(x, m), x, m) }
    }
    #[inline(always)]
    fn abs(self, x: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vabsq_f32(x) }
    }
    #[inline(always)]
    fn copysign(self, x: float32x4_t, sign: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vbslq_f32(vdupq_n_u32(1 << 31), sign, x) }
    }
    #[inline(always)]
    fn select_negative(self, x: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vbslq_f32(vcltq_s32(vreinterpretq_s32_f32(x), vdupq_n_s32(0)), a, b) }
    }
    #[inline(always)]
    fn power_of_two(self, n: float32x4_t) -> float32x4_t {
        // SAFETY: always there.
        unsafe { vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)))) }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> usize {
        lanes.min(Self::LANES)
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: always there, and the caller's promise.
        unsafe { vld1q_f32(from) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load_masked(self, rest: float32x4_t, from: *const f32, lanes: usize) -> float32x4_t {
        let mut whole = [0.0; 4];
        // SAFETY: always there, and the caller's promise, for every lane below `lanes`.
        unsafe {
            vst1q_f32(whole.as_mut_ptr(), rest);
            core::ptr::copy_nonoverlapping(from, whole.as_mut_ptr(), lanes);
            vld1q_f32(whole.as_ptr())
        }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store(self, v: float32x4_t, to: *mut f32) {
        // SAFETY: always there, and the caller's promise.
        unsafe { vst1q_f32(to, v) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store_masked(self, v: float32x4_t, to: *mut f32, lanes: usize) {
        let mut whole = [0.0; 4];
        // SAFETY: always there, and the caller's promise, for every lane below `lanes`.
        unsafe {
            vst1q_f32(whole.as_mut_ptr(), v);
            core::ptr::copy_nonoverlapping(whole.as_ptr(), to, lanes);
        }
    }
    fn matmul_tiles(self, product: Product) {
        matmul_tiles::<Self, 8, 2>(self, product);
    }
}
