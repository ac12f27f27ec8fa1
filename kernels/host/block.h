// What a kernel knows while it runs, and how it waits for others: the interface between the kernels, compiled into
// libraries of their own, and the scheduler in libcuda.so. Only plain data and a handful of functions cross it.
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

/// Where a thread is: the first thing that every thread of the scheduler begins with.
struct Here {
    uint3 thread;
    unsigned number; // thread within the block, x fastest
};

struct Grid {
    uint3 block;
    dim3 block_size, grid_size;
};

/// A `__shared__` variable. The scheduler gives it an address in every block, with guard words behind it.
struct Slot {
    size_t bytes, alignment;
    const char* name;
    uint64_t epoch; // of the block that `address` belongs to
    void* address;
};

/// What the lanes of a warp do together.
enum class Warp : int { Index, Up, Down, Xor, Ballot, Sync, Add, Min, Max, MinSigned, MaxSigned, And, Or, BitXor };

/// What the threads of a block compute at a barrier.
enum class Vote : int { None, Count, All, Any };

} // namespace emulator

EMULATOR_EXPORT emulator::Here* emulator_here;
EMULATOR_EXPORT emulator::Grid emulator_grid;
EMULATOR_EXPORT uint64_t emulator_epoch;
EMULATOR_EXPORT void* emulator_dynamic_shared; // what `extern __shared__` names
EMULATOR_EXPORT void emulator_place(emulator::Slot* slot);
EMULATOR_EXPORT int emulator_barrier(emulator::Vote vote, int value, const char* file, int line);
EMULATOR_EXPORT uint64_t emulator_warp(emulator::Warp what, unsigned mask, uint64_t value, int argument, int width,
                                       const char* file, int line);
EMULATOR_EXPORT void emulator_trap(const char* what, const char* file, int line);
