// The driver's modules, functions and launches.
#include <dlfcn.h>
#include <string.h>

#include <algorithm>

#include "driver.h"
#include "memory.h"
#include "report.h"

using namespace emulator;

namespace {

/// Returns the folder of this library, which also contains the kernels' libraries.
std::string folder() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&folder), &info) == 0) return ".";
    std::string path = info.dli_fname;
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// Exports this library's symbols to the kernels' libraries, because the program has loaded it privately.
void export_symbols() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&folder), &info) != 0) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

Result open_module(const std::string& name, Module& module) {
    export_symbols();
    std::string path = folder() + "/" + name + ".so";
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) {
        report_fault("%s was not built, as a module or a variant of one: %s", name.c_str(), dlerror());
        return FileNotFound;
    }
    const auto kernels = reinterpret_cast<const Kernel* (*)()>(dlsym(handle, "emulator_kernels"));
    if (kernels == nullptr) {
        report_fault("%s has no table of kernels", path.c_str());
        return NotFound;
    }
    module.name = name;
    for (const Kernel* table = kernels(); table->name != nullptr; ++table) module.functions[table->name] = Function{table, &module};
    return Success;
}

uint64_t digest(const unsigned char* bytes, size_t count) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/// A launch with its own copy of the arguments, as the driver makes.
struct PackedLaunch {
    Function* function;
    dim3 grid, block;
    size_t shared;
    std::vector<unsigned char> bytes;
    std::vector<size_t> offsets;

    PackedLaunch(Function* function, dim3 grid, dim3 block, size_t shared, void** arguments)
        : function(function), grid(grid), block(block), shared(shared) {
        const Kernel& kernel = *function->kernel;
        for (unsigned i = 0; i < kernel.count; ++i) {
            bytes.resize((bytes.size() + 15) / 16 * 16);
            offsets.push_back(bytes.size());
            auto* from = static_cast<unsigned char*>(arguments[i]);
            bytes.insert(bytes.end(), from, from + kernel.sizes[i]);
        }
    }

    Result run() const;
    std::string describe() const;
};

std::string PackedLaunch::describe() const {
    char text[256];
    snprintf(text, sizeof text, "launch %s grid %u %u %u block %u %u %u shared %zu arguments %016llx", function->kernel->name,
             grid.x, grid.y, grid.z, block.x, block.y, block.z, shared,
             static_cast<unsigned long long>(digest(bytes.data(), bytes.size())));
    return text;
}

Result PackedLaunch::run() const {
    if (Result lost = count_launch()) return lost;
    const Kernel& kernel = *function->kernel;
    if (function->module->unloaded) {
        report_fault("%s: its module was unloaded", kernel.name);
        return fail_permanently(InvalidHandle);
    }
    // Aligned to sixteen bytes, like the offsets.
    std::vector<__uint128_t> storage((bytes.size() + 15) / 16);
    if (!bytes.empty()) memcpy(storage.data(), bytes.data(), bytes.size());
    std::vector<void*> arguments;
    for (size_t offset : offsets) arguments.push_back(reinterpret_cast<char*>(storage.data()) + offset);
    if (!check_arguments_live(kernel.name, arguments.data(), kernel.sizes, kernel.count)) return fail_permanently(IllegalAddress);
    switch (emulator::run({&kernel, grid, block, shared, arguments.data()})) {
    case Fault::None: break;
    case Fault::Address: return fail_permanently(IllegalAddress);
    case Fault::Divergence:
    case Fault::Trap: return fail_permanently(LaunchFailed);
    }
    function->static_shared = static_shared();
    if (function->static_shared > static_shared_limit) {
        report_fault("%s: %zu bytes of static shared memory; a GPU allows %u", kernel.name, function->static_shared,
                 static_shared_limit);
        return fail_permanently(LaunchFailed);
    }
    if (!check_all_guards(kernel.name, arguments.data(), kernel.sizes, kernel.count)) return fail_permanently(IllegalAddress);
    return Success;
}

/// Returns the number of blocks of `threads` threads that fit on a multiprocessor, by threads and shared memory. Registers are
/// unknown.
int resident_blocks(const Function& function, int threads, size_t dynamic) {
    if (threads <= 0 || threads > int(function.kernel->max_threads)) return 0;
    size_t shared = function.static_shared + dynamic + 1024;
    int by_threads = 2048 / ((threads + 31) / 32 * 32), by_shared = int(233472 / shared);
    return std::min({32, by_threads, by_shared});
}

} // namespace

DRIVER cuModuleLoadData(Module** out, const void* image) {
    ENTER(Context);
    if (Result refused = forbid_while_capturing("cuModuleLoadData")) return refused;
    // The text from NVRTC, after any comments that a cache put before it.
    const char mark[] = "// gradus emulator: module ";
    std::string text = static_cast<const char*>(image);
    size_t at = text.find(mark);
    if (at == std::string::npos) {
        report_fault("cuModuleLoadData: this text was not compiled by the emulator's NVRTC");
        return InvalidPtx;
    }
    std::string name = text.substr(at + strlen(mark));
    auto module = std::make_unique<Module>();
    if (Result failed = open_module(name.substr(0, name.find('\n')), *module)) return failed;
    log_line("module %s", module->name.c_str());
    *out = module.release();
    return Success;
}

DRIVER cuModuleLoad(Module**, const char*) { return NotSupported; }

