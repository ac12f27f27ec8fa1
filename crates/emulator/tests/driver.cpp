// Calls the driver as a script says, and prints the results. A script is a list of commands separated by semicolons:
//
//     module NAME                     loads the module of the next kernels
//     alloc X BYTES, free X
//     floats X 1 2 3, words X 1 2 3   copies to the device
//     launch KERNEL GRID BLOCK SHARED ARGUMENTS…
//         an address X or X+BYTES; a number i:5, f:0.5, d:0.5
//     show X floats|doubles|words N   copies from the device and prints
//     stream, default                 selects a new stream, or the default one
//     begin MODE, end, replay         of a capture; the mode is global, local or relaxed
//     zero X BYTES, sync, shared KERNEL BYTES, memory, release, unload
//
// A failed call prints its error's name, and the script continues.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
int cuInit(unsigned);
int cuGetErrorName(int, const char**);
int cuDeviceGet(int*, int);
int cuDevicePrimaryCtxRetain(void**, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxSetCurrent(void*);
int cuCtxSynchronize();
int cuMemAlloc_v2(uintptr_t*, size_t);
int cuMemFree_v2(uintptr_t);
int cuMemGetInfo_v2(size_t*, size_t*);
int cuMemcpyHtoDAsync_v2(uintptr_t, const void*, size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, uintptr_t, size_t, void*);
int cuMemsetD8Async(uintptr_t, unsigned char, size_t, void*);
int cuModuleLoadData(void**, const void*);
int cuModuleUnload(void*);
int cuModuleGetFunction(void**, void*, const char*);
int cuFuncSetAttribute(void*, int, int);
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);
int cuStreamCreate(void**, unsigned);
int cuStreamBeginCapture_v2(void*, int);
int cuStreamEndCapture(void*, void**);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphLaunch(void*, void*);
}

namespace {

using Words = std::vector<std::string>;

std::string command;

bool check(int result) {
    if (result == 0) return true;
    const char* name = "?";
    cuGetErrorName(result, &name);
    printf("%s: %s\n", command.c_str(), name);
    return false;
}

std::map<std::string, uintptr_t> buffers;
void *module = nullptr, *stream = nullptr, *graph = nullptr;

void* function(const std::string& name) {
    void* found = nullptr;
    check(cuModuleGetFunction(&found, module, name.c_str()));
    return found;
}

/// The bytes of an argument.
uint64_t argument(const std::string& text) {
    uint64_t bits = 0;
    if (text.compare(0, 2, "i:") == 0) {
        int number = atoi(text.c_str() + 2);
        memcpy(&bits, &number, sizeof number);
    } else if (text.compare(0, 2, "f:") == 0) {
        float number = float(atof(text.c_str() + 2));
        memcpy(&bits, &number, sizeof number);
    } else if (text.compare(0, 2, "d:") == 0) {
        double number = atof(text.c_str() + 2);
        memcpy(&bits, &number, sizeof number);
    } else {
        size_t plus = text.find('+');
        bits = buffers[text.substr(0, plus)] + (plus == std::string::npos ? 0 : atoi(text.c_str() + plus + 1));
    }
    return bits;
}

void launch(const Words& w) {
    std::vector<uint64_t> values;
    for (size_t i = 5; i < w.size(); ++i) values.push_back(argument(w[i]));
    std::vector<void*> pointers;
    for (uint64_t& value : values) pointers.push_back(&value);
    if (void* f = function(w[1])) {
        check(cuLaunchKernel(f, atoi(w[2].c_str()), 1, 1, atoi(w[3].c_str()), 1, 1, atoi(w[4].c_str()), stream,
                             pointers.data(), nullptr));
    }
    // The driver has copied the values.
    for (uint64_t& value : values) value = 0x5555555555555555;
}

template <class T>
void show(const Words& w, const char* format) {
    std::vector<T> host(atoi(w[3].c_str()));
    if (!check(cuMemcpyDtoHAsync_v2(host.data(), buffers[w[1]], host.size() * sizeof(T), stream))) return;
    for (T x : host) printf(format, x);
    printf("\n");
}

template <class T>
void put(const Words& w) {
    // Never freed, because a captured copy reads it at each replay.
    auto& host = *new std::vector<T>;
    for (size_t i = 2; i < w.size(); ++i) host.push_back(T(atof(w[i].c_str())));
    check(cuMemcpyHtoDAsync_v2(buffers[w[1]], host.data(), host.size() * sizeof(T), stream));
}

void run(const Words& w) {
    const std::string& what = w[0];
    if (what == "module") {
        check(cuModuleLoadData(&module, ("// gradus emulator: module " + w[1] + "\n").c_str()));
    } else if (what == "unload") {
        check(cuModuleUnload(module));
    } else if (what == "alloc") {
        check(cuMemAlloc_v2(&buffers[w[1]], atoi(w[2].c_str())));
    } else if (what == "free") {
        check(cuMemFree_v2(buffers[w[1]]));
    } else if (what == "floats") {
        put<float>(w);
    } else if (what == "words") {
        put<unsigned>(w);
    } else if (what == "zero") {
        check(cuMemsetD8Async(buffers[w[1]], 0, atoi(w[2].c_str()), stream));
    } else if (what == "launch") {
        launch(w);
    } else if (what == "show") {
        if (w[2] == "floats") show<float>(w, "%g ");
        if (w[2] == "doubles") show<double>(w, "%g ");
        if (w[2] == "words") show<int>(w, "%d ");
    } else if (what == "shared") {
        check(cuFuncSetAttribute(function(w[1]), 8, atoi(w[2].c_str())));
    } else if (what == "stream") {
        check(cuStreamCreate(&stream, 1));
    } else if (what == "default") {
        stream = nullptr;
    } else if (what == "begin") {
        check(cuStreamBeginCapture_v2(stream, w[1] == "global" ? 0 : w[1] == "local" ? 1 : 2));
    } else if (what == "end") {
        void* captured = nullptr;
        if (check(cuStreamEndCapture(stream, &captured))) check(cuGraphInstantiateWithFlags(&graph, captured, 0));
    } else if (what == "replay") {
        check(cuGraphLaunch(graph, stream));
    } else if (what == "sync") {
        check(cuCtxSynchronize());
    } else if (what == "memory") {
        size_t free, total;
        if (check(cuMemGetInfo_v2(&free, &total))) printf("%zu of %zu\n", free, total);
    } else if (what == "release") {
        check(cuDevicePrimaryCtxRelease_v2(0));
    } else {
        printf("%s is not a command\n", what.c_str());
    }
}

} // namespace

int main(int, char** arguments) {
    command = "start";
    int device = 0;
    void* context = nullptr;
    if (!check(cuInit(0)) || !check(cuDeviceGet(&device, 0)) || !check(cuDevicePrimaryCtxRetain(&context, device)) ||
        !check(cuCtxSetCurrent(context))) {
        return 1;
    }
    std::istringstream script(arguments[1]);
    while (std::getline(script, command, ';')) {
        std::istringstream line(command);
        Words words;
        for (std::string word; line >> word;) words.push_back(word);
        if (words.empty()) continue;
        command = words[0] + (words.size() > 1 ? " " + words[1] : "");
        run(words);
        fflush(stdout);
    }
}
