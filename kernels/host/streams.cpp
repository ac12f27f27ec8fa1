// Streams, their capture, and graphs. Work runs when it is submitted, which is one of the orders that a GPU may choose.
#include <set>

#include "driver.h"
#include "memory.h"
#include "report.h"

namespace emulator {

namespace {

Stream legacy{0, nullptr, 0, false};
Stream per_thread{-1, nullptr, 0, false};

std::set<Stream*>& streams() {
    static std::set<Stream*>& all = *new std::set<Stream*>;
    return all;
}

long streams_made = 0;

void invalidate(Capture& capture, const char* why) {
    report_fault("%s while stream %ld is captured: the capture is lost", why, capture.origin->number);
    capture.invalid = true;
}

} // namespace

Stream* find_stream(void* handle) {
    if (handle == nullptr || handle == reinterpret_cast<void*>(1)) return &legacy;
    if (handle == reinterpret_cast<void*>(2)) return &per_thread;
    auto* stream = static_cast<Stream*>(handle);
    return streams().count(stream) != 0 ? stream : nullptr;
}

Result forbid_while_capturing(const char* what, Result result) {
    bool found = false;
    auto look = [&](Stream* stream) {
        Capture* capture = stream->capture.get();
        if (capture == nullptr || capture->mode == Mode::Relaxed) return;
        if (capture->mode == Mode::ThreadLocal && capture->thread != std::this_thread::get_id()) return;
        found = true;
        if (!capture->invalid) invalidate(*capture, what);
    };
    for (Stream* stream : streams()) look(stream);
    look(&per_thread);
    return found ? result : Success;
}

Result submit(void* handle, Work work) {
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    if (stream == &legacy) {
        if (Result refused = forbid_while_capturing("use of the default stream", CaptureImplicit)) return refused;
    }
    if (Capture* capture = stream->capture.get()) {
        if (capture->invalid) return CaptureInvalidated;
        log_line("capture %s stream %ld", work.what.c_str(), stream->number);
        capture->work.push_back(std::make_shared<const Work>(std::move(work)));
        stream->works += 1;
        stream->unjoined = stream != capture->origin;
        return Success;
    }
    log_line("%s stream %ld", work.what.c_str(), stream->number);
    return work.run("");
}

} // namespace emulator

using namespace emulator;

namespace {

struct Graph {
    std::vector<std::shared_ptr<const Work>> work;
};

struct Executable {
    std::vector<std::shared_ptr<const Work>> work;
    unsigned number;
};

std::set<void*>& graphs() {
    static std::set<void*>& all = *new std::set<void*>;
    return all;
}

unsigned executables_made = 0;

} // namespace

DRIVER cuStreamCreate(Stream** stream, unsigned) {
    ENTER(Context);
    *stream = new Stream{++streams_made, nullptr, 0, false};
    streams().insert(*stream);
    log_line("stream %ld", (*stream)->number);
    return Success;
}

DRIVER cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }

DRIVER cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    ENTER(Context);
    *least = 0;
    *greatest = -5;
    return Success;
}

DRIVER cuStreamDestroy_v2(Stream* stream) {
    ENTER(Context);
    if (streams().erase(stream) == 0) return InvalidHandle;
    if (stream->capture) stream->capture->invalid = true;
    delete stream;
    return Success;
}

DRIVER cuStreamSynchronize(void* handle) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    if (stream->capture && !stream->capture->invalid) invalidate(*stream->capture, "cuStreamSynchronize");
    if (stream->capture) return CaptureUnsupported;
    if (Result refused = forbid_while_capturing("cuStreamSynchronize")) return refused;
    log_line("synchronize stream %ld", stream->number);
    return check_all_guards("found at cuStreamSynchronize") ? Success : fail_permanently(IllegalAddress);
}

DRIVER cuStreamQuery(void* handle) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    if (stream->capture && !stream->capture->invalid) invalidate(*stream->capture, "cuStreamQuery");
    return stream->capture ? CaptureUnsupported : Success;
}

