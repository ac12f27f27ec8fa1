/* A fake CUDA driver and a fake NVRTC. Environment variables set their results, and device memory is host memory.
 *
 * -DDRIVER builds the driver, -DCOMPILER builds NVRTC. -DWITHOUT_LAUNCH omits the function cuLaunchKernel. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The number in the environment variable `name`, or `otherwise` if it is not set. */
static int env_or(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

#ifdef DRIVER
typedef unsigned long long Place;

int cuInit(unsigned flags) { return env_or("FAKE_INIT", 0); }
int cuDriverGetVersion(int *version) { *version = env_or("FAKE_VERSION", 13000); return 0; }
int cuGetErrorString(int error, const char **words) { *words = error == 719 ? "unspecified launch failure" : "a driver message"; return 0; }
int cuDeviceGetCount(int *count) { *count = env_or("FAKE_COUNT", 1); return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "a fake GPU", size); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)2 << 30; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? env_or("FAKE_MAJOR", 8) : attribute == 76 ? env_or("FAKE_MINOR", 0) : attribute == 16 ? 4 : 1;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &env_or; return env_or("FAKE_CONTEXT", 0); }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxGetCurrent(void **context) { *context = &env_or; return 0; }
int cuCtxSetCurrent(void *context) { return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = (size_t)1 << 30; *total = (size_t)2 << 30; return 0; }
int cuMemAllocAsync(Place *place, size_t bytes, void *stream) {
    if (bytes > (size_t)1 << 30) return 2;
    *place = (Place)malloc(bytes);
    return 0;
}
int cuMemFreeAsync(Place place, void *stream) { free((void *)place); return 0; }
int cuMemAlloc_v2(Place *place, size_t bytes) { return cuMemAllocAsync(place, bytes, 0); }
int cuMemFree_v2(Place place) { return cuMemFreeAsync(place, 0); }
int cuMemcpyHtoDAsync_v2(Place to, const void *from, size_t bytes, void *stream) { memcpy((void *)to, from, bytes); return 0; }
int cuMemcpyDtoHAsync_v2(void *to, Place from, size_t bytes, void *stream) { memcpy(to, (void *)from, bytes); return env_or("FAKE_READ", 0); }
int cuMemcpyDtoDAsync_v2(Place to, Place from, size_t bytes, void *stream) { memcpy((void *)to, (void *)from, bytes); return 0; }
int cuMemsetD8Async(Place to, unsigned char value, size_t bytes, void *stream) { memset((void *)to, value, bytes); return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = &env_or; return 0; }
int cuStreamSynchronize(void *stream) { return 0; }
int cuStreamDestroy_v2(void *stream) { return 0; }
int cuModuleLoadData(void **module, const void *image) { *module = &env_or; return env_or("FAKE_LOAD", 0); }
int cuModuleUnload(void *module) { return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) { *function = &env_or; return 0; }
#ifndef WITHOUT_LAUNCH
int cuLaunchKernel(void *function) { return env_or("FAKE_LAUNCH", 0); }
#endif
#endif

#ifdef COMPILER
static const char LOG[] = "map.cu(3): error: a compiler message";

int nvrtcVersion(int *major, int *minor) { *major = 13; *minor = 0; return 0; }
int nvrtcCreateProgram(void **program, const char *source) { *program = &env_or; return 0; }
int nvrtcCompileProgram(void *program) { return env_or("FAKE_COMPILE", 0); }
int nvrtcDestroyProgram(void **program) { return 0; }
int nvrtcGetPTXSize(void *program, size_t *size) { *size = 4; return 0; }
int nvrtcGetPTX(void *program, char *text) { memcpy(text, "ptx", 4); return 0; }
int nvrtcGetProgramLogSize(void *program, size_t *size) { *size = sizeof LOG; return 0; }
int nvrtcGetProgramLog(void *program, char *text) { memcpy(text, LOG, sizeof LOG); return 0; }
#endif
