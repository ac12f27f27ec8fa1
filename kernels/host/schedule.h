// Runs a grid: block after block, the threads of a block taking turns wherever they wait for each other.
#pragma once
#include "block.h"
#include "table.h"

namespace emulator {

struct Launch {
    const Kernel* kernel;
    dim3 grid, block;
    size_t shared; // dynamic, bytes
    void** arguments;
};

enum class Fault { None, Divergence, Address, Trap };

/// Runs all blocks; a fault has been complained about when it is returned, and ends the launch.
Fault run(const Launch& launch);

/// The bytes of static shared memory that the last run used in a block.
size_t static_shared();

/// Of shared memory: NaN in both widths, and all bits set as an integer.
constexpr unsigned char shared_poison = 0xff;

} // namespace emulator
