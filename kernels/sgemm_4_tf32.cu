// The ladder, step 4: tensor cores. y[M,N] = a[M,K]·b[K,N], row-major without gaps, with factors rounded to tf32.
//
// A warp multiplies a 16 × 8 matrix by an 8 × 8 one in one instruction, mma.sync. tf32 keeps 10 of a float's 23 mantissa bits,
// so products have a relative error of up to 2⁻¹⁰; sums are floats. A block of four warps owns a 64 × 64 tile of y at a time,
// and each warp a quarter of it, as 2 × 4 such products. Two buffers are filled ahead, as in step 3.
//
// The fragments of each lane (PTX ISA, mma.m16n8k8 for .tf32), with g = lane / 4 and t = lane % 4:
//
//     a[16,8]  (g, t)  (g + 8, t)  (g, t + 4)  (g + 8, t + 4)
//     b[8,8]   (t, g)  (t + 4, g)
//     y[16,8]  (g, 2t)  (g, 2t + 1)  (g + 8, 2t)  (g + 8, 2t + 1)
//
// The rows of both tiles are padded so that the 32 lanes read from 32 banks.

const unsigned TILE = 64, DEPTH = 16;

// Rounds a float to tf32: to nearest, ties away from zero.
__device__ inline unsigned tf32(float x) {
#ifdef GRADUS_HOST
    union {
        float number;
        unsigned bits;
    } both = {x};
    return x == x ? (both.bits + 0x1000u) & ~0x1fffu : both.bits;
#else
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
#endif
}

// y += a·b for a warp's fragments.
__device__ inline void multiply(float (&y)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef GRADUS_HOST
    auto number = [](unsigned bits) {
        union {
            unsigned bits;
            float number;
        } both = {bits};
        return both.number;
    };
    const unsigned g = lane() / 4, t = lane() % 4;
    for (unsigned k = 0; k < 8; k++) {
        float left[2], right[2];
        for (unsigned half = 0; half < 2; half++) {
            left[half] = number(__shfl_sync(0xffffffffu, a[half + 2 * (k / 4)], 4 * g + k % 4));
            right[half] = number(__shfl_sync(0xffffffffu, b[k / 4], 4 * (2 * t + half) + k % 4));
        }
        for (unsigned at = 0; at < 4; at++) y[at] += left[at / 2] * right[at % 2];
    }
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(y[0]), "+f"(y[1]), "+f"(y[2]), "+f"(y[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

extern "C" __global__ void __launch_bounds__(128)
sgemm_4_tf32(unsigned m, unsigned n, unsigned k, const float* a, const float* b, float* y) {
    __shared__ float as[2][TILE][DEPTH + 4];
    __shared__ float bs[2][DEPTH][TILE + 8];
    const unsigned across = (n + TILE - 1) / TILE, down = (m + TILE - 1) / TILE;
    const unsigned top = threadIdx.x / 64 * 32, side = threadIdx.x / 32 % 2 * 32; // this warp's quarter
    const unsigned g = lane() / 4, t = lane() % 4;
    for (Size tile = blockIdx.x; tile < (Size)across * down; tile += gridDim.x) {
        const unsigned first_row = (unsigned)(tile / across) * TILE, first_column = (unsigned)(tile % across) * TILE;
        auto fetch = [&](unsigned buffer, unsigned first) {
            for (unsigned at = threadIdx.x; at < TILE * DEPTH; at += 128) {
                unsigned row = at / DEPTH, l = at % DEPTH;
                const bool in_a = first_row + row < m && first + l < k;
                copy_async(&as[buffer][row][l], in_a ? a + (Size)(first_row + row) * k + first + l : a, in_a);
                unsigned column = at % TILE;
                l = at / TILE;
                const bool in_b = first + l < k && first_column + column < n;
                copy_async(&bs[buffer][l][column], in_b ? b + (Size)(first + l) * n + first_column + column : b, in_b);
            }
        };
        float sum[2][4][4] = {};
        // Adds this block of terms to y; the first block overwrites y.
        auto store_block = [&](bool more) {
#pragma unroll
            for (unsigned r = 0; r < 2; r++) {
#pragma unroll
                for (unsigned c = 0; c < 4; c++) {
                    if (more) __syncwarp(); // else all of y is read at once, which needs too many registers
#pragma unroll
                    for (unsigned at = 0; at < 4; at++) {
                        const unsigned row = first_row + top + 16 * r + g + at / 2 * 8;
                        const unsigned column = first_column + side + 8 * c + 2 * t + at % 2;
                        if (row < m && column < n) {
                            float& to = y[(Size)row * n + column];
                            to = more ? to + sum[r][c][at] : sum[r][c][at];
                        }
                        sum[r][c][at] = 0;
                    }
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
            for (unsigned l = 0; l < DEPTH; l += 8) {
                unsigned left[2][4], right[4][2];
#pragma unroll
                for (unsigned r = 0; r < 2; r++) {
#pragma unroll
                    for (unsigned at = 0; at < 4; at++) {
                        left[r][at] = tf32(as[now][top + 16 * r + g + at % 2 * 8][l + t + at / 2 * 4]);
                    }
                }
#pragma unroll
                for (unsigned c = 0; c < 4; c++) {
#pragma unroll
                    for (unsigned at = 0; at < 2; at++) right[c][at] = tf32(bs[now][l + t + 4 * at][side + 8 * c + g]);
                }
#pragma unroll
                for (unsigned r = 0; r < 2; r++) {
#pragma unroll
                    for (unsigned c = 0; c < 4; c++) multiply(sum[r][c], left[r], right[c]);
                }
            }
            if (first + DEPTH >= k || (first + DEPTH) % BLOCK == 0) store_block(first >= BLOCK);
        }
        __syncthreads(); // before the next tile of y reuses the first buffers
    }
}
