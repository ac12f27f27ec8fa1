// The driver's memory functions: allocations, copies and fills.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "memory.h"
#include "report.h"

using namespace emulator;

namespace {

Result allocate_for(uintptr_t* at, size_t bytes, const char* what) {
    if (Result refused = forbid_while_capturing(what)) return refused;
    const Memory* got = allocate(bytes);
    if (got == nullptr) {
        log_line("alloc failed bytes %zu", bytes);
        return OutOfMemory;
    }
    log_line("alloc %llu bytes %zu", got->number, bytes);
    *at = got->at;
    return Success;
}

Result free_for(uintptr_t at, const char* what) {
    if (Result refused = forbid_while_capturing(what)) return refused;
    if (at == 0) return Success;
    if (const Memory* memory = find_allocation(at, 0)) {
        if (memory->at == at) log_line("free %llu", memory->number);
    }
    switch (release_memory(at)) {
    case FreeResult::Yes: return Success;
    case FreeResult::Unknown: report_fault("%s: no allocation begins at %#zx", what, size_t(at)); return InvalidValue;
    case FreeResult::Twice: report_fault("%s: freed already", what); return InvalidValue;
    case FreeResult::Damaged: return fail_permanently(IllegalAddress);
    }
    return InvalidValue;
}

/// Returns text such as "allocation 3 offset 16"; reports a fault and returns nothing if there is no such allocation.
std::string name_of(uintptr_t at, size_t bytes, const char* what) {
    const Memory* memory = find_allocation(at, bytes);
    if (memory == nullptr) {
        report_fault("%s: %zu bytes at %#zx are not within one allocation", what, bytes, size_t(at));
        return {};
    }
    char text[96];
    snprintf(text, sizeof text, "allocation %llu offset %zu", memory->number, size_t(at - memory->at));
    return text;
}

struct Side {
    uintptr_t at;
    bool device;
};

Result copy(Side to, Side from, size_t bytes, void* stream, const char* what) {
    if (bytes == 0) return find_stream(stream) ? Success : InvalidHandle;
    auto check = [=] {
        return (!to.device || find_allocation(to.at, bytes) != nullptr) &&
               (!from.device || find_allocation(from.at, bytes) != nullptr);
    };
    auto describe = [&](Side side) { return side.device ? name_of(side.at, bytes, what) : std::string("host"); };
    std::string target = describe(to), source = describe(from);
    if (target.empty() || source.empty()) return InvalidValue;
    return submit(stream, {"copy " + source + " to " + target + " bytes " + std::to_string(bytes), [=](const char*) {
                               if (!check()) {
                                   report_fault("a replayed copy of memory that was freed");
                                   return fail_permanently(IllegalAddress);
                               }
                               memmove(reinterpret_cast<void*>(to.at), reinterpret_cast<const void*>(from.at), bytes);
                               return Success;
                           }});
}

Result fill(uintptr_t at, unsigned value, size_t width, size_t count, void* stream, const char* what) {
    size_t bytes = width * count;
    if (bytes == 0) return find_stream(stream) ? Success : InvalidHandle;
    std::string name = name_of(at, bytes, what);
    if (name.empty()) return InvalidValue;
    return submit(stream, {"set " + name + " bytes " + std::to_string(bytes), [=](const char*) {
                               if (find_allocation(at, bytes) == nullptr) {
                                   report_fault("a replayed fill of memory that was freed");
                                   return fail_permanently(IllegalAddress);
                               }
                               auto* to = reinterpret_cast<char*>(at);
                               if (width == 1) memset(to, int(value), bytes);
                               else for (size_t i = 0; i < count; ++i) memcpy(to + i * width, &value, width);
                               return Success;
                           }});
}

/// Copies without a stream wait for the device.
Result synchronous(const char* what) { return forbid_while_capturing(what); }

} // namespace

DRIVER cuMemAlloc_v2(uintptr_t* at, size_t bytes) {
    ENTER(Context);
    return bytes == 0 ? InvalidValue : allocate_for(at, bytes, "cuMemAlloc");
}

DRIVER cuMemAllocAsync(uintptr_t* at, size_t bytes, void* stream) {
    ENTER(Context);
    if (find_stream(stream) == nullptr) return InvalidHandle;
    *at = 0;
    return bytes == 0 ? Success : allocate_for(at, bytes, "cuMemAllocAsync");
}

DRIVER cuMemAllocFromPoolAsync(uintptr_t* at, size_t bytes, void*, void* stream) {
    return cuMemAllocAsync(at, bytes, stream);
}

DRIVER cuMemFree_v2(uintptr_t at) {
    ENTER(Context);
    return free_for(at, "cuMemFree");
}

