#include "grid.h"

#include <setjmp.h>
#include <signal.h>

#include <algorithm>

#include "order.h"
#include "report.h"
#include "shared.h"
#include "threads.h"

namespace emulator {

void reorder() {
    fill_order(block.order, block.size);
    for (unsigned i = 0; i < block.size; ++i) block.place[block.order[i]] = static_cast<unsigned short>(i);
}

namespace {

void start_block(uint3 index) {
    emulator_grid.block = index;
    block.left = block.size;
    block.at_barrier = block.votes = 0;
    block.cursor = 0;
    for (unsigned i = 0; i < block.size; ++i) {
        block.threads[i].state = State::Ready;
        block.threads[i].fiber = nullptr;
    }
    for (unsigned i = 0; i < block.size; i += warp_lanes) {
        unsigned lanes = std::min(warp_lanes, block.size - i);
        block.alive[i / warp_lanes] = lanes == warp_lanes ? ~0u : (1u << lanes) - 1;
        block.waiting[i / warp_lanes] = 0;
    }
    unsigned words = (block.size + 63) / 64;
    for (unsigned i = 0; i < words; ++i) block.ready[i] = ~uint64_t(0);
    if (block.size % 64 != 0) block.ready[words - 1] = (uint64_t(1) << (block.size % 64)) - 1;
    if (races) {
        for (unsigned i = 0; i < block.size; ++i) block.threads[i].fiber = unique_fiber();
    }
}

bool run_block(uint3 index, bool first) {
    begin_shared(block.launch->shared, first);
    start_block(index);
    if (is_random_order()) reorder();
    release(&block.start);
    switch_to_thread(&launcher, next_ready());
    emulator_here = nullptr;
    if (block.fault != Fault::None) return false;
    if (const char* name = find_broken_guard()) {
        report_fault("%s: a write past the end of %s", describe_block().c_str(), name);
        block.fault = Fault::Address;
        return false;
    }
    return true;
}

sigjmp_buf escape;

// The cause of a signal. The handler prints nothing, because a program's signal stack may be too small for it, and an overflow
// would raise the signal again for ever.
int signal_number;
void* signal_address;

/// Handles an invalid access: the launch ends, but the program continues.
void on_signal(int signal, siginfo_t* info, void*) {
    signal_number = signal;
    signal_address = info->si_addr;
    siglongjmp(escape, 1);
}

void report_signal() {
    bool division = signal_number == SIGFPE;
    const char* what = division ? "an integer division by zero" : "an access to unmapped memory";
    if (emulator_here != nullptr) {
        report_fault("%s, thread %s: %s (address %p)", describe_block().c_str(),
                 coordinates(emulator_here->thread).c_str(), what, division ? nullptr : signal_address);
    } else {
        report_fault("%s: %s", describe_block().c_str(), what);
    }
}

constexpr int caught[] = {SIGSEGV, SIGBUS, SIGFPE};

void run_grid() {
    dim3 grid = block.launch->grid;
    uint64_t count = uint64_t(grid.x) * grid.y * grid.z;
    GridOrder order(count);
    for (uint64_t i = 0; i < count; ++i) {
        uint64_t at = order.next();
        uint3 index = {unsigned(at % grid.x), unsigned(at / grid.x % grid.y), unsigned(at / grid.x / grid.y)};
        if (!run_block(index, i == 0)) break;
    }
}

} // namespace

Fault run(const Launch& launch) {
    adopt_system_stack(launcher);
    block.launch = &launch;
    block.fault = Fault::None;
    block.fibers = 0;
    block.size = launch.block.x * launch.block.y * launch.block.z;
    emulator_grid.block_size = launch.block;
    emulator_grid.grid_size = launch.grid;
    for (unsigned i = 0; i < block.size; ++i) {
        unsigned x = launch.block.x, y = launch.block.y;
        block.threads[i].here = {{i % x, i / x % y, i / x / y}, i};
    }
    reorder();
    if (races || addresses) {
        run_grid();
    } else {
        struct sigaction action = {}, old[3];
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 3; ++i) sigaction(caught[i], &action, &old[i]);
        if (sigsetjmp(escape, 0) == 0) {
            run_grid();
        } else {
            report_signal();
            block.fault = Fault::Address;
        }
        for (int i = 0; i < 3; ++i) sigaction(caught[i], &old[i], nullptr);
    }
    acquire(&block.finish);
    emulator_here = nullptr;
    end_shared();
    return block.fault;
}

} // namespace emulator
