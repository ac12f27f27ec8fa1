// The threads of the running block and their turns: state shared by the scheduler, the barriers and the messages.
#pragma once
#include <string>

#include "block.h"
#include "fiber.h"
#include "grid.h"

namespace emulator {

constexpr unsigned most_threads = 1024;
constexpr unsigned warp_lanes = 32;

enum class State : unsigned char { Ready, Barrier, Warp, Done };

struct Thread {
    ThreadIndex here; // first: `emulator_here` points at it
    State state;
    Fiber* fiber; // the stack on which it waits; null before its first turn
    const char* file;
    int line;
    // Its operation in a warp, and then the result.
    Warp what;
    unsigned mask;
    int argument, width;
    uint64_t value;
};

/// The state of the running block. There is only one, because the driver holds its lock during a launch.
struct Block {
    Thread threads[most_threads];
    unsigned short order[most_threads], place[most_threads]; // the thread at each position of the order, and the inverse
    uint64_t ready[most_threads / 64];                       // by position
    unsigned alive[most_threads / warp_lanes], waiting[most_threads / warp_lanes]; // lanes of each warp
    unsigned size, left, at_barrier, cursor;
    int votes, verdict;
    unsigned parity; // the parity of the barrier
    size_t fibers;   // the number taken in this launch, under ThreadSanitizer
    char start, finish; // addresses for ThreadSanitizer
    const Launch* launch;
    Fault fault;
};

extern Block block;
extern Fiber launcher;  // the stack of the launching thread
extern Fiber* running; // the running fiber, unless it is the launcher

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

/// Returns the next ready thread in the order, from the cursor on and around.
Thread* next_ready();

/// Switches from the stack `from` to `thread`; returns when `from` runs again.
void switch_to_thread(Fiber* from, Thread* thread);

/// Suspends the current thread, which has recorded what it waits for.
void wait_turn();

/// Returns a fiber for one thread alone. ThreadSanitizer identifies threads by their fibers, and considers the actions of one
/// fiber as ordered. So no two threads of a launch share one while there are enough. Launches are ordered, and the next reuses
/// the fibers. Creating one takes half a millisecond and nearly a megabyte. Called between blocks, so that no thread starts
/// after another.
Fiber* unique_fiber();

/// Arranges the threads in the selected order; no thread may be ready.
void reorder();

/// Completes a warp operation if all lanes of `mask` that have not ended wait for it: each gets its result and becomes ready.
/// `warp` is the index of the warp's first thread.
void resolve_warp(unsigned warp, unsigned mask);

/// Returns text such as "softmax, block (0, 0, 0)", and "(0, 0, 0)".
std::string describe_block();
std::string coordinates(const uint3& at);

/// Ends the launch from within a thread. All stacks are abandoned: after a fault there is no other launch.
[[noreturn]] void abandon(Fault fault);

/// Ends the launch with a report of where each thread waits.
[[noreturn]] void report_divergence(const char* headline);

} // namespace emulator
