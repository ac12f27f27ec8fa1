// The ladder, step 3: two buffers. y[M,N] = a[M,K]·b[K,N], row-major without gaps.
//
// As step 2, with double buffering: while a block multiplies one pair of tiles, the next pair is copied to the other buffers.
// The copies from global to shared memory are asynchronous (cp.async); the block only waits for them. Each round has one
// barrier fewer, and the wait is short.

const unsigned TILE = 128, DEPTH = 8;

// Four numbers that one instruction reads.
struct alignas(16) Four {
    float v[4];
};

extern "C" __global__ void __launch_bounds__(256)
sgemm_3_double_buffered(unsigned m, unsigned n, unsigned k, const float* a, const float* b, float* y) {
    __shared__ Four as[2][DEPTH][TILE / 4 + 1];
    __shared__ Four bs[2][DEPTH][TILE / 4];
    const unsigned across = (n + TILE - 1) / TILE, down = (m + TILE - 1) / TILE;
    const unsigned i = threadIdx.x / 16, j = threadIdx.x % 16;
    for (Size tile = blockIdx.x; tile < (Size)across * down; tile += gridDim.x) {
        const unsigned first_row = (unsigned)(tile / across) * TILE, first_column = (unsigned)(tile % across) * TILE;
        auto fetch = [&](unsigned buffer, unsigned first) {
            for (unsigned at = threadIdx.x; at < TILE * DEPTH; at += 256) {
                unsigned row = at / DEPTH, l = at % DEPTH;
                const bool in_a = first_row + row < m && first + l < k;
                copy_async(&as[buffer][l][row / 4].v[row % 4], in_a ? a + (Size)(first_row + row) * k + first + l : a, in_a);
                unsigned column = at % TILE;
                l = at / TILE;
                const bool in_b = first + l < k && first_column + column < n;
                const float* from = in_b ? b + (Size)(first + l) * n + first_column + column : b;
                copy_async(&bs[buffer][l][column / 4].v[column % 4], from, in_b);
            }
        };
        float sum[8][8] = {};
        // Adds this block of terms to y; the first block overwrites y.
        auto store_block = [&](bool more) {
#pragma unroll
            for (unsigned r = 0; r < 8; r++) {
                if (more) __syncwarp(); // else all of y is read at once, which needs too many registers
                const unsigned row = first_row + r / 4 * 64 + 4 * i + r % 4;
#pragma unroll
                for (unsigned c = 0; c < 8; c++) {
                    const unsigned column = first_column + c / 4 * 64 + 4 * j + c % 4;
                    if (row < m && column < n) {
                        float& to = y[(Size)row * n + column];
                        to = more ? to + sum[r][c] : sum[r][c];
                    }
                    sum[r][c] = 0;
                }
            }
        };
        unsigned now = 0;
        fetch(now, 0);
        for (unsigned first = 0; first == 0 || first < k; first += DEPTH, now ^= 1) {
            wait_for_copies();
            __syncthreads(); // these tiles are complete, and the other buffers are no longer read
            if (first + DEPTH < k) fetch(now ^ 1, first + DEPTH);
#pragma unroll
            for (unsigned l = 0; l < DEPTH; l++) {
                const Four left[2] = {as[now][l][i], as[now][l][16 + i]}, right[2] = {bs[now][l][j], bs[now][l][16 + j]};
#pragma unroll
                for (unsigned r = 0; r < 8; r++) {
#pragma unroll
                    for (unsigned c = 0; c < 8; c++) sum[r][c] += left[r / 4].v[r % 4] * right[c / 4].v[c % 4];
                }
            }
            if (first + DEPTH >= k || (first + DEPTH) % BLOCK == 0) store_block(first >= BLOCK);
        }
        __syncthreads(); // before the next tile of y reuses the first buffers
    }
}
