// The part of CUDA C that the kernels use, for a C++ compiler: keywords, indices, shared memory, barriers, warps, atomics.
// crates/emulator/src/source.rs rewrites `__shared__` declarations before this is compiled, because a macro cannot tell
// `__shared__ float a[8];` from `extern __shared__ float a[];`.
#pragma once
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../block.h"

#define GRADUS_HOST 1 // selects plain C++ for the few GPU instructions
#define __global__ static
#define __device__ static
#define __host__
#define __constant__
#define __launch_bounds__(...)
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))

#define threadIdx (emulator_here->thread)
#define blockIdx (emulator_grid.block)
#define blockDim (emulator_grid.block_size)
#define gridDim (emulator_grid.grid_size)
#define warpSize 32

#define EMULATOR_SHARED(NAME, ALIGNMENT, ...)                                                                      \
    using NAME##_shared = __VA_ARGS__;                                                                             \
    static emulator::SharedVariable NAME##_slot = {sizeof(NAME##_shared),                                                    \
                                         (ALIGNMENT) > alignof(NAME##_shared) ? (ALIGNMENT) : alignof(NAME##_shared), \
                                         #NAME, 0, nullptr};                                                       \
    NAME##_shared& NAME = *static_cast<NAME##_shared*>(emulator::shared(NAME##_slot))

#define EMULATOR_AT const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define EMULATOR_INLINE static inline __attribute__((always_inline, unused))

namespace emulator {

EMULATOR_INLINE void* shared(SharedVariable& slot) {
    if (slot.epoch != emulator_epoch) emulator_place(&slot);
    return slot.address;
}

template <class To, class From>
EMULATOR_INLINE To bits(From from) {
    static_assert(sizeof(To) >= sizeof(From) || sizeof(From) == 8, "no more than 64 bits");
    To to{};
    memcpy(&to, &from, sizeof(To) < sizeof(From) ? sizeof(To) : sizeof(From));
    return to;
}

template <class T>
EMULATOR_INLINE T exchange(Warp what, unsigned mask, T value, int argument, int width, const char* file, int line) {
    static_assert(sizeof(T) <= 8, "a shuffle moves 32 or 64 bits");
    return bits<T>(emulator_warp(what, mask, bits<uint64_t>(value), argument, width, file, line));
}

template <class T, class F>
EMULATOR_INLINE T update(T* at, F next) {
    T old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, next(old), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
    return old;
}

} // namespace emulator

// Barriers.
EMULATOR_INLINE void __syncthreads(EMULATOR_AT) { emulator_barrier(emulator::Vote::None, 0, file, line); }
EMULATOR_INLINE int __syncthreads_count(int p, EMULATOR_AT) {
    return emulator_barrier(emulator::Vote::Count, p, file, line);
}
EMULATOR_INLINE int __syncthreads_and(int p, EMULATOR_AT) { return emulator_barrier(emulator::Vote::All, p, file, line); }
EMULATOR_INLINE int __syncthreads_or(int p, EMULATOR_AT) { return emulator_barrier(emulator::Vote::Any, p, file, line); }

// Fences do nothing here, because a block's threads take turns. ThreadSanitizer's order comes from barriers and atomics.
EMULATOR_INLINE void __threadfence() { __asm__ volatile("" ::: "memory"); }
EMULATOR_INLINE void __threadfence_block() { __threadfence(); }
EMULATOR_INLINE void __threadfence_system() { __threadfence(); }

// Warps.
EMULATOR_INLINE void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_AT) {
    emulator_warp(emulator::Warp::Sync, mask, 0, 0, 32, file, line);
}
template <class T>
EMULATOR_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32, EMULATOR_AT) {
    return emulator::exchange(emulator::Warp::Index, mask, value, lane, width, file, line);
}
template <class T>
EMULATOR_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_AT) {
    return emulator::exchange(emulator::Warp::Up, mask, value, int(delta), width, file, line);
}
template <class T>
EMULATOR_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_AT) {
    return emulator::exchange(emulator::Warp::Down, mask, value, int(delta), width, file, line);
}
template <class T>
EMULATOR_INLINE T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, EMULATOR_AT) {
    return emulator::exchange(emulator::Warp::Xor, mask, value, lanes, width, file, line);
}
EMULATOR_INLINE unsigned __ballot_sync(unsigned mask, int p, EMULATOR_AT) {
    return unsigned(emulator_warp(emulator::Warp::Ballot, mask, p != 0, 0, 32, file, line));
}
EMULATOR_INLINE int __any_sync(unsigned mask, int p, EMULATOR_AT) { return __ballot_sync(mask, p, file, line) != 0; }
EMULATOR_INLINE int __all_sync(unsigned mask, int p, EMULATOR_AT) { return __ballot_sync(mask, !p, file, line) == 0; }

