// What the driver's entry points share: its result codes, handles, and the rules of a stream that is being captured.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "block.h"
#include "schedule.h"

namespace emulator {

/// CUresult, with the driver's numbers and its names in errors.cpp.
enum Result : int {
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    NotInitialized = 3,
    Deinitialized = 4,
    DeviceUnavailable = 46,
    NoDevice = 100,
    InvalidDevice = 101,
    InvalidContext = 201,
    InvalidPtx = 218,
    FileNotFound = 301,
    InvalidHandle = 400,
    NotFound = 500,
    IllegalAddress = 700,
    LaunchOutOfResources = 701,
    LaunchFailed = 719,
    NotSupported = 801,
    DriverMismatch = 803,
    CaptureUnsupported = 900,
    CaptureInvalidated = 901,
    CaptureMerge = 902,
    CaptureUnmatched = 903,
    CaptureUnjoined = 904,
    CaptureIsolation = 905,
    CaptureImplicit = 906,
    CapturedEvent = 907,
    CaptureWrongThread = 908,
};

struct Stream;

/// Something that a stream does: now, or each time that the graph it was captured into is launched.
struct Work {
    std::string what;                              // for the record
    std::function<Result(const char* prefix)> run; // the prefix is "" or "replay "
};

enum class Mode : int { Global = 0, ThreadLocal = 1, Relaxed = 2 };

struct Capture {
    Stream* origin;
    Mode mode;
    std::thread::id thread;
    bool invalid = false;
    std::vector<std::shared_ptr<const Work>> work;
};

struct Stream {
    long number; // 0 is the legacy default stream, -1 the one of each thread
    std::shared_ptr<Capture> capture;
    unsigned long long works = 0;  // captured so far
    bool unjoined = false;         // has work in another stream's capture that the origin does not wait for
};

struct Context {
    int device;
    unsigned references = 0;
};

struct Module;

struct Function {
    const Kernel* kernel;
    Module* module;
    size_t most_dynamic_shared = 48 << 10; // until the attribute raises it
    size_t static_shared = 0;              // learned at the first launch
};

struct Module {
    std::string name; // with its scalar
    std::map<std::string, Function> functions;
    bool unloaded = false;
};

constexpr size_t most_shared = 232448; // of compute capability 9.0, for kernels that ask
constexpr unsigned static_shared_limit = 48 << 10;

/// Taken by every entry point. Says at once what a driver in this state says to every call.
class Entry {
public:
    enum class Needs { Nothing, Driver, Context };
    explicit Entry(Needs needs);
    /// The status to return at once, or Success.
    Result status;

private:
    std::lock_guard<std::recursive_mutex> lock_;
};

#define DRIVER EMULATOR_EXPORT emulator::Result
#define ENTER(NEEDS)                                     \
    emulator::Entry entry(emulator::Entry::Needs::NEEDS); \
    if (entry.status != emulator::Success) return entry.status

/// The error that a fault of a kernel leaves behind: every later call returns it, as on a GPU.
Result fail_for_good(Result result);

/// Counts a kernel that is about to run. Not Success where GRADUS_EMULATOR_FAIL_LAUNCH says that the device is gone.
Result count_launch();

/// A stream by its handle; null for one that does not exist.
Stream* find_stream(void* handle);

/// The legacy stream may not be used, nor memory allocated or anything waited for, while a capture is under way that this
/// thread began, or any thread in global mode. The capture is lost.
Result forbid_while_capturing(const char* what, Result result = CaptureUnsupported);

/// Does the work, or adds it to the capture that the stream is in.
Result submit(void* stream, Work work);

Context* current_context();

} // namespace emulator
