// The ladder, step 1: shared memory. y[M,N] = a[M,K]·b[K,N], row-major without gaps.
//
// A block owns a 16 × 16 tile of y at a time, and a thread an entry of it. Before the products, the block loads a tile of a and
// one of b. Step 0 read each number 16 times from global memory; here it is read once, and then 16 times from shared memory.
// Outside of the matrices the tiles hold zeros, so that the products need no guard.

const unsigned TILE = 16;

extern "C" __global__ void __launch_bounds__(256)
sgemm_1_tiled(unsigned m, unsigned n, unsigned k, const float* a, const float* b, float* y) {
    __shared__ float as[TILE][TILE];
    __shared__ float bs[TILE][TILE];
    const unsigned across = (n + TILE - 1) / TILE, down = (m + TILE - 1) / TILE;
    const unsigned i = threadIdx.x / TILE, j = threadIdx.x % TILE;
    for (Size tile = blockIdx.x; tile < (Size)across * down; tile += gridDim.x) {
        const unsigned row = (unsigned)(tile / across) * TILE + i, column = (unsigned)(tile % across) * TILE + j;
        float total = 0, sum = 0;
        for (unsigned first = 0; first < k; first += TILE) {
            if (first % BLOCK == 0) total += sum, sum = 0;
            as[i][j] = row < m && first + j < k ? a[(Size)row * k + first + j] : 0;
            bs[i][j] = first + i < k && column < n ? b[(Size)(first + i) * n + column] : 0;
            __syncthreads();
            for (unsigned l = 0; l < TILE; l++) sum += as[i][l] * bs[l][j];
            __syncthreads(); // before the next tiles overwrite these
        }
        if (row < m && column < n) y[(Size)row * n + column] = total + sum;
    }
}
