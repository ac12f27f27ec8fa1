#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include <deque>
#include <map>

#include "fiber.h"
#include "report.h"

namespace emulator {

namespace {

// A NaN of both widths like the poisons, but neither: a kernel that reads past the end gets NaN, one that writes there,
// be it a poison that it read elsewhere, is seen.
constexpr unsigned char guard_word[4] = {0xa5, 0xa5, 0xfd, 0x7f};
constexpr unsigned char fresh = 0xff;
constexpr unsigned char dead_word[4] = {0xad, 0xde, 0xfd, 0x7f};
constexpr size_t guard_bytes = addresses ? 0 : 256;
constexpr size_t alignment = 256;
constexpr size_t quarantine_bytes = 16 << 20;

struct Allocation : Memory {
    unsigned char* block;
    size_t block_bytes;
};

using Map = std::map<uintptr_t, Allocation>;

Map& live() {
    static Map& map = *new Map;
    return map;
}

/// Freed, but not yet given back: an address in here that a kernel is given is a mistake.
Map& dead() {
    static Map& map = *new Map;
    return map;
}

std::deque<uintptr_t>& dead_order() {
    static std::deque<uintptr_t>& order = *new std::deque<uintptr_t>;
    return order;
}

size_t used = 0, in_quarantine = 0;
unsigned long long allocations = 0;

size_t charged(size_t bytes) { return (bytes + 511) / 512 * 512; }

void paint(unsigned char* from, unsigned char* to, const unsigned char (&word)[4]) {
    uint32_t whole;
    memcpy(&whole, word, 4);
    for (; from != to && reinterpret_cast<uintptr_t>(from) % 4 != 0; ++from) *from = word[reinterpret_cast<uintptr_t>(from) % 4];
    for (; to - from >= 4; from += 4) memcpy(from, &whole, 4);
    for (; from != to; ++from) *from = word[reinterpret_cast<uintptr_t>(from) % 4];
}

/// The first byte that differs, or null.
const unsigned char* stain(const unsigned char* from, const unsigned char* to, const unsigned char (&word)[4]) {
    uint64_t twice;
    memcpy(&twice, word, 4);
    memcpy(reinterpret_cast<char*>(&twice) + 4, word, 4);
    while (from != to) {
        uint64_t got;
        if (reinterpret_cast<uintptr_t>(from) % 4 == 0 && to - from >= 8 && (memcpy(&got, from, 8), got == twice)) {
            from += 8;
        } else if (*from == word[reinterpret_cast<uintptr_t>(from) % 4]) {
            ++from;
        } else {
            return from;
        }
    }
    return nullptr;
}

unsigned char* data(const Allocation& a) { return reinterpret_cast<unsigned char*>(a.at); }

bool whole(const Allocation& a, const char* who) {
    if (guard_bytes == 0) return true;
    const unsigned char* begin = data(a);
    const unsigned char* end = begin + a.bytes;
    const unsigned char* found = stain(a.block, begin, guard_word);
    if (found == nullptr) found = stain(end, a.block + a.block_bytes, guard_word);
    if (found == nullptr) return true;
    complain("%s: a write at byte %zd of allocation %llu, which has %zu", who, found - begin, a.number, a.bytes);
    // Told once.
    paint(a.block, data(a), guard_word);
    paint(data(a) + a.bytes, a.block + a.block_bytes, guard_word);
    return false;
}

Map::iterator at_or_before(Map& map, uintptr_t at) {
    auto next = map.upper_bound(at);
    return next == map.begin() ? map.end() : --next;
}

void forget_oldest() {
    auto oldest = dead().find(dead_order().front());
    dead_order().pop_front();
    const Allocation& a = oldest->second;
    if (const unsigned char* found = stain(data(a), data(a) + a.bytes, dead_word)) {
        complain("a write to byte %zd of allocation %llu after it was freed", found - data(a), a.number);
    }
    in_quarantine -= a.bytes;
    free(a.block);
    dead().erase(oldest);
}

/// Calls `found` with every word of the arguments that could be an address.
template <class F>
void each_address(void** arguments, const uint32_t* sizes, unsigned count, F found) {
    for (unsigned i = 0; i < count; ++i) {
        for (uint32_t offset = 0; offset + 8 <= sizes[i]; offset += 8) {
            uintptr_t word;
            memcpy(&word, static_cast<char*>(arguments[i]) + offset, sizeof word);
            found(i, word);
        }
    }
}

} // namespace

const Memory* allocate(size_t bytes) {
    if (bytes > total_memory() || charged(bytes) > free_memory()) return nullptr;
    Allocation a;
    a.bytes = bytes;
    a.block_bytes = guard_bytes + bytes + guard_bytes;
    void* got = nullptr;
    if (posix_memalign(&got, alignment, a.block_bytes == 0 ? 1 : a.block_bytes) != 0) return nullptr;
    a.block = static_cast<unsigned char*>(got);
    a.at = reinterpret_cast<uintptr_t>(a.block + guard_bytes);
    a.number = ++allocations;
    paint(a.block, data(a), guard_word);
    memset(data(a), fresh, bytes);
    paint(data(a) + bytes, a.block + a.block_bytes, guard_word);
    used += charged(bytes);
    return &(live()[a.at] = a);
}

Freed release_memory(uintptr_t at) {
    auto found = live().find(at);
    if (found == live().end()) return dead().count(at) != 0 ? Freed::Twice : Freed::Unknown;
    Allocation a = found->second;
    bool is_whole = whole(a, "found when it was freed");
    live().erase(found);
    used -= charged(a.bytes);
    if (addresses) {
        free(a.block); // AddressSanitizer has a quarantine of its own
    } else {
        paint(data(a), data(a) + a.bytes, dead_word);
        dead()[a.at] = a;
        dead_order().push_back(a.at);
        in_quarantine += a.bytes;
        while (in_quarantine > quarantine_bytes || dead_order().size() > 4096) forget_oldest();
    }
    return is_whole ? Freed::Yes : Freed::Damaged;
}

const Memory* holds(uintptr_t at, size_t bytes) {
    auto found = at_or_before(live(), at);
    if (found == live().end()) return nullptr;
    const Allocation& a = found->second;
    return at - a.at <= a.bytes && bytes <= a.bytes - (at - a.at) ? &a : nullptr;
}

bool guards_are_whole(const char* who) {
    bool all = true;
    for (const auto& [at, a] : live()) all = whole(a, who) && all;
    return all;
}

bool guards_are_whole(const char* who, void** arguments, const uint32_t* sizes, unsigned count) {
    bool all = true;
    each_address(arguments, sizes, count, [&](unsigned, uintptr_t word) {
        auto found = at_or_before(live(), word);
        if (found != live().end() && word - found->first <= found->second.bytes) all = whole(found->second, who) && all;
    });
    return all;
}

bool arguments_are_alive(const char* who, void** arguments, const uint32_t* sizes, unsigned count) {
    bool all = true;
    each_address(arguments, sizes, count, [&](unsigned argument, uintptr_t word) {
        auto found = at_or_before(dead(), word);
        if (found == dead().end() || word - found->first >= found->second.bytes) return;
        complain("%s: argument %u points into allocation %llu of %zu bytes, which was freed", who, argument,
                 found->second.number, found->second.bytes);
        all = false;
    });
    return all;
}

size_t total_memory() {
    static const size_t bytes = number("GRADUS_EMULATOR_MEMORY", 4ull << 30);
    return bytes;
}

size_t free_memory() {
    // What other programs hold of it.
    static const size_t others = [] {
        size_t total = total_memory(), left = number("GRADUS_EMULATOR_MEMORY_FREE", total);
        return left < total ? total - left : 0;
    }();
    size_t taken = used + others;
    return taken < total_memory() ? total_memory() - taken : 0;
}

size_t live_allocations() { return live().size(); }

} // namespace emulator
