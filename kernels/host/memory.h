// Device memory: each allocation lies between guard words. It is poisoned when allocated and again when freed.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace emulator {

struct Memory {
    uintptr_t at;
    size_t bytes;
    unsigned long long number; // counted from 1, so that the logs of two runs can be compared
};

/// Allocates memory. Returns null if the device has too little left.
const Memory* allocate(size_t bytes);

enum class FreeResult { Yes, Unknown, Twice, Damaged };
FreeResult release_memory(uintptr_t at);

/// Finds the live allocation that contains all of these bytes, or null.
const Memory* find_allocation(uintptr_t at, size_t bytes);

/// Checks the guards of every allocation. Reports a fault and returns false if one was overwritten.
bool check_all_guards(const char* who);

/// Checks the guards of the allocations to which a kernel's arguments point.
bool check_all_guards(const char* who, void** arguments, const uint32_t* sizes, unsigned count);

/// Reports a fault and returns false if an argument points to freed memory.
bool check_arguments_live(const char* who, void** arguments, const uint32_t* sizes, unsigned count);

size_t total_memory();
size_t free_memory();
size_t live_allocations();

} // namespace emulator
