// The driver's initialisation, its devices and contexts.
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

namespace emulator {

namespace {

std::recursive_mutex& lock() {
    static std::recursive_mutex& mutex = *new std::recursive_mutex;
    return mutex;
}

bool initialised = false;
Result lost = Success;
thread_local Context* current = nullptr;

Context primary[16];

int device_count() {
    static const int count = int(number("GRADUS_EMULATOR_DEVICES", 1));
    return count < 16 ? count : 16;
}

int driver_version() {
    static const int version = int(number("GRADUS_EMULATOR_DRIVER_VERSION", 13000));
    return version;
}

/// Parses GRADUS_EMULATOR_COMPUTE, such as "9.0".
int compute_capability(bool minor) {
    const char* text = option("GRADUS_EMULATOR_COMPUTE");
    int high = 9, low = 0;
    if (text != nullptr && sscanf(text, "%d.%d", &high, &low) != 2) {
        fprintf(stderr, "gradus emulator: GRADUS_EMULATOR_COMPUTE=%s is not MAJOR.MINOR\n", text);
        abort();
    }
    return minor ? low : high;
}

int attribute(int which) {
    switch (which) {
    case 1: return 1024;                   // threads of a block
    case 2: case 3: return 1024;           // along x, y
    case 4: return 64;                     // along z
    case 5: return 2147483647;             // blocks along x
    case 6: case 7: return 65535;          // along y, z
    case 8: return static_shared_limit;    // shared memory of a block
    case 9: return 65536;                  // constant memory
    case 10: return 32;                    // warp
    case 12: return 65536;                 // registers of a block
    case 13: return 1000000;               // clock, kHz
    case 16: return int(number("GRADUS_EMULATOR_MULTIPROCESSORS", 4));
    case 31: return 1;                     // concurrent kernels
    case 36: return 1000000;               // memory clock, kHz
    case 37: return 64;                    // bus, bits
    case 38: return 4 << 20;               // level 2 cache
    case 39: return 2048;                  // threads of a multiprocessor
    case 40: return 1;                     // copy engines
    case 41: return 1;                     // unified addresses
    case 75: return compute_capability(false);
    case 76: return compute_capability(true);
    case 81: return 233472;                // shared memory of a multiprocessor
    case 82: return 65536;                 // its registers
    case 97: return most_shared;           // shared memory of a block that asks
    case 106: return 32;                   // blocks of a multiprocessor
    case 111: return 1024;                 // shared memory that each block costs
    case 115: return 1;                    // memory pools
    default: return 0;
    }
}

} // namespace

Entry::Entry(Needs needs) : status(Success), lock_(lock()) {
    if (needs == Needs::Nothing) return;
    if (!initialised) status = NotInitialized;
    else if (lost != Success) status = lost;
    else if (needs == Needs::Context && current == nullptr) status = InvalidContext;
}

Result fail_permanently(Result result) { return lost = result; }

Result count_launch() {
    static unsigned long long launches = 0;
    static const char* text = option("GRADUS_EMULATOR_FAIL_LAUNCH");
    if (text == nullptr) return Success;
    char* end;
    unsigned long long fatal = strtoull(text, &end, 10);
    if (++launches < fatal) return Success;
    int code = *end == ':' ? atoi(end + 1) : DeviceUnavailable;
    log_line("the device is lost at launch %llu", launches);
    return fail_permanently(Result(code));
}

Context* current_context() { return current; }

} // namespace emulator

using namespace emulator;

DRIVER cuInit(unsigned flags) {
    ENTER(Nothing);
    if (int code = int(number("GRADUS_EMULATOR_INIT", 0))) return Result(code);
    if (flags != 0) return InvalidValue;
    if (driver_version() < 12000) return DriverMismatch;
    if (device_count() == 0) return NoDevice;
    initialised = true;
    return Success;
}

DRIVER cuDriverGetVersion(int* version) {
    ENTER(Nothing);
    *version = driver_version();
    return Success;
}

DRIVER cuDeviceGetCount(int* count) {
    ENTER(Driver);
    *count = device_count();
    return Success;
}

DRIVER cuDeviceGet(int* device, int ordinal) {
    ENTER(Driver);
    if (ordinal < 0 || ordinal >= device_count()) return InvalidDevice;
    *device = ordinal;
    return Success;
}

DRIVER cuDeviceGetName(char* name, int bytes, int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count()) return InvalidDevice;
    snprintf(name, size_t(bytes), "gradus emulator");
    return Success;
}

DRIVER cuDeviceGetUuid_v2(char* uuid, int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count()) return InvalidDevice;
    memcpy(uuid, "gradus emulator", 16);
    uuid[15] = char(device);
    return Success;
}

DRIVER cuDeviceTotalMem_v2(size_t* bytes, int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count()) return InvalidDevice;
    *bytes = total_memory();
    return Success;
}

DRIVER cuDeviceGetAttribute(int* value, int which, int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count()) return InvalidDevice;
    *value = attribute(which);
    return Success;
}

DRIVER cuDevicePrimaryCtxRetain(Context** context, int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count()) return InvalidDevice;
    primary[device].device = device;
    primary[device].references += 1;
    *context = &primary[device];
    return Success;
}

DRIVER cuDevicePrimaryCtxRelease_v2(int device) {
    ENTER(Driver);
    if (device < 0 || device >= device_count() || primary[device].references == 0) return InvalidContext;
    if (--primary[device].references > 0) return Success;
    log_line("context released with %zu allocations", live_allocations());
    return check_all_guards("found when the context was released") ? Success : fail_permanently(IllegalAddress);
}

DRIVER cuCtxGetCurrent(Context** context) {
    ENTER(Driver);
    *context = current;
    return Success;
}

DRIVER cuCtxSetCurrent(Context* context) {
    ENTER(Driver);
    current = context;
    return Success;
}

DRIVER cuCtxGetDevice(int* device) {
    ENTER(Context);
    *device = current->device;
    return Success;
}

DRIVER cuCtxSynchronize() {
    ENTER(Context);
    if (Result refused = forbid_while_capturing("cuCtxSynchronize")) return refused;
    log_line("synchronize context");
    return check_all_guards("found at cuCtxSynchronize") ? Success : fail_permanently(IllegalAddress);
}

DRIVER cuCtxSetFlags(unsigned) {
    ENTER(Context);
    return Success;
}

DRIVER cuCtxGetLimit(size_t* value, int) {
    ENTER(Context);
    *value = 0;
    return Success;
}

DRIVER cuCtxSetLimit(int, size_t) {
    ENTER(Context);
    return Success;
}

DRIVER cuCtxGetCacheConfig(int* config) {
    ENTER(Context);
    *config = 0;
    return Success;
}

DRIVER cuCtxSetCacheConfig(int) {
    ENTER(Context);
    return Success;
}

DRIVER cuProfilerStart() {
    ENTER(Context);
    return Success;
}

DRIVER cuProfilerStop() {
    ENTER(Context);
    return Success;
}

// The device has no other context than its primary one.
DRIVER cuCtxCreate_v4(Context**, void*, unsigned, int) { return NotSupported; }
DRIVER cuCtxDestroy_v2(Context*) { return NotSupported; }