DRIVER cuStreamBeginCapture_v2(void* handle, int mode) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    if (stream == &legacy) {
        report_fault("cuStreamBeginCapture on the default stream");
        return CaptureUnsupported;
    }
    if (mode < 0 || mode > 2) return InvalidValue;
    if (stream->capture) return InvalidValue;
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = Mode(mode);
    stream->capture->thread = std::this_thread::get_id();
    log_line("capture begins stream %ld", stream->number);
    return Success;
}

DRIVER cuStreamEndCapture(void* handle, Graph** graph) {
    ENTER(Context);
    *graph = nullptr;
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    std::shared_ptr<Capture> capture = stream->capture;
    if (!capture) return InvalidValue;
    if (capture->origin != stream) {
        capture->invalid = true;
        return CaptureUnmatched;
    }
    if (capture->mode != Mode::Relaxed && capture->thread != std::this_thread::get_id()) return CaptureWrongThread;
    bool unjoined = false;
    for (Stream* other : streams()) {
        if (other->capture != capture) continue;
        unjoined = unjoined || other->unjoined;
        other->capture.reset();
        other->unjoined = false;
    }
    per_thread.capture.reset();
    if (capture->invalid) {
        log_line("capture ends stream %ld invalid", stream->number);
        return CaptureInvalidated;
    }
    if (unjoined) {
        report_fault("cuStreamEndCapture: work of another stream that stream %ld does not wait for", stream->number);
        return CaptureUnjoined;
    }
    log_line("capture ends stream %ld works %zu", stream->number, capture->work.size());
    *graph = new Graph{std::move(capture->work)};
    graphs().insert(*graph);
    return Success;
}

DRIVER cuStreamIsCapturing(void* handle, int* status) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (stream == nullptr) return InvalidHandle;
    *status = !stream->capture ? 0 : stream->capture->invalid ? 2 : 1;
    return Success;
}

DRIVER cuGraphInstantiateWithFlags(Executable** executable, Graph* graph, unsigned long long flags) {
    ENTER(Context);
    constexpr unsigned long long auto_free = 1, device_launch = 4, known = 15;
    if ((flags & ~known) != 0 || ((flags & auto_free) && (flags & device_launch))) return InvalidValue;
    if (graphs().count(graph) == 0) return InvalidHandle;
    if (Result refused = forbid_while_capturing("cuGraphInstantiate")) return refused;
    *executable = new Executable{graph->work, ++executables_made};
    graphs().insert(*executable);
    log_line("graph %u works %zu", (*executable)->number, graph->work.size());
    return Success;
}

DRIVER cuGraphUpload(Executable* executable, void* handle) {
    ENTER(Context);
    return graphs().count(executable) != 0 && find_stream(handle) != nullptr ? Success : InvalidHandle;
}

DRIVER cuGraphLaunch(Executable* executable, void* handle) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (graphs().count(executable) == 0 || stream == nullptr) return InvalidHandle;
    if (stream->capture) {
        if (!stream->capture->invalid) invalidate(*stream->capture, "cuGraphLaunch");
        return CaptureUnsupported;
    }
    if (stream == &legacy) {
        if (Result refused = forbid_while_capturing("use of the default stream", CaptureImplicit)) return refused;
    }
    log_line("graph launch %u stream %ld", executable->number, stream->number);
    for (const auto& work : executable->work) {
        log_line("replay %s stream %ld", work->what.c_str(), stream->number);
        if (Result failed = work->run("replay ")) return failed;
    }
    return Success;
}

DRIVER cuGraphExecDestroy(Executable* executable) {
    ENTER(Context);
    if (graphs().erase(executable) == 0) return InvalidHandle;
    delete executable;
    return Success;
}

DRIVER cuGraphDestroy(Graph* graph) {
    ENTER(Context);
    if (graphs().erase(graph) == 0) return InvalidHandle;
    delete graph;
    return Success;
}

DRIVER cuGraphGetNodes(Graph* graph, void**, size_t* count) {
    ENTER(Context);
    if (graphs().count(graph) == 0) return InvalidHandle;
    *count = graph->work.size();
    return Success;
}

DRIVER cuLaunchHostFunc(void* handle, void (*function)(void*), void* data) {
    ENTER(Context);
    return submit(handle, {"host function", [=](const char*) {
                               function(data);
                               return Success;
                           }});
}