DRIVER cuModuleUnload(Module* module) {
    ENTER(Context);
    if (Result refused = forbid_while_capturing("cuModuleUnload")) return refused;
    // Not freed, because graphs may still refer to its functions.
    module->unloaded = true;
    return Success;
}

DRIVER cuModuleGetFunction(Function** function, Module* module, const char* name) {
    ENTER(Context);
    auto found = module->functions.find(name);
    if (found == module->functions.end()) {
        report_fault("module %s has no kernel %s", module->name.c_str(), name);
        return NotFound;
    }
    *function = &found->second;
    return Success;
}

DRIVER cuModuleGetGlobal_v2(uintptr_t*, size_t*, Module*, const char*) { return NotFound; }

DRIVER cuFuncGetName(const char** name, Function* function) {
    ENTER(Context);
    *name = function->kernel->name;
    return Success;
}

DRIVER cuFuncGetAttribute(int* value, int which, Function* function) {
    ENTER(Context);
    switch (which) {
    case 0: *value = int(function->kernel->max_threads); return Success;
    case 1: *value = int(function->static_shared); return Success;
    case 4: *value = 32; return Success;
    case 5: case 6: *value = 90; return Success;
    case 8: *value = int(function->most_dynamic_shared); return Success;
    default: *value = 0; return Success;
    }
}

DRIVER cuFuncSetAttribute(Function* function, int which, int value) {
    ENTER(Context);
    if (which == 8) {
        if (value < 0 || size_t(value) + function->static_shared > most_shared) return InvalidValue;
        function->most_dynamic_shared = size_t(value);
        return Success;
    }
    return which == 9 ? Success : InvalidValue;
}

DRIVER cuFuncSetCacheConfig(Function*, int) {
    ENTER(Context);
    return Success;
}

DRIVER cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                      unsigned block_y, unsigned block_z, unsigned shared, void* stream, void** arguments, void** extra) {
    ENTER(Context);
    if (function == nullptr) return InvalidHandle;
    const Kernel& kernel = *function->kernel;
    uint64_t threads = uint64_t(block_x) * block_y * block_z;
    auto refuse = [&](Result result, const char* why) {
        report_fault("%s: %s (grid %u %u %u, block %u %u %u, shared %u)", kernel.name, why, grid_x, grid_y, grid_z, block_x,
                 block_y, block_z, shared);
        return result;
    };
    if (extra != nullptr) return refuse(NotSupported, "arguments in a buffer");
    if (grid_x == 0 || grid_y == 0 || grid_z == 0 || threads == 0) return refuse(InvalidValue, "an empty launch");
    if (grid_x > 2147483647u || grid_y > 65535 || grid_z > 65535) return refuse(InvalidValue, "too many blocks");
    if (block_x > 1024 || block_y > 1024 || block_z > 64 || threads > 1024) return refuse(InvalidValue, "too many threads");
    if (threads > kernel.max_threads) return refuse(LaunchOutOfResources, "more threads than its __launch_bounds__");
    if (shared > function->most_dynamic_shared) return refuse(InvalidValue, "more shared memory than was requested");
    if (kernel.count > 0 && arguments == nullptr) return refuse(InvalidValue, "no arguments");
    auto packed = std::make_shared<PackedLaunch>(function, dim3(grid_x, grid_y, grid_z), dim3(block_x, block_y, block_z), shared,
                                           arguments);
    return submit(stream, {is_logging() ? packed->describe() : std::string(), [packed](const char*) { return packed->run(); }});
}

DRIVER cuLaunchCooperativeKernel(Function*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                                 void**) {
    return NotSupported;
}

DRIVER cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int threads, size_t dynamic) {
    ENTER(Context);
    *blocks = resident_blocks(*function, threads, dynamic);
    return Success;
}

DRIVER cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, Function* function, int threads, size_t dynamic,
                                                            unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, dynamic);
}

DRIVER cuOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, Function* function, int blocks, int) {
    ENTER(Context);
    if (blocks <= 0) return InvalidValue;
    size_t each = 233472 / size_t(blocks), taken = function->static_shared + 1024;
    *bytes = each > taken ? std::min(each - taken, most_shared - function->static_shared) : 0;
    return Success;
}

DRIVER cuOccupancyMaxPotentialBlockSize(int* least_grid, int* threads, Function* function, size_t (*shared_for)(int),
                                        size_t dynamic, int limit) {
    ENTER(Context);
    int most = int(function->kernel->max_threads);
    if (limit > 0) most = std::min(most, limit);
    int best = 0;
    for (int size = most; size > 0; size = (size - 1) / 32 * 32) {
        int resident = resident_blocks(*function, size, shared_for ? shared_for(size) : dynamic) * size;
        if (resident <= best) continue;
        best = resident;
        *threads = size;
    }
    int multiprocessors = int(number("GRADUS_EMULATOR_MULTIPROCESSORS", 4));
    *least_grid = best > 0 ? best / *threads * multiprocessors : 0;
    return best > 0 ? Success : InvalidValue;
}

DRIVER cuOccupancyMaxPotentialBlockSizeWithFlags(int* least_grid, int* threads, Function* function,
                                                 size_t (*shared_for)(int), size_t dynamic, int limit, unsigned) {
    return cuOccupancyMaxPotentialBlockSize(least_grid, threads, function, shared_for, dynamic, limit);
}