#define EMULATOR_WARP_REDUCE(NAME, TYPE, WHAT)                                           \
    EMULATOR_INLINE TYPE NAME(unsigned mask, TYPE value, EMULATOR_AT) {                  \
        return emulator::exchange(emulator::Warp::WHAT, mask, value, 0, 32, file, line); \
    }
EMULATOR_WARP_REDUCE(__reduce_add_sync, unsigned, Add)
EMULATOR_WARP_REDUCE(__reduce_add_sync, int, Add)
EMULATOR_WARP_REDUCE(__reduce_min_sync, unsigned, Min)
EMULATOR_WARP_REDUCE(__reduce_min_sync, int, MinSigned)
EMULATOR_WARP_REDUCE(__reduce_max_sync, unsigned, Max)
EMULATOR_WARP_REDUCE(__reduce_max_sync, int, MaxSigned)
EMULATOR_WARP_REDUCE(__reduce_and_sync, unsigned, And)
EMULATOR_WARP_REDUCE(__reduce_or_sync, unsigned, Or)
EMULATOR_WARP_REDUCE(__reduce_xor_sync, unsigned, BitXor)

// Atomics of integers only. A sum of floats by atomics depends on their order, so it does not compile.
#define EMULATOR_ATOMICS(T)                                                                                       \
    EMULATOR_INLINE T atomicAdd(T* at, T v) { return __atomic_fetch_add(at, v, __ATOMIC_ACQ_REL); }               \
    EMULATOR_INLINE T atomicExch(T* at, T v) { return __atomic_exchange_n(at, v, __ATOMIC_ACQ_REL); }             \
    EMULATOR_INLINE T atomicAnd(T* at, T v) { return __atomic_fetch_and(at, v, __ATOMIC_ACQ_REL); }               \
    EMULATOR_INLINE T atomicOr(T* at, T v) { return __atomic_fetch_or(at, v, __ATOMIC_ACQ_REL); }                 \
    EMULATOR_INLINE T atomicXor(T* at, T v) { return __atomic_fetch_xor(at, v, __ATOMIC_ACQ_REL); }               \
    EMULATOR_INLINE T atomicMin(T* at, T v) {                                                                     \
        return emulator::update(at, [v](T old) { return v < old ? v : old; });                                    \
    }                                                                                                             \
    EMULATOR_INLINE T atomicMax(T* at, T v) {                                                                     \
        return emulator::update(at, [v](T old) { return v > old ? v : old; });                                    \
    }                                                                                                             \
    EMULATOR_INLINE T atomicCAS(T* at, T expected, T v) {                                                         \
        __atomic_compare_exchange_n(at, &expected, v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);                 \
        return expected;                                                                                          \
    }
EMULATOR_ATOMICS(int)
EMULATOR_ATOMICS(unsigned)
EMULATOR_ATOMICS(unsigned long long)
EMULATOR_INLINE int atomicSub(int* at, int v) { return __atomic_fetch_sub(at, v, __ATOMIC_ACQ_REL); }
EMULATOR_INLINE unsigned atomicSub(unsigned* at, unsigned v) { return __atomic_fetch_sub(at, v, __ATOMIC_ACQ_REL); }
EMULATOR_INLINE unsigned atomicInc(unsigned* at, unsigned v) {
    return emulator::update(at, [v](unsigned old) { return old >= v ? 0 : old + 1; });
}
EMULATOR_INLINE unsigned atomicDec(unsigned* at, unsigned v) {
    return emulator::update(at, [v](unsigned old) { return old == 0 || old > v ? v : old - 1; });
}

// Cached loads and stores are plain ones.
template <class T>
EMULATOR_INLINE T __ldg(const T* at) {
    return *at;
}
template <class T>
EMULATOR_INLINE T __ldcg(const T* at) {
    return *at;
}
template <class T>
EMULATOR_INLINE T __ldcs(const T* at) {
    return *at;
}
template <class T>
EMULATOR_INLINE void __stcg(T* at, T value) {
    *at = value;
}
template <class T>
EMULATOR_INLINE void __stcs(T* at, T value) {
    *at = value;
}

EMULATOR_INLINE void __trap(EMULATOR_AT) { emulator_trap("__trap()", file, line); }
#undef assert
#define assert(condition) ((condition) ? void() : emulator_trap("assert(" #condition ")", __FILE__, __LINE__))

#include "math.h"
#include "vector.h"
