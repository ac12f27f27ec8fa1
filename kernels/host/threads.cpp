#include "threads.h"

#include <stdlib.h>

#include <algorithm>
#include <vector>

emulator::ThreadIndex* emulator_here = nullptr;
emulator::Grid emulator_grid;

namespace emulator {

Block block;
Fiber launcher;
Fiber* running = nullptr;

namespace {

std::vector<Fiber*> idle; // fibers without a thread
std::vector<Fiber*> all;  // all fibers, under ThreadSanitizer

void worker();

Fiber* take_fiber() {
    if (idle.empty()) {
        auto* fiber = new Fiber;
        prepare(*fiber, worker);
        return fiber;
    }
    Fiber* fiber = idle.back();
    idle.pop_back();
    return fiber;
}

[[noreturn]] void report_stuck() { report_divergence("threads wait for others that will not come"); }

void finish(Thread* me) {
    unsigned number = me->here.number;
    me->state = State::Done;
    clear_ready(number);
    block.left -= 1;
    block.alive[number / warp_lanes] &= ~(1u << number % warp_lanes);
    if (block.waiting[number / warp_lanes] == 0) return;
    // Lanes that waited only for this one can continue.
    unsigned first = number / warp_lanes * warp_lanes;
    for (unsigned i = first; i < std::min(first + warp_lanes, block.size); ++i) {
        if (block.threads[i].state == State::Warp) resolve_warp(first, block.threads[i].mask);
    }
}

/// The main loop of a fiber: runs a thread, then the next new thread, or switches to a waiting one.
void worker() {
    finish_first_switch();
    for (;;) {
        Thread* me = current();
        acquire(&block.start);
        block.launch->kernel->call(block.launch->arguments);
        release(&block.finish);
        Fiber* stack = running;
        finish(me);
        if (block.left == 0) {
            if (!races) idle.push_back(stack);
            switch_fiber(*stack, launcher);
            continue;
        }
        Thread* next = next_ready();
        if (next == nullptr) report_stuck();
        if (next->fiber == nullptr && !races) {
            next->fiber = stack;
            emulator_here = &next->here;
            continue;
        }
        if (!races) idle.push_back(stack);
        switch_to_thread(stack, next);
    }
}

} // namespace

Thread* next_ready() {
    unsigned words = (block.size + 63) / 64;
    unsigned first = block.cursor / 64;
    for (unsigned i = 0; i <= words; ++i) {
        unsigned word = first + i < words ? first + i : first + i - words;
        uint64_t set = block.ready[word];
        if (i == 0) set &= ~uint64_t(0) << (block.cursor % 64);
        if (set == 0) continue;
        unsigned at = word * 64 + __builtin_ctzll(set);
        block.cursor = at;
        return &block.threads[block.order[at]];
    }
    return nullptr;
}

Fiber* unique_fiber() {
    constexpr size_t most = 1024;
    size_t number = block.fibers++;
    if (number < all.size()) return all[number];
    if (number < most) {
        auto* fiber = new Fiber;
        prepare(*fiber, worker);
        all.push_back(fiber);
        return fiber;
    }
    Fiber* fiber = all[number % most];
    prepare(*fiber, worker);
    return fiber;
}

void switch_to_thread(Fiber* from, Thread* next) {
    emulator_here = &next->here;
    if (next->fiber == nullptr) next->fiber = take_fiber();
    running = next->fiber;
    switch_fiber(*from, *next->fiber);
    running = from;
}

/// Suspends the current thread, which has recorded what it waits for.
void wait_turn() {
    Thread* me = current();
    Fiber* stack = running;
    me->fiber = stack;
    Thread* next = next_ready();
    if (next == nullptr) report_stuck();
    if (next == me) return;
    switch_to_thread(stack, next);
}

void abandon(Fault fault) {
    block.fault = fault;
    switch_fiber(*running, launcher);
    abort();
}

} // namespace emulator
