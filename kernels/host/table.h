// The table of kernels of a module: how to call each from cuLaunchKernel's array of pointers to arguments, and the sizes of the
// arguments, so that a captured launch can copy them.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <utility>

namespace emulator {

struct Kernel {
    const char* name; // null ends a table
    void (*call)(void** arguments);
    unsigned count;
    const uint32_t* sizes;
    unsigned max_threads; // from __launch_bounds__, or 1024
};

template <auto F>
struct Caller;

template <class... P, void (*F)(P...)>
struct Caller<F> {
    static constexpr uint32_t sizes[] = {sizeof(P)..., 0};

    template <size_t... I>
    static void unpack(void** arguments, std::index_sequence<I...>) {
        F(*static_cast<P*>(arguments[I])...);
    }
    static void call(void** arguments) { unpack(arguments, std::index_sequence_for<P...>{}); }

    static constexpr Kernel entry(const char* name, unsigned max_threads) {
        return {name, call, sizeof...(P), sizes, max_threads};
    }
};

} // namespace emulator
