// CUDA's short vectors with its alignments, so that UBSan reports a misaligned vector load.
#pragma once

#define EMULATOR_VECTORS(T, NAME, A2, A4)                                                              \
    struct alignas(A2) NAME##2 {                                                                       \
        T x, y;                                                                                        \
    };                                                                                                 \
    struct alignas(A4) NAME##4 {                                                                       \
        T x, y, z, w;                                                                                  \
    };                                                                                                 \
    EMULATOR_INLINE NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }                                \
    EMULATOR_INLINE NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }
#define EMULATOR_VECTOR3(T, NAME)                                                 \
    struct NAME##3 {                                                              \
        T x, y, z;                                                                \
    };                                                                            \
    EMULATOR_INLINE NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; }

EMULATOR_VECTORS(float, float, 8, 16)
EMULATOR_VECTORS(double, double, 16, 16)
EMULATOR_VECTORS(int, int, 8, 16)
EMULATOR_VECTORS(unsigned, uint, 8, 16)
EMULATOR_VECTORS(long long, longlong, 16, 16)
EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16)
EMULATOR_VECTORS(short, short, 4, 8)
EMULATOR_VECTORS(unsigned short, ushort, 4, 8)
EMULATOR_VECTORS(signed char, char, 2, 4)
EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
EMULATOR_VECTOR3(float, float)
EMULATOR_VECTOR3(double, double)
EMULATOR_VECTOR3(int, int)
EMULATOR_INLINE uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
