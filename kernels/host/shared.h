// The shared memory of the block that runs: variables are placed as their declarations are first reached, each with guard
// words behind it, and hold NaN until they are written.
#pragma once
#include <stddef.h>

namespace emulator {

/// A new block: forgets where variables were (in the first block of a launch) or what they held (in all others).
void begin_shared(size_t dynamic_bytes, bool first_block);

/// The variable whose guard words were written over, or null.
const char* broken_shared();

/// Addresses that belong to the block, for ThreadSanitizer's order of its threads: any number below 2,048.
void* meeting_place(unsigned number);

/// After a launch.
void end_shared();

} // namespace emulator
