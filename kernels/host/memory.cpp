#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include <deque>
#include <map>

#include "fiber.h"
#include "report.h"

namespace emulator {

namespace {

// A NaN in both widths like the poison values, but different from them. So a kernel that reads past the end gets NaN, and a
// write there is detected, even of a poison value that was read elsewhere.
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

/// Freed memory that is kept for a while. A kernel's argument that points here is a mistake.
Map& freed() {
    static Map& map = *new Map;
    return map;
}

std::deque<uintptr_t>& freed_order() {
    static std::deque<uintptr_t>& order = *new std::deque<uintptr_t>;
    return order;
}

size_t used = 0, quarantined = 0;
unsigned long long allocations = 0;

size_t charged(size_t bytes) { return (bytes + 511) / 512 * 512; }

void fill_pattern(unsigned char* from, unsigned char* to, const unsigned char (&word)[4]) {
    uint32_t whole;
    memcpy(&whole, word, 4);
    for (; from != to && reinterpret_cast<uintptr_t>(from) % 4 != 0; ++from) *from = word[reinterpret_cast<uintptr_t>(from) % 4];
    for (; to - from >= 4; from += 4) memcpy(from, &whole, 4);
    for (; from != to; ++from) *from = word[reinterpret_cast<uintptr_t>(from) % 4];
}

/// Returns the first byte that differs from the pattern, or null.
const unsigned char* find_difference(const unsigned char* from, const unsigned char* to, const unsigned char (&word)[4]) {
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

bool check_guards(const Allocation& a, const char* who) {
    if (guard_bytes == 0) return true;
    const unsigned char* begin = data(a);
    const unsigned char* end = begin + a.bytes;
    const unsigned char* found = find_difference(a.block, begin, guard_word);
    if (found == nullptr) found = find_difference(end, a.block + a.block_bytes, guard_word);
    if (found == nullptr) return true;
    report_fault("%s: a write at byte %zd of allocation %llu, which has %zu", who, found - begin, a.number, a.bytes);
    // Restored, so that each fault is reported once.
    fill_pattern(a.block, data(a), guard_word);
    fill_pattern(data(a) + a.bytes, a.block + a.block_bytes, guard_word);
    return false;
}

Map::iterator find_at_or_before(Map& map, uintptr_t at) {
    auto next = map.upper_bound(at);
    return next == map.begin() ? map.end() : --next;
}

void forget_oldest() {
    auto oldest = freed().find(freed_order().front());
    freed_order().pop_front();
    const Allocation& a = oldest->second;
    if (const unsigned char* found = find_difference(data(a), data(a) + a.bytes, dead_word)) {
        report_fault("a write to byte %zd of allocation %llu after it was freed", found - data(a), a.number);
    }
    quarantined -= a.bytes;
    free(a.block);
    freed().erase(oldest);
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
    fill_pattern(a.block, data(a), guard_word);
    memset(data(a), fresh, bytes);
    fill_pattern(data(a) + bytes, a.block + a.block_bytes, guard_word);
    used += charged(bytes);
    return &(live()[a.at] = a);
}

FreeResult release_memory(uintptr_t at) {
    auto found = live().find(at);
    if (found == live().end()) return freed().count(at) != 0 ? FreeResult::Twice : FreeResult::Unknown;
    Allocation a = found->second;
    bool is_whole = check_guards(a, "found when it was freed");
    live().erase(found);
    used -= charged(a.bytes);
    if (addresses) {
        free(a.block); // AddressSanitizer has its own quarantine
    } else {
        fill_pattern(data(a), data(a) + a.bytes, dead_word);
        freed()[a.at] = a;
        freed_order().push_back(a.at);
        quarantined += a.bytes;
        while (quarantined > quarantine_bytes || freed_order().size() > 4096) forget_oldest();
    }
    return is_whole ? FreeResult::Yes : FreeResult::Damaged;
}

const Memory* find_allocation(uintptr_t at, size_t bytes) {
    auto found = find_at_or_before(live(), at);
    if (found == live().end()) return nullptr;
    const Allocation& a = found->second;
    return at - a.at <= a.bytes && bytes <= a.bytes - (at - a.at) ? &a : nullptr;
}

bool check_all_guards(const char* who) {
    bool all = true;
    for (const auto& [at, a] : live()) all = check_guards(a, who) && all;
    return all;
}

bool check_all_guards(const char* who, void** arguments, const uint32_t* sizes, unsigned count) {
    bool all = true;
    each_address(arguments, sizes, count, [&](unsigned, uintptr_t word) {
        auto found = find_at_or_before(live(), word);
        if (found != live().end() && word - found->first <= found->second.bytes) all = check_guards(found->second, who) && all;
    });
    return all;
}

bool check_arguments_live(const char* who, void** arguments, const uint32_t* sizes, unsigned count) {
    bool all = true;
    each_address(arguments, sizes, count, [&](unsigned argument, uintptr_t word) {
        auto found = find_at_or_before(freed(), word);
        if (found == freed().end() || word - found->first >= found->second.bytes) return;
        report_fault("%s: argument %u points into allocation %llu of %zu bytes, which was freed", who, argument,
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
    // The memory of other programs.
    static const size_t others = [] {
        size_t total = total_memory(), left = number("GRADUS_EMULATOR_MEMORY_FREE", total);
        return left < total ? total - left : 0;
    }();
    size_t taken = used + others;
    return taken < total_memory() ? total_memory() - taken : 0;
}

size_t live_allocations() { return live().size(); }

} // namespace emulator
