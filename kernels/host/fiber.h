// Fibers: stacks that take turns on one system thread, one for each CUDA thread that waits for others.
#pragma once
#include <stddef.h>

namespace emulator {

struct Fiber {
    void* at = nullptr;      // the stack pointer while it does not run
    char* stack = nullptr;   // the lowest byte, above a guard page; null for the system's own stack
    size_t bytes = 0;
    void* race = nullptr;    // ThreadSanitizer's fiber
    void* fake = nullptr;    // AddressSanitizer's fake stack
};

/// Prepares a fiber that runs `main` on its own stack from its next turn on, whatever it did before; `main` never returns.
void prepare(Fiber& fiber, void (*main)());

/// Switches fibers; returns when another fiber switches back.
void switch_fiber(Fiber& from, Fiber& to);

/// The first call of a new fiber, which sanitizers need.
void finish_first_switch();

/// Makes the system's own stack one of the fibers.
void adopt_system_stack(Fiber& fiber);

/// Happens-before edges, for ThreadSanitizer only.
void release(void* what);
void acquire(void* what);

#if defined(EMULATOR_THREAD_SANITIZER)
constexpr bool races = true;
#else
constexpr bool races = false;
#endif
#if defined(EMULATOR_ADDRESS_SANITIZER)
constexpr bool addresses = true;
#else
constexpr bool addresses = false;
#endif

} // namespace emulator
