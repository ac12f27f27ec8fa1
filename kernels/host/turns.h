// The threads of the block that runs, and whose turn it is: what scheduler, meetings and messages share.
#pragma once
#include <string>

#include "block.h"
#include "fiber.h"
#include "schedule.h"

namespace emulator {

constexpr unsigned most_threads = 1024;
constexpr unsigned warp_lanes = 32;

enum class State : unsigned char { Ready, Barrier, Warp, Done };

struct Thread {
    Here here; // first: `emulator_here` points at it
    State state;
    Fiber* fiber; // where it waits; null before its first turn
    const char* file;
    int line;
    // What it brings to a warp, and gets from it.
    Warp what;
    unsigned mask;
    int argument, width;
    uint64_t value;
};

/// Everything about the block that runs. One at a time: the driver holds its lock through a launch.
struct Block {
    Thread threads[most_threads];
    unsigned short order[most_threads], place[most_threads]; // thread at a place, and back
    uint64_t ready[most_threads / 64];                       // by place
    unsigned alive[most_threads / warp_lanes], waiting[most_threads / warp_lanes]; // lanes of each warp
    unsigned size, left, at_barrier, cursor;
    int votes, verdict;
    unsigned parity; // of the barrier
    size_t fibers;   // taken in this launch, under ThreadSanitizer
    char start, finish; // addresses for ThreadSanitizer
    const Launch* launch;
    Fault fault;
};

extern Block block;
extern Fiber home;  // the stack that launched
extern Fiber* mine; // the stack that runs, while it is not home

inline Thread* current() { return reinterpret_cast<Thread*>(emulator_here); }

inline bool same_line(const Thread& a, const Thread& b) {
    return a.line == b.line && (a.file == b.file || __builtin_strcmp(a.file, b.file) == 0);
}

inline void set_ready(unsigned thread) {
    unsigned at = block.place[thread];
    block.threads[thread].state = State::Ready;
    block.ready[at / 64] |= uint64_t(1) << (at % 64);
}

inline void clear_ready(unsigned thread) {
    unsigned at = block.place[thread];
    block.ready[at / 64] &= ~(uint64_t(1) << (at % 64));
}

/// The next thread in the order that can run, from the cursor on and around.
Thread* next_ready();

/// Gives `thread` the turn, from the stack `from`; returns when that has it again.
void hand_over(Fiber* from, Thread* thread);

/// The current thread has said what it waits for, and waits.
void wait();

/// ThreadSanitizer knows threads by their fibers, and takes what one fiber does for ordered. So no two threads of a launch share
/// one, while there are enough; launches are ordered, and the next takes the same ones again. Making one takes half a
/// millisecond and nearly a megabyte. Called between blocks, so that no thread begins after another.
Fiber* fiber_of_its_own();

/// Puts the threads into the order that was asked for; nobody may be ready.
void reorder();

/// Whether all lanes of `mask` that have not ended wait for each other; if so, each gets its answer and can go on. `warp` is the
/// number of its first thread.
void meet(unsigned warp, unsigned mask);

/// "softmax, block (0, 0, 0)", and "(0, 0, 0)".
std::string place_of_block();
std::string coordinates(const uint3& at);

/// Ends the launch from within a thread. All stacks are abandoned as they are: after a fault there is no other launch.
[[noreturn]] void abandon(Fault fault);

/// Ends it with a list of who waits where.
[[noreturn]] void report_divergence(const char* headline);

} // namespace emulator
