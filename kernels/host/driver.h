// Declarations shared by the driver's entry points: result codes, handles, and the rules for a stream that is being captured.
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
#include "grid.h"

namespace emulator {

/// CUresult, with the driver's numbers. errors.cpp has the names.
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

/// An operation of a stream. It runs now, or at each launch of the graph into which it was captured.
struct Work {
    std::string what;                              // for the log
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
    long number; // 0 is the legacy default stream, -1 the per-thread default stream
    std::shared_ptr<Capture> capture;
    unsigned long long works = 0;  // the number of operations captured so far
    bool unjoined = false;         // true if it has work in another stream's capture, for which the origin does not wait
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
    size_t static_shared = 0;              // known after the first launch
};

struct Module {
    std::string name; // with its scalar type
    std::map<std::string, Function> functions;
    bool unloaded = false;
};

constexpr size_t most_shared = 232448; // the opt-in maximum of compute capability 9.0
constexpr unsigned static_shared_limit = 48 << 10;

/// A guard at the start of every entry point: it locks the driver and computes the error that every call returns in this state.
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

/// Makes every later call return this error, as a GPU does after a kernel's fault.
Result fail_permanently(Result result);

/// Counts a kernel that is about to run. Returns an error if GRADUS_EMULATOR_FAIL_LAUNCH says that the device is lost.
Result count_launch();

/// Finds a stream by its handle; null if it does not exist.
Stream* find_stream(void* handle);

/// Forbids use of the legacy stream, allocation and waiting during a capture that this thread began, or that any thread began
/// in global mode. A violation invalidates the capture.
Result forbid_while_capturing(const char* what, Result result = CaptureUnsupported);

/// Runs the work, or adds it to the capture of the stream.
Result submit(void* stream, Work work);

Context* current_context();

} // namespace emulator
