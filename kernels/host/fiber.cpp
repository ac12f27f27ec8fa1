#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__x86_64__)
// Saves the callee-saved registers and the stack pointer, without the system call of swapcontext.
__asm__(R"(
    .text
    .globl emulator_switch
    .hidden emulator_switch
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emulator_switch, .-emulator_switch
)");
extern "C" void emulator_switch(void** save, void* load);
#else
#include <ucontext.h>
#endif

#if defined(EMULATOR_THREAD_SANITIZER)
extern "C" void* __tsan_get_current_fiber();
extern "C" void* __tsan_create_fiber(unsigned flags);
extern "C" void __tsan_destroy_fiber(void* fiber);
extern "C" void __tsan_switch_to_fiber(void* fiber, unsigned flags);
extern "C" void __tsan_acquire(void* what);
extern "C" void __tsan_release(void* what);
#endif
#if defined(EMULATOR_ADDRESS_SANITIZER)
extern "C" void __sanitizer_start_switch_fiber(void** fake, const void* bottom, size_t bytes);
extern "C" void __sanitizer_finish_switch_fiber(void* fake, const void** bottom, size_t* bytes);
extern "C" void __asan_unpoison_memory_region(const volatile void* at, size_t bytes);
#endif

namespace emulator {

namespace {
constexpr size_t page = 4096;
constexpr size_t stack_bytes = races || addresses ? 256 << 10 : 64 << 10;

// The part of the stack with the frames of kernels, under ThreadSanitizer. Its own frames lie below, and it does not track
// them.
constexpr size_t fresh_bytes = 32 << 10;
#if defined(EMULATOR_ADDRESS_SANITIZER)
Fiber* before = nullptr; // the previous fiber; if its stack is the system's, the switch reveals its bounds
#endif
} // namespace

void prepare(Fiber& fiber, void (*main)()) {
    if (fiber.stack == nullptr) {
        void* got = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (got == MAP_FAILED) abort();
        mprotect(got, page, PROT_NONE);
        fiber.stack = static_cast<char*>(got) + page;
        fiber.bytes = stack_bytes;
    }
#if defined(EMULATOR_ADDRESS_SANITIZER)
    // Functions that were abandoned have left their red zones.
    __asan_unpoison_memory_region(fiber.stack, fiber.bytes);
    fiber.fake = nullptr;
#endif
#if defined(EMULATOR_THREAD_SANITIZER)
    // A new thread will use this stack. Mapping it anew makes ThreadSanitizer forget earlier writes.
    if (fiber.race != nullptr) __tsan_destroy_fiber(fiber.race);
    void* fresh = fiber.stack + stack_bytes - fresh_bytes;
    mmap(fresh, fresh_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fiber.race = __tsan_create_fiber(0);
#endif
#if defined(__x86_64__)
    // Six registers that the first switch pops, the address of `main`, and a null as its return address.
    auto* top = reinterpret_cast<uintptr_t*>(fiber.stack + fiber.bytes);
    top[-1] = 0;
    top[-2] = reinterpret_cast<uintptr_t>(main);
    for (int i = 3; i <= 8; ++i) top[-i] = 0;
    fiber.at = top - 8;
#else
    auto* context = static_cast<ucontext_t*>(fiber.at ? fiber.at : malloc(sizeof(ucontext_t)));
    getcontext(context);
    context->uc_stack.ss_sp = fiber.stack;
    context->uc_stack.ss_size = fiber.bytes;
    context->uc_link = nullptr;
    makecontext(context, main, 0);
    fiber.at = context;
#endif
}

void switch_fiber(Fiber& from, Fiber& to) {
#if defined(EMULATOR_ADDRESS_SANITIZER)
    before = &from;
    __sanitizer_start_switch_fiber(&from.fake, to.stack, to.bytes);
#endif
#if defined(EMULATOR_THREAD_SANITIZER)
    __tsan_switch_to_fiber(to.race, 1); // 1: a switch orders nothing
#endif
#if defined(__x86_64__)
    emulator_switch(&from.at, to.at);
#else
    swapcontext(static_cast<ucontext_t*>(from.at), static_cast<ucontext_t*>(to.at));
#endif
#if defined(EMULATOR_ADDRESS_SANITIZER)
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(from.fake, &bottom, &bytes);
    if (before->stack == nullptr) before->stack = static_cast<char*>(const_cast<void*>(bottom)), before->bytes = bytes;
#endif
}

void finish_first_switch() {
#if defined(EMULATOR_ADDRESS_SANITIZER)
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (before->stack == nullptr) before->stack = static_cast<char*>(const_cast<void*>(bottom)), before->bytes = bytes;
#endif
}

void adopt_system_stack(Fiber& fiber) {
    fiber.stack = nullptr;
    fiber.bytes = 0;
#if defined(EMULATOR_THREAD_SANITIZER)
    fiber.race = __tsan_get_current_fiber();
#endif
#if !defined(__x86_64__)
    if (fiber.at == nullptr) fiber.at = malloc(sizeof(ucontext_t));
#endif
}

void release(void* what) {
#if defined(EMULATOR_THREAD_SANITIZER)
    __tsan_release(what);
#else
    (void)what;
#endif
}

void acquire(void* what) {
#if defined(EMULATOR_THREAD_SANITIZER)
    __tsan_acquire(what);
#else
    (void)what;
#endif
}

} // namespace emulator
