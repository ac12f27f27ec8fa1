#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <numeric>
#include <utility>

#include "report.h"

namespace emulator {

namespace {

enum class Kind { Forward, Reverse, Random };

uint64_t state; // the state of SplitMix64

Kind kind() {
    static const Kind chosen = [] {
        const char* text = option("GRADUS_EMULATOR_ORDER");
        if (text == nullptr || strcmp(text, "forward") == 0) return Kind::Forward;
        if (strcmp(text, "reverse") == 0) return Kind::Reverse;
        char* end = nullptr;
        if (strncmp(text, "random:", 7) == 0) state = strtoull(text + 7, &end, 10);
        if (end == nullptr || end == text + 7 || *end != 0) {
            fprintf(stderr, "gradus emulator: GRADUS_EMULATOR_ORDER=%s is not forward, reverse or random:SEED\n", text);
            abort();
        }
        return Kind::Random;
    }();
    return chosen;
}

uint64_t draw() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

} // namespace

bool is_random_order() { return kind() == Kind::Random; }

void fill_order(unsigned short* order, unsigned count) {
    bool reverse = kind() == Kind::Reverse;
    for (unsigned i = 0; i < count; ++i) order[i] = static_cast<unsigned short>(reverse ? count - 1 - i : i);
    if (!is_random_order()) return;
    for (unsigned i = count; i > 1; --i) std::swap(order[i - 1], order[draw() % i]);
}

GridOrder::GridOrder(uint64_t count) : count_(count), step_(1), at_(0) {
    if (kind() == Kind::Reverse) {
        step_ = count - 1;
        at_ = count - 1;
    } else if (is_random_order()) {
        // A step coprime to the count reaches every block once.
        do step_ = 1 + draw() % count;
        while (std::gcd(step_, count) != 1);
        at_ = draw() % count;
    }
}

uint64_t GridOrder::next() {
    uint64_t here = at_;
    at_ = (at_ + step_) % count_;
    return here;
}

} // namespace emulator
