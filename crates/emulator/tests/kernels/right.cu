// Correct kernels.

// y[block] = Σ x over the block's part, half added to half in shared memory.
extern "C" __global__ void __launch_bounds__(256) sum(const REAL* x, REAL* y) {
    __shared__ REAL part[256];
    part[threadIdx.x] = x[thread()];
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    }
    if (threadIdx.x == 0) y[blockIdx.x] = part[0];
}

// The same in dynamic shared memory.
extern "C" __global__ void sum_dynamic(const REAL* x, REAL* y) {
    extern __shared__ REAL part[];
    part[threadIdx.x] = x[thread()];
    __syncthreads();
    if (threadIdx.x == 0) {
        REAL all = 0;
        for (unsigned i = 0; i < blockDim.x; i++) all += part[i];
        y[blockIdx.x] = all;
    }
}

extern "C" __global__ void scale(REAL a, REAL* x, unsigned n) {
    for (unsigned i = thread(); i < n; i += gridDim.x * blockDim.x) x[i] *= a;
}

// The values that each lane of a warp gets from the others; lane l gives l + 100.
extern "C" __global__ void shuffles(int* y) {
    const int lane = threadIdx.x % 32, mine = lane + 100;
    int* const out = y + 12 * threadIdx.x;
    out[0] = __shfl_sync(0xffffffffu, mine, 3);
    out[1] = __shfl_sync(0xffffffffu, mine, lane + 1, 8);
    out[2] = __shfl_up_sync(0xffffffffu, mine, 1);
    out[3] = __shfl_down_sync(0xffffffffu, mine, 2, 16);
    out[4] = __shfl_xor_sync(0xffffffffu, mine, 16);
    out[5] = (int)__ballot_sync(0xffffffffu, lane % 3 == 0);
    out[6] = __all_sync(0xffffffffu, lane < 32) + 2 * __all_sync(0xffffffffu, lane < 31);
    out[7] = __any_sync(0xffffffffu, lane == 31) + 2 * __any_sync(0xffffffffu, lane == 32);
    out[8] = __reduce_add_sync(0xffffffffu, lane);
    out[9] = __reduce_min_sync(0xffffffffu, -lane);
    // Two independent half-warps.
    out[10] = lane < 16 ? __shfl_xor_sync(0xffffu, mine, 1) : __shfl_xor_sync(0xffff0000u, mine, 2);
    out[11] = (int)__shfl_down_sync(0xffffffffu, (double)mine, 31);
}

extern "C" __global__ void votes(int* y) {
    const int odd = threadIdx.x % 2;
    const int count = __syncthreads_count(odd), all = __syncthreads_and(odd), any = __syncthreads_or(odd);
    y[threadIdx.x] = count * 100 + all * 10 + any;
}

extern "C" __global__ void count(unsigned* counters) {
    atomicAdd(&counters[0], 1u);
    atomicMax(&counters[1], thread());
    atomicCAS(&counters[2], 0u, 1 + threadIdx.x / 1024);
}

// The last block to arrive adds the others' results: atomics order the writes before them.
extern "C" __global__ void last_block(unsigned* part, unsigned* arrived, unsigned* y) {
    if (threadIdx.x == 0) {
        part[blockIdx.x] = blockIdx.x + 1;
        __threadfence();
        if (atomicAdd(arrived, 1u) == gridDim.x - 1) {
            unsigned all = 0;
            for (unsigned b = 0; b < gridDim.x; b++) all += part[b];
            *y = all;
        }
    }
}

// Records the order in which the threads ran.
extern "C" __global__ void turns(unsigned* next, unsigned* y) {
    y[thread()] = atomicAdd(next, 1u);
}

#ifndef WIDTH
#define WIDTH 1
#endif
extern "C" __global__ void width(unsigned* y) {
    *y = WIDTH;
}
