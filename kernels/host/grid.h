// Running a grid: one block after the other, whose threads take turns when they wait for each other.
#pragma once
#include "block.h"
#include "table.h"

namespace emulator {

struct Launch {
    const Kernel* kernel;
    dim3 grid, block;
    size_t shared; // dynamic shared memory in bytes
    void** arguments;
};

enum class Fault { None, Divergence, Address, Trap };

/// Runs all blocks. A fault ends the launch; it has been reported when it is returned.
Fault run(const Launch& launch);

/// Returns the bytes of static shared memory that a block of the last run used.
size_t static_shared();

/// The initial content of shared memory: NaN in both widths, and all bits set as an integer.
constexpr unsigned char shared_poison = 0xff;

} // namespace emulator
