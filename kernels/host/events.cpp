// Events. All submitted work is already done, so only events that are recorded in a capture have an effect.
#include <chrono>
#include <set>

#include "driver.h"
#include "report.h"

using namespace emulator;

namespace {

struct Event {
    bool times, recorded = false;
    std::chrono::steady_clock::time_point at;
    // The place of the record, if it was in a capture.
    std::weak_ptr<Capture> capture;
    bool captured = false;
    Stream* stream = nullptr;
    unsigned long long works = 0;
};

std::set<Event*>& events() {
    static std::set<Event*>& all = *new std::set<Event*>;
    return all;
}

} // namespace

DRIVER cuEventCreate(Event** event, unsigned flags) {
    ENTER(Context);
    constexpr unsigned disable_timing = 2;
    *event = new Event{(flags & disable_timing) == 0, false, {}, {}, false, nullptr, 0};
    events().insert(*event);
    return Success;
}

DRIVER cuEventDestroy_v2(Event* event) {
    ENTER(Context);
    if (events().erase(event) == 0) return InvalidHandle;
    delete event;
    return Success;
}

DRIVER cuEventRecord(Event* event, void* handle) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (events().count(event) == 0 || stream == nullptr) return InvalidHandle;
    if (stream->number == 0) {
        if (Result refused = forbid_while_capturing("use of the default stream", CaptureImplicit)) return refused;
    }
    event->captured = stream->capture != nullptr;
    event->capture = stream->capture;
    event->stream = stream;
    event->works = stream->works;
    event->recorded = true;
    event->at = std::chrono::steady_clock::now();
    return event->captured && stream->capture->invalid ? CaptureInvalidated : Success;
}

DRIVER cuStreamWaitEvent(void* handle, Event* event, unsigned) {
    ENTER(Context);
    Stream* stream = find_stream(handle);
    if (events().count(event) == 0 || stream == nullptr) return InvalidHandle;
    if (!event->recorded) return Success;
    std::shared_ptr<Capture> theirs = event->capture.lock();
    if (event->captured && theirs && event->stream->capture == theirs) {
        if (stream->capture && stream->capture != theirs) return CaptureMerge;
        if (!stream->capture) {
            if (stream->number == 0) return CaptureImplicit;
            stream->capture = theirs;
            stream->unjoined = true;
        }
        if (event->stream != stream && event->works == event->stream->works) event->stream->unjoined = false;
        return Success;
    }
    if (stream->capture) {
        report_fault("stream %ld is captured, and waits for an event that was recorded outside: the capture is lost",
                 stream->number);
        stream->capture->invalid = true;
        return CaptureIsolation;
    }
    return Success;
}

DRIVER cuEventQuery(Event* event) {
    ENTER(Context);
    if (events().count(event) == 0) return InvalidHandle;
    return event->captured && !event->capture.expired() ? CapturedEvent : Success;
}

DRIVER cuEventSynchronize(Event* event) {
    ENTER(Context);
    if (events().count(event) == 0) return InvalidHandle;
    if (event->captured && !event->capture.expired()) return CapturedEvent;
    return forbid_while_capturing("cuEventSynchronize");
}

DRIVER cuEventElapsedTime_v2(float* milliseconds, Event* start, Event* end) {
    ENTER(Context);
    if (events().count(start) == 0 || events().count(end) == 0) return InvalidHandle;
    if (!start->times || !end->times || !start->recorded || !end->recorded) return InvalidHandle;
    if (start->captured || end->captured) return CapturedEvent;
    *milliseconds = std::chrono::duration<float, std::milli>(end->at - start->at).count();
    return Success;
}

DRIVER cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    return cuEventElapsedTime_v2(milliseconds, start, end);
}
