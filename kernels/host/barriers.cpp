// Synchronization of threads: barriers of a block, and operations of a warp.
#include <algorithm>

#include "order.h"
#include "report.h"
#include "shared.h"
#include "threads.h"

namespace emulator {

namespace {

/// Combines two lanes' values by the operation `what`.
unsigned combine(Warp what, unsigned a, unsigned b) {
    switch (what) {
    case Warp::Add: return a + b;
    case Warp::Min: return std::min(a, b);
    case Warp::Max: return std::max(a, b);
    case Warp::MinSigned: return unsigned(std::min(int(a), int(b)));
    case Warp::MaxSigned: return unsigned(std::max(int(a), int(b)));
    case Warp::And: return a & b;
    case Warp::Or: return a | b;
    case Warp::BitXor: return a ^ b;
    default: return 0;
    }
}

/// Returns the lane from which a shuffle takes its value; the lane itself if the source is outside of its group.
int source_lane(const Thread& t, int lane) {
    int base = lane / t.width * t.width, end = base + t.width;
    switch (t.what) {
    case Warp::Index: return base + (t.argument & (t.width - 1));
    case Warp::Up: return lane - t.argument >= base ? lane - t.argument : lane;
    case Warp::Down: return t.argument < end - lane ? lane + t.argument : lane;
    default: return (lane ^ t.argument) < end ? lane ^ t.argument : lane;
    }
}

/// Returns the lanes of `mask` that have not ended if all of them wait at the same place, or else none.
unsigned waiting_together(const Thread* threads, unsigned lanes, unsigned mask) {
    const Thread* one = nullptr;
    unsigned present = 0;
    for (unsigned lane = 0; lane < lanes; ++lane) {
        const Thread& t = threads[lane];
        if (!(mask >> lane & 1) || t.state == State::Done) continue;
        if (t.state != State::Warp || t.mask != mask) return 0;
        if (one == nullptr) one = &t;
        if (t.what != one->what || !same_line(t, *one)) return 0;
        present |= 1u << lane;
    }
    return present;
}

} // namespace

void resolve_warp(unsigned warp, unsigned mask) {
    unsigned lanes = std::min(warp_lanes, block.size - warp);
    Thread* threads = block.threads + warp;
    unsigned present = waiting_together(threads, lanes, mask);
    if (present == 0) return;
    block.waiting[warp / warp_lanes] &= ~present;
    uint64_t given[warp_lanes];
    for (unsigned lane = 0; lane < lanes; ++lane) given[lane] = threads[lane].value;
    unsigned first = unsigned(__builtin_ctz(present));
    Warp what = threads[first].what;
    unsigned ballot = 0, combined = unsigned(given[first]);
    for (unsigned lane = first; lane < lanes && what > Warp::Xor; ++lane) {
        if (!(present >> lane & 1)) continue;
        ballot |= unsigned(given[lane] & 1) << lane;
        if (lane > first) combined = combine(what, combined, unsigned(given[lane]));
    }
    for (unsigned lane = 0; lane < lanes; ++lane) {
        if (!(present >> lane & 1)) continue;
        Thread& t = threads[lane];
        if (what == Warp::Ballot) {
            t.value = ballot;
        } else if (what > Warp::Sync) {
            t.value = combined;
        } else if (what < Warp::Ballot) {
            // A missing lane has no value; a GPU returns the register's old content.
            int source = source_lane(t, int(lane));
            bool there = source >= 0 && source < int(lanes) && (present >> source & 1);
            t.value = there ? given[source] : ~uint64_t(0);
        }
        set_ready(warp + lane);
    }
}

namespace {

/// All threads have arrived: computes the vote and makes them ready.
void release_barrier(const Thread& last, Vote vote) {
    for (unsigned i = 0; i < block.size; ++i) {
        if (!same_line(block.threads[i], last)) report_divergence("threads met at different barriers");
    }
    switch (vote) {
    case Vote::None: block.verdict = 0; break;
    case Vote::Count: block.verdict = block.votes; break;
    case Vote::All: block.verdict = block.votes == int(block.size); break;
    case Vote::Any: block.verdict = block.votes > 0; break;
    }
    block.at_barrier = block.votes = 0;
    block.parity ^= 1;
    block.cursor = 0;
    if (is_random_order()) reorder();
    for (unsigned i = 0; i < block.size; ++i) set_ready(i);
}

} // namespace

} // namespace emulator

using namespace emulator;

int emulator_barrier(Vote vote, int value, const char* file, int line) {
    Thread* me = current();
    me->state = State::Barrier;
    me->file = file;
    me->line = line;
    clear_ready(me->here.number);
    block.at_barrier += 1;
    block.votes += value != 0;
    void* meeting = sync_address(most_threads + block.parity);
    release(meeting);
    if (block.at_barrier == block.size) release_barrier(*me, vote);
    wait_turn();
    acquire(meeting);
    return block.verdict;
}

uint64_t emulator_warp(Warp what, unsigned mask, uint64_t value, int argument, int width, const char* file, int line) {
    Thread* me = current();
    unsigned number = me->here.number, lane = number % warp_lanes;
    if (!(mask >> lane & 1) || width < 1 || width > 32 || (width & (width - 1)) != 0) {
        report_fault("%s, thread %s: %s:%d: lane %u calls with mask 0x%08x and width %d", describe_block().c_str(),
                 coordinates(me->here.thread).c_str(), file, line, lane, mask, width);
        abandon(Fault::Divergence);
    }
    me->state = State::Warp;
    me->file = file;
    me->line = line;
    me->what = what;
    me->mask = mask;
    me->value = value;
    me->argument = argument;
    me->width = width;
    clear_ready(number);
    bool ordered = what == Warp::Sync; // a shuffle does not order memory
    if (ordered) release(sync_address(number));
    unsigned warp = number / warp_lanes;
    block.waiting[warp] |= 1u << lane;
    if ((mask & block.alive[warp] & ~block.waiting[warp]) == 0) resolve_warp(number - lane, mask);
    if (me->state != State::Ready) wait_turn();
    if (ordered) {
        for (unsigned i = 0; i < std::min(warp_lanes, block.size - (number - lane)); ++i) {
            if (mask >> i & 1) acquire(sync_address(number - lane + i));
        }
    }
    return me->value;
}
