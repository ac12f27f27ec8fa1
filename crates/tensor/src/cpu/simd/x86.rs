//! AVX-512, and AVX2 with FMA. A token exists only if the processor supports the instruction set.

use core::arch::x86_64::*;

use super::Simd;
use super::isa::Isa;
use super::matmul::{Product, matmul_tiles};

macro_rules! detected {
    ($token:ident, $kernels:ident, $($feature:tt),*) => {
        /// The kernels, or `None` if this processor lacks a feature. This is the only function that makes a token.
        pub(crate) fn $kernels() -> Option<&'static Simd<$token>> {
            static KERNELS: Simd<$token> = Simd($token(()));
            ($(std::arch::is_x86_feature_detected!($feature))&&*).then_some(&KERNELS)
        }
    };
}

/// Vectors of 512 bits: 16 lanes, 32 registers, masks.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());
detected!(Avx512, avx512, "avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma");

/// Vectors of 256 bits: 8 lanes, 16 registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());
detected!(Avx2, avx2, "avx2", "fma");

// The intrinsics `min` and `max` return their second operand if either operand is NaN.
//
// SAFETY, for every block of this file that says "the token": the intrinsics need instructions that the processor supports,
// because a token exists.

impl Isa for Avx512 {
    const NAME: &'static str = "avx512";
    const LANES: usize = 16;
    const ACCUMULATORS: usize = 18;
    type V = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        fn compiled<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token.
        unsafe { compiled(f) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, x: __m512, limit: f32) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_min_ps(_mm512_set1_ps(limit), x) }
    }
    #[inline(always)]
    fn max(self, x: __m512, limit: f32) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_max_ps(_mm512_set1_ps(limit), x) }
    }
    #[inline(always)]
    fn maximum(self, m: __m512, x: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_max_ps(x, m) }
    }
    #[inline(always)]
    fn abs(self, x: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_andnot_ps(_mm512_set1_ps(-0.0), x) }
    }
    #[inline(always)]
    fn copysign(self, x: __m512, sign: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_or_ps(_mm512_andnot_ps(_mm512_set1_ps(-0.0), x), _mm512_and_ps(_mm512_set1_ps(-0.0), sign)) }
    }
    #[inline(always)]
    fn select_negative(self, x: __m512, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe { _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(x)), b, a) }
    }
    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        // SAFETY: the token.
        unsafe {
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(
                _mm512_cvtps_epi32(n),
                _mm512_set1_epi32(127),
            )))
        }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> __mmask16 {
        ((1_u32 << lanes.min(Self::LANES)) - 1) as __mmask16
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the token, and the caller's promise.
        unsafe { _mm512_loadu_ps(from) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load_masked(self, rest: __m512, from: *const f32, mask: __mmask16) -> __m512 {
        // SAFETY: the token, and the caller's promise: lanes outside the mask are not touched.
        unsafe { _mm512_mask_loadu_ps(rest, mask, from) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store(self, v: __m512, to: *mut f32) {
        // SAFETY: the token, and the caller's promise.
        unsafe { _mm512_storeu_ps(to, v) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store_masked(self, v: __m512, to: *mut f32, mask: __mmask16) {
        // SAFETY: the token, and the caller's promise: lanes outside the mask are not touched.
        unsafe { _mm512_mask_storeu_ps(to, mask, v) }
    }
    fn matmul_tiles(self, product: Product) {
        matmul_tiles::<Self, 8, 3>(self, product);
    }
}

impl Isa for Avx2 {
    const NAME: &'static str = "avx2";
    const LANES: usize = 8;
    const ACCUMULATORS: usize = 12;
    type V = __m256;
    type Mask = __m256i;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: the token.
        unsafe { compiled(f) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, x: __m256, limit: f32) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_min_ps(_mm256_set1_ps(limit), x) }
    }
    #[inline(always)]
    fn max(self, x: __m256, limit: f32) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_max_ps(_mm256_set1_ps(limit), x) }
    }
    #[inline(always)]
    fn maximum(self, m: __m256, x: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_max_ps(x, m) }
    }
    #[inline(always)]
    fn abs(self, x: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), x) }
    }
    #[inline(always)]
    fn copysign(self, x: __m256, sign: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_or_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0), x), _mm256_and_ps(_mm256_set1_ps(-0.0), sign)) }
    }
    #[inline(always)]
    fn select_negative(self, x: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe { _mm256_blendv_ps(b, a, x) }
    }
    #[inline(always)]
    fn power_of_two(self, n: __m256) -> __m256 {
        // SAFETY: the token.
        unsafe {
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(
                _mm256_cvtps_epi32(n),
                _mm256_set1_epi32(127),
            )))
        }
    }
    #[inline(always)]
    fn mask(self, lanes: usize) -> __m256i {
        // SAFETY: the token.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes.min(Self::LANES) as i32), lane)
        }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the token, and the caller's promise.
        unsafe { _mm256_loadu_ps(from) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn load_masked(self, rest: __m256, from: *const f32, mask: __m256i) -> __m256 {
        // SAFETY: the token, and the caller's promise: lanes outside the mask are not touched.
        unsafe { _mm256_blendv_ps(rest, _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask)) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store(self, v: __m256, to: *mut f32) {
        // SAFETY: the token, and the caller's promise.
        unsafe { _mm256_storeu_ps(to, v) }
    }
    // SAFETY: the trait states the caller's promise.
    #[inline(always)]
    unsafe fn store_masked(self, v: __m256, to: *mut f32, mask: __m256i) {
        // SAFETY: the token, and the caller's promise: lanes outside the mask are not touched.
        unsafe { _mm256_maskstore_ps(to, mask, v) }
    }
    fn matmul_tiles(self, product: Product) {
        // A tile of 4 × 3 vectors needs all 16 registers. Without target-cpu=native it spills: `.ci/instructions` counts 29 % more in W1.
        matmul_tiles::<Self, 4, 2>(self, product);
    }
}
