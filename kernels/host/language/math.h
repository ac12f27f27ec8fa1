// CUDA's arithmetic functions that C++ lacks. The fast ones are exact here, so tests on the host say nothing about their last
// bits on a GPU.
#pragma once

#define EMULATOR_MIN_MAX(T)                                                  \
    EMULATOR_INLINE constexpr T min(T a, T b) { return b < a ? b : a; }      \
    EMULATOR_INLINE constexpr T max(T a, T b) { return a < b ? b : a; }
EMULATOR_MIN_MAX(int)
EMULATOR_MIN_MAX(unsigned)
EMULATOR_MIN_MAX(long)
EMULATOR_MIN_MAX(unsigned long)
EMULATOR_MIN_MAX(long long)
EMULATOR_MIN_MAX(unsigned long long)
EMULATOR_INLINE unsigned min(int a, unsigned b) { return min(unsigned(a), b); }
EMULATOR_INLINE unsigned min(unsigned a, int b) { return min(a, unsigned(b)); }
EMULATOR_INLINE unsigned max(int a, unsigned b) { return max(unsigned(a), b); }
EMULATOR_INLINE unsigned max(unsigned a, int b) { return max(a, unsigned(b)); }
EMULATOR_INLINE float min(float a, float b) { return fminf(a, b); }
EMULATOR_INLINE float max(float a, float b) { return fmaxf(a, b); }
EMULATOR_INLINE double min(double a, double b) { return fmin(a, b); }
EMULATOR_INLINE double max(double a, double b) { return fmax(a, b); }

EMULATOR_INLINE float rsqrtf(float x) { return 1.0f / sqrtf(x); }
EMULATOR_INLINE double rsqrt(double x) { return 1.0 / sqrt(x); }
EMULATOR_INLINE float rsqrt(float x) { return rsqrtf(x); }
EMULATOR_INLINE float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }

// Approximations. glibc's declarations use some of these names, so they are macros.
#define __expf expf
#define __exp10f(x) powf(10.0f, x)
#define __logf logf
#define __log2f log2f
#define __log10f log10f
#define __powf powf
#define __sinf sinf
#define __cosf cosf
#define __tanhf tanhf
EMULATOR_INLINE float __fdividef(float x, float y) { return x / y; }
EMULATOR_INLINE float fdividef(float x, float y) { return x / y; }

// Rounded to nearest, and never fused with a neighbour: the kernels are compiled with -ffp-contract=off.
EMULATOR_INLINE float __fadd_rn(float a, float b) { return a + b; }
EMULATOR_INLINE float __fsub_rn(float a, float b) { return a - b; }
EMULATOR_INLINE float __fmul_rn(float a, float b) { return a * b; }
EMULATOR_INLINE float __fdiv_rn(float a, float b) { return a / b; }
EMULATOR_INLINE float __frcp_rn(float a) { return 1.0f / a; }
EMULATOR_INLINE float __fsqrt_rn(float a) { return sqrtf(a); }
EMULATOR_INLINE float __frsqrt_rn(float a) { return float(1.0 / sqrt(double(a))); }
EMULATOR_INLINE float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
EMULATOR_INLINE double __dadd_rn(double a, double b) { return a + b; }
EMULATOR_INLINE double __dsub_rn(double a, double b) { return a - b; }
EMULATOR_INLINE double __dmul_rn(double a, double b) { return a * b; }
EMULATOR_INLINE double __ddiv_rn(double a, double b) { return a / b; }
EMULATOR_INLINE double __drcp_rn(double a) { return 1.0 / a; }
EMULATOR_INLINE double __dsqrt_rn(double a) { return sqrt(a); }
EMULATOR_INLINE double __fma_rn(double a, double b, double c) { return fma(a, b, c); }

// Conversions. A GPU saturates where C++ leaves the result undefined.
template <class To, class From>
EMULATOR_INLINE To emulator_saturate(From x) {
    constexpr To low = To(-1) < To(0) ? To(To(1) << (sizeof(To) * 8 - 1)) : To(0);
    constexpr To high = To(~low);
    if (x != x) return To(0);
    if (x <= From(low)) return low;
    if (x >= From(high)) return high;
    return To(x);
}
EMULATOR_INLINE int __float2int_rz(float x) { return emulator_saturate<int>(truncf(x)); }
EMULATOR_INLINE int __float2int_rn(float x) { return emulator_saturate<int>(rintf(x)); }
EMULATOR_INLINE int __float2int_rd(float x) { return emulator_saturate<int>(floorf(x)); }
EMULATOR_INLINE int __float2int_ru(float x) { return emulator_saturate<int>(ceilf(x)); }
EMULATOR_INLINE unsigned __float2uint_rz(float x) { return emulator_saturate<unsigned>(truncf(x)); }
EMULATOR_INLINE unsigned __float2uint_rn(float x) { return emulator_saturate<unsigned>(rintf(x)); }
EMULATOR_INLINE float __int2float_rn(int x) { return float(x); }
EMULATOR_INLINE float __uint2float_rn(unsigned x) { return float(x); }
EMULATOR_INLINE double __uint2double_rn(unsigned x) { return double(x); }
EMULATOR_INLINE float __double2float_rn(double x) { return float(x); }
EMULATOR_INLINE unsigned __float_as_uint(float x) { return emulator::bits<unsigned>(x); }
EMULATOR_INLINE int __float_as_int(float x) { return emulator::bits<int>(x); }
EMULATOR_INLINE float __uint_as_float(unsigned x) { return emulator::bits<float>(x); }
EMULATOR_INLINE float __int_as_float(int x) { return emulator::bits<float>(x); }
EMULATOR_INLINE long long __double_as_longlong(double x) { return emulator::bits<long long>(x); }
EMULATOR_INLINE double __longlong_as_double(long long x) { return emulator::bits<double>(x); }

// Integers.
EMULATOR_INLINE unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
EMULATOR_INLINE int __mulhi(int a, int b) { return int((int64_t(a) * b) >> 32); }
EMULATOR_INLINE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((static_cast<unsigned __int128>(a) * b) >> 64);
}
EMULATOR_INLINE int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }
EMULATOR_INLINE int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll((unsigned long long)x); }
EMULATOR_INLINE int __ffs(int x) { return __builtin_ffs(x); }
EMULATOR_INLINE int __ffsll(long long x) { return __builtin_ffsll(x); }
EMULATOR_INLINE int __popc(unsigned x) { return __builtin_popcount(x); }
EMULATOR_INLINE int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
EMULATOR_INLINE unsigned __brev(unsigned x) {
    unsigned y = 0;
    for (int i = 0; i < 32; ++i) y |= ((x >> i) & 1u) << (31 - i);
    return y;
}
