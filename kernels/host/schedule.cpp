#include "schedule.h"

#include <setjmp.h>
#include <signal.h>

#include <algorithm>

#include "order.h"
#include "report.h"
#include "shared.h"
#include "turns.h"

namespace emulator {

void reorder() {
    arrange(block.order, block.size);
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
        for (unsigned i = 0; i < block.size; ++i) block.threads[i].fiber = fiber_of_its_own();
    }
}

bool run_block(uint3 index, bool first) {
    begin_shared(block.launch->shared, first);
    start_block(index);
    if (shuffles()) reorder();
    release(&block.start);
    hand_over(&home, next_ready());
    emulator_here = nullptr;
    if (block.fault != Fault::None) return false;
    if (const char* name = broken_shared()) {
        complain("%s: a write past the end of %s", place_of_block().c_str(), name);
        block.fault = Fault::Address;
        return false;
    }
    return true;
}

sigjmp_buf escape;

// What a signal was about. Nothing is said where it arrives: what a program has as a stack for signals is too small for words, and
// whoever overflows it comes here again, for ever.
int signal_number;
void* signal_address;

/// An access to memory that is nobody's: the launch ends, the program need not.
void on_signal(int signal, siginfo_t* info, void*) {
    signal_number = signal;
    signal_address = info->si_addr;
    siglongjmp(escape, 1);
}

void tell_signal() {
    bool division = signal_number == SIGFPE;
    const char* what = division ? "an integer division by zero" : "an access to memory that is nobody's";
    if (emulator_here != nullptr) {
        complain("%s, thread %s: %s (address %p)", place_of_block().c_str(),
                 coordinates(emulator_here->thread).c_str(), what, division ? nullptr : signal_address);
    } else {
        complain("%s: %s", place_of_block().c_str(), what);
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
    adopt(home);
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
            tell_signal();
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
