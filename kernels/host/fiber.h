// Stacks that take turns on one thread of the system: one for each CUDA thread that waits for others.
#pragma once
#include <stddef.h>

namespace emulator {

struct Fiber {
    void* at = nullptr;      // the stack pointer while it does not run
    char* stack = nullptr;   // the lowest byte, above a page that may not be touched; null for the system's own stack
    size_t bytes = 0;
    void* race = nullptr;    // ThreadSanitizer's fiber
    void* fake = nullptr;    // AddressSanitizer's fake stack
};

/// A fiber that runs `main` on a stack of its own from its first turn on, whatever it did before; `main` never returns.
void prepare(Fiber& fiber, void (*main)());

/// Gives the turn away; returns when somebody gives it back.
void give(Fiber& from, Fiber& to);

/// What a fiber says first.
void begun();

/// Makes the system's own stack one of those that take turns.
void adopt(Fiber& fiber);

/// Happens-before, for ThreadSanitizer alone.
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
