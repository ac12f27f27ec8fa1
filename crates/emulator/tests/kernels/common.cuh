// Functions that the kernels of these tests share.

__device__ inline unsigned thread() {
    return blockIdx.x * blockDim.x + threadIdx.x;
}