DRIVER cuMemFreeAsync(uintptr_t at, void* stream) {
    ENTER(Context);
    return find_stream(stream) == nullptr ? InvalidHandle : free_for(at, "cuMemFreeAsync");
}

DRIVER cuMemGetInfo_v2(size_t* free, size_t* total) {
    ENTER(Context);
    *free = free_memory();
    *total = total_memory();
    return Success;
}

DRIVER cuMemHostAlloc(void** at, size_t bytes, unsigned) {
    ENTER(Context);
    if (Result refused = forbid_while_capturing("cuMemHostAlloc")) return refused;
    return posix_memalign(at, 4096, bytes == 0 ? 1 : bytes) == 0 ? Success : OutOfMemory;
}

DRIVER cuMemFreeHost(void* at) {
    ENTER(Context);
    if (Result refused = forbid_while_capturing("cuMemFreeHost")) return refused;
    free(at);
    return Success;
}

DRIVER cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, void* stream) {
    ENTER(Context);
    return copy({to, true}, {reinterpret_cast<uintptr_t>(from), false}, bytes, stream, "cuMemcpyHtoDAsync");
}

DRIVER cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, void* stream) {
    ENTER(Context);
    return copy({reinterpret_cast<uintptr_t>(to), false}, {from, true}, bytes, stream, "cuMemcpyDtoHAsync");
}

DRIVER cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, void* stream) {
    ENTER(Context);
    return copy({to, true}, {from, true}, bytes, stream, "cuMemcpyDtoDAsync");
}

DRIVER cuMemcpyHtoD_v2(uintptr_t to, const void* from, size_t bytes) {
    ENTER(Context);
    if (Result refused = synchronous("cuMemcpyHtoD")) return refused;
    return copy({to, true}, {reinterpret_cast<uintptr_t>(from), false}, bytes, nullptr, "cuMemcpyHtoD");
}

DRIVER cuMemcpyDtoH_v2(void* to, uintptr_t from, size_t bytes) {
    ENTER(Context);
    if (Result refused = synchronous("cuMemcpyDtoH")) return refused;
    return copy({reinterpret_cast<uintptr_t>(to), false}, {from, true}, bytes, nullptr, "cuMemcpyDtoH");
}

DRIVER cuMemcpyDtoD_v2(uintptr_t to, uintptr_t from, size_t bytes) {
    ENTER(Context);
    return copy({to, true}, {from, true}, bytes, nullptr, "cuMemcpyDtoD");
}

DRIVER cuMemsetD8Async(uintptr_t at, unsigned char value, size_t count, void* stream) {
    ENTER(Context);
    return fill(at, value, 1, count, stream, "cuMemsetD8Async");
}

DRIVER cuMemsetD8_v2(uintptr_t at, unsigned char value, size_t count) {
    ENTER(Context);
    return fill(at, value, 1, count, nullptr, "cuMemsetD8");
}

DRIVER cuMemsetD32Async(uintptr_t at, unsigned value, size_t count, void* stream) {
    ENTER(Context);
    return fill(at, value, 4, count, stream, "cuMemsetD32Async");
}

DRIVER cuMemsetD32_v2(uintptr_t at, unsigned value, size_t count) {
    ENTER(Context);
    return fill(at, value, 4, count, nullptr, "cuMemsetD32");
}

// Memory pools: there is one, which frees memory at once.
namespace {
char pool;
}

DRIVER cuDeviceGetDefaultMemPool(void** out, int) {
    ENTER(Driver);
    *out = &pool;
    return Success;
}

DRIVER cuDeviceGetMemPool(void** out, int device) { return cuDeviceGetDefaultMemPool(out, device); }

DRIVER cuDeviceSetMemPool(int, void*) {
    ENTER(Driver);
    return Success;
}

DRIVER cuMemPoolSetAttribute(void*, int, void*) {
    ENTER(Driver);
    return Success;
}

DRIVER cuMemPoolGetAttribute(void*, int which, void* value) {
    ENTER(Driver);
    bool is_switch = which <= 3; // the first three are of type int
    memset(value, 0, is_switch ? 4 : 8);
    return Success;
}

DRIVER cuMemPoolTrimTo(void*, size_t) {
    ENTER(Driver);
    return Success;
}

// Functions that the emulator does not support.
DRIVER cuMemAllocManaged(uintptr_t*, size_t, unsigned) { return NotSupported; }
DRIVER cuMemPoolCreate(void**, const void*) { return NotSupported; }
DRIVER cuMemPoolDestroy(void*) { return NotSupported; }
