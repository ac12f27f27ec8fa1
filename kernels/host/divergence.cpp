// Reports of blocks that cannot continue.
#include <stdio.h>

#include <vector>

#include "report.h"
#include "threads.h"

namespace emulator {

std::string coordinates(const uint3& at) {
    char text[64];
    snprintf(text, sizeof text, "(%u, %u, %u)", at.x, at.y, at.z);
    return text;
}

std::string describe_block() {
    return std::string(block.launch->kernel->name) + ", block " + coordinates(emulator_grid.block);
}

namespace {

/// Returns text such as "0-15, 17": the threads for which `in` is true.
template <class F>
std::string ranges(F in) {
    std::string text;
    for (unsigned i = 0; i < block.size;) {
        if (!in(block.threads[i])) {
            ++i;
            continue;
        }
        unsigned last = i;
        while (last + 1 < block.size && in(block.threads[last + 1])) ++last;
        text += (text.empty() ? "" : ", ") + std::to_string(i);
        if (last > i) text += "-" + std::to_string(last);
        i = last + 1;
    }
    return text;
}

} // namespace

void report_divergence(const char* headline) {
    std::string text = describe_block() + ": " + headline;
    std::vector<bool> reported(block.size, false);
    for (unsigned i = 0; i < block.size; ++i) {
        const Thread& one = block.threads[i];
        if (reported[i] || one.state == State::Done || one.state == State::Ready) continue;
        auto same = [&](const Thread& t) {
            return t.state == one.state && same_line(t, one) && (t.state == State::Barrier || t.mask == one.mask);
        };
        char where[512];
        if (one.state == State::Barrier) {
            snprintf(where, sizeof where, "\n  at the barrier of %s:%d: threads ", one.file, one.line);
        } else {
            snprintf(where, sizeof where, "\n  at the warp operation with mask 0x%08x of %s:%d: threads ", one.mask,
                     one.file, one.line);
        }
        text += where + ranges(same);
        for (unsigned j = i; j < block.size; ++j) reported[j] = reported[j] || same(block.threads[j]);
    }
    std::string ended = ranges([](const Thread& t) { return t.state == State::Done; });
    if (!ended.empty()) text += "\n  ended: threads " + ended;
    std::string busy = ranges([](const Thread& t) { return t.state == State::Ready; });
    if (!busy.empty()) text += "\n  elsewhere: threads " + busy;
    report_fault("%s", text.c_str());
    abandon(Fault::Divergence);
}

} // namespace emulator

using namespace emulator;

void emulator_trap(const char* what, const char* file, int line) {
    report_fault("%s, thread %s: %s:%d: %s", describe_block().c_str(), coordinates(emulator_here->thread).c_str(), file,
             line, what);
    abandon(Fault::Trap);
}
