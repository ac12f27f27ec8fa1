// Device memory: each allocation between guard words, poisoned when it is fresh and again when it is freed.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace emulator {

struct Memory {
    uintptr_t at;
    size_t bytes;
    unsigned long long number; // counted from 1, so that records of two runs can be compared
};

/// Null where the device has too little left.
const Memory* allocate(size_t bytes);

enum class Freed { Yes, Unknown, Twice, Damaged };
Freed release_memory(uintptr_t at);

/// The live allocation that holds all of these bytes, or null.
const Memory* holds(uintptr_t at, size_t bytes);

/// Looks at the guards of every allocation. Complains, and says false, where one was written over.
bool guards_are_whole(const char* who);

/// The same for those that a kernel was given. Where its arguments name freed memory, it should not run: see below.
bool guards_are_whole(const char* who, void** arguments, const uint32_t* sizes, unsigned count);

/// Complains, and says false, where one of the arguments is an address in memory that was freed.
bool arguments_are_alive(const char* who, void** arguments, const uint32_t* sizes, unsigned count);

size_t total_memory();
size_t free_memory();
size_t live_allocations();

} // namespace emulator
