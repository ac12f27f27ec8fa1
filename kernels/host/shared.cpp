#include "shared.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

#include "block.h"
#include "fiber.h"
#include "grid.h"

#if defined(EMULATOR_ADDRESS_SANITIZER)
extern "C" void __asan_poison_memory_region(const volatile void* at, size_t bytes);
extern "C" void __asan_unpoison_memory_region(const volatile void* at, size_t bytes);
#endif

uint64_t emulator_epoch = 1;
void* emulator_dynamic_shared = nullptr;

namespace emulator {

namespace {

constexpr size_t arena_bytes = 512 << 10; // more than any GPU has
constexpr size_t meeting_bytes = 2048 * 8;  // after the arena
constexpr size_t guard_bytes = 64;
constexpr unsigned char guard = 0xa7; // differs from the content of an unwritten variable

struct Guard {
    unsigned char* at;
    const char* name;
};

unsigned char* arena = nullptr;
size_t used = 0;          // the end of the last guard
size_t variables = 0;     // the bytes of all variables
Guard guards[256];        // not a vector: under ThreadSanitizer a thread may not free another's allocation
size_t guard_count = 0;

// ThreadSanitizer considers the blocks of a launch concurrent, so each needs memory of its own.
std::vector<unsigned char*> arenas;
size_t arenas_taken = 0;

/// Fills memory without memset, which ThreadSanitizer would see as an access by the current thread.
void fill(unsigned char* at, unsigned char value, size_t bytes) {
#if defined(__x86_64__)
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
#else
    for (volatile unsigned char* p = at; p != at + bytes; ++p) *p = value;
#endif
}

void open(unsigned char* at, size_t bytes) {
#if defined(EMULATOR_ADDRESS_SANITIZER)
    __asan_unpoison_memory_region(at, bytes);
#endif
    fill(at, shared_poison, bytes);
}

void close(unsigned char* at, const char* name) {
    fill(at, guard, guard_bytes);
#if defined(EMULATOR_ADDRESS_SANITIZER)
    __asan_poison_memory_region(at, guard_bytes);
#endif
    guards[guard_count++] = {at, name};
}

void* place(size_t bytes, size_t alignment, const char* name) {
    size_t start = (used + alignment - 1) / alignment * alignment;
    if (start + bytes + guard_bytes > arena_bytes || guard_count == sizeof guards / sizeof guards[0]) {
        emulator_trap("more shared memory than any GPU has", name, 0);
    }
    open(arena + start, bytes);
    close(arena + start + bytes, name);
    used = start + bytes + guard_bytes;
    return arena + start;
}

unsigned char* new_arena() {
    void* got = nullptr;
    if (posix_memalign(&got, 1024, arena_bytes + meeting_bytes) != 0) abort();
    return static_cast<unsigned char*>(got);
}

} // namespace

void begin_shared(size_t dynamic_bytes, bool first_block) {
    if (races || arena == nullptr) {
        if (first_block) arenas_taken = 0;
        if (arenas_taken == arenas.size()) arenas.push_back(new_arena());
        arena = arenas[arenas_taken++];
    } else if (!first_block && !addresses) {
        // The same kernel again: the addresses stay. The guards are intact, or the launch would have ended.
        unsigned char* from = arena;
        for (size_t i = 0; i < guard_count; ++i) {
            fill(from, shared_poison, guards[i].at - from);
            from = guards[i].at + guard_bytes;
        }
        return;
    }
    ++emulator_epoch;
    used = variables = guard_count = 0;
#if defined(EMULATOR_ADDRESS_SANITIZER)
    __asan_poison_memory_region(arena, arena_bytes);
#endif
    emulator_dynamic_shared = place(dynamic_bytes, 1024, "the dynamic shared memory");
}

const char* find_broken_guard() {
#if !defined(EMULATOR_ADDRESS_SANITIZER)
    for (size_t g = 0; g < guard_count; ++g) {
        for (size_t i = 0; i < guard_bytes; ++i) {
            if (guards[g].at[i] != guard) return guards[g].name;
        }
    }
#endif
    return nullptr;
}

void* sync_address(unsigned number) { return arena + arena_bytes + 8 * number; }

void end_shared() {
    for (; arenas.size() > 64; arenas.pop_back()) free(arenas.back());
}

size_t static_shared() { return variables; }

} // namespace emulator

void emulator_place(emulator::SharedVariable* slot) {
    slot->address = emulator::place(slot->bytes, slot->alignment, slot->name);
    slot->epoch = emulator_epoch;
    emulator::variables += slot->bytes;
}
