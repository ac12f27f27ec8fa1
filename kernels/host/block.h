// The interface between running kernels, compiled into libraries of their own, and the scheduler in libcuda.so: the state of
// the current thread, and how it waits for others. Only plain data and a few functions cross it.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

#define EMULATOR_EXPORT extern "C" __attribute__((visibility("default")))

namespace emulator {

/// The index of a thread; the first member of every thread of the scheduler.
struct ThreadIndex {
    uint3 thread;
    unsigned number; // the linear index within the block, x fastest
};

struct Grid {
    uint3 block;
    dim3 block_size, grid_size;
};

/// A `__shared__` variable. The scheduler gives it an address in every block, with guard words after it.
struct SharedVariable {
    size_t bytes, alignment;
    const char* name;
    uint64_t epoch; // the block to which `address` belongs
    void* address;
};

/// An operation of the lanes of a warp.
enum class Warp : int { Index, Up, Down, Xor, Ballot, Sync, Add, Min, Max, MinSigned, MaxSigned, And, Or, BitXor };

/// The result that the threads of a block compute at a barrier.
enum class Vote : int { None, Count, All, Any };

} // namespace emulator

EMULATOR_EXPORT emulator::ThreadIndex* emulator_here;
EMULATOR_EXPORT emulator::Grid emulator_grid;
EMULATOR_EXPORT uint64_t emulator_epoch;
EMULATOR_EXPORT void* emulator_dynamic_shared; // the address of `extern __shared__` variables
EMULATOR_EXPORT void emulator_place(emulator::SharedVariable* slot);
EMULATOR_EXPORT int emulator_barrier(emulator::Vote vote, int value, const char* file, int line);
EMULATOR_EXPORT uint64_t emulator_warp(emulator::Warp what, unsigned mask, uint64_t value, int argument, int width,
                                       const char* file, int line);
EMULATOR_EXPORT void emulator_trap(const char* what, const char* file, int line);
