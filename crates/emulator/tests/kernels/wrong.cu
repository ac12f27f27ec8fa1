// Kernels with one mistake each.

extern "C" __global__ void half_at_a_barrier(REAL* y) {
    if (threadIdx.x < 16) __syncthreads();
    y[threadIdx.x] = 1;
}

extern "C" __global__ void two_barriers(REAL* y) {
    if (threadIdx.x % 2 == 0) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[threadIdx.x] = 1;
}

extern "C" __global__ void half_a_warp(int* y) {
    if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0xffffffffu, 1, 0);
    __syncthreads();
}

extern "C" __global__ void not_in_the_mask(int* y) {
    y[threadIdx.x] = __shfl_sync(0xffffu, 1, 0);
}

extern "C" __global__ void unwritten(REAL* y) {
    __shared__ REAL part[64];
    if (threadIdx.x == 0) part[0] = 1;
    __syncthreads();
    y[threadIdx.x] = part[threadIdx.x];
}

// After the first block, shared memory holds its values; the next block must not see them.
extern "C" __global__ void left_by_the_last_block(REAL* y) {
    __shared__ REAL part[1];
    if (blockIdx.x == 0) part[0] = 7;
    __syncthreads();
    y[blockIdx.x] = part[0];
}

extern "C" __global__ void past_the_end(REAL* y, int at) {
    y[at] = 1;
}

extern "C" __global__ void reads_past_the_end(const REAL* x, REAL* y, int at) {
    y[0] = x[at];
}

extern "C" __global__ void past_shared(REAL* y, unsigned at) {
    __shared__ REAL first[8], second[8];
    second[threadIdx.x % 8] = 1;
    first[at] = 1;
    y[0] = first[at] + second[0];
}

extern "C" __global__ void past_dynamic(REAL* y, unsigned at) {
    extern __shared__ REAL part[];
    part[at] = 1;
    y[0] = part[at];
}

extern "C" __global__ void nowhere(REAL* y) {
    *(REAL*)16 = 1;
    y[0] = 1;
}

extern "C" __global__ void divides(int* y) {
    y[0] = 7 / y[1];
}

// Every thread adds one, and a thread that read too early overwrites another's sum.
extern "C" __global__ void lost_update(unsigned* counter) {
    *counter = *counter + 1;
}

// Correct only if blocks ran one after the other.
extern "C" __global__ void lost_between_blocks(unsigned* counter) {
    if (threadIdx.x == 0) *counter = *counter + 1;
}

// Barriers order the threads of a block, but not blocks.
extern "C" __global__ void barriers_between_blocks(unsigned* counter) {
    if (blockIdx.x == 0 && threadIdx.x == 0) *counter = 1;
    __syncthreads();
    __syncwarp();
    if (blockIdx.x == 1 && threadIdx.x == 0) *counter = 2;
}

extern "C" __global__ void no_barrier(REAL* y) {
    __shared__ REAL part[64];
    part[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = part[(threadIdx.x + 1) % 64];
}

// Shuffles do not order memory.
extern "C" __global__ void no_syncwarp(REAL* y) {
    __shared__ REAL part[32];
    part[threadIdx.x] = threadIdx.x;
    const int next = __shfl_down_sync(0xffffffffu, (int)threadIdx.x, 1);
    y[threadIdx.x] = part[next];
}

// The same with the barrier that it needs.
extern "C" __global__ void syncwarp(REAL* y) {
    __shared__ REAL part[32];
    part[threadIdx.x] = threadIdx.x;
    const int next = __shfl_down_sync(0xffffffffu, (int)threadIdx.x, 1);
    __syncwarp();
    y[threadIdx.x] = part[next];
}

extern "C" __global__ void too_much_shared(REAL* y) {
    __shared__ double part[7000];
    part[threadIdx.x] = 1;
    y[0] = (REAL)part[threadIdx.x];
}

extern "C" __global__ void __launch_bounds__(64) bounded(REAL* y) {
    y[threadIdx.x] = 1;
}
