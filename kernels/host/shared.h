// The shared memory of the running block. A variable gets its address when its declaration is first reached. Guard words follow
// it, and it holds NaN until it is written.
#pragma once
#include <stddef.h>

namespace emulator {

/// Starts a block. The first block of a launch discards the addresses of variables; the others discard only their values.
void begin_shared(size_t dynamic_bytes, bool first_block);

/// Returns the variable whose guard words were overwritten, or null.
const char* find_broken_guard();

/// Returns an address of the block with which ThreadSanitizer orders its threads, for any number below 2,048.
void* sync_address(unsigned number);

/// Frees memory after a launch.
void end_shared();

} // namespace emulator
