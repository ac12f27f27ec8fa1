// y = the product of two matrices (y += with `accumulate`) in one of three forms, with any strides:
//
//     NN  y[M,N] = a[M,K]·b[K,N]      NT  y = a[M,K]·b[N,K]ᵀ      TN  y = a[K,M]ᵀ·b[K,N]
//
// A transposed operand has its strides exchanged; then only one form remains, y_ij = Σ_k a_ik·b_kj.
//
// A block owns tiles of 32 × 32 entries of y, and a thread 2 × 2 entries in each: rows i, i + 16 and columns j, j + 16. The
// block loads a 32 × 32 tile of a and one of b into shared memory, where each number is read 32 times, then moves on along k.
// So the terms of an entry are added in the order of k, in blocks of BLOCK terms, whose sums are added to y one after the
// other. Outside of the matrices the tiles hold zeros.

enum Form { NN, NT, TN };

const unsigned TILE = 32;

struct Matrix {
    const REAL* data;
    unsigned rows, columns;
    long long by_row, by_column;
};

// Loads the tile of x that begins at a row and a column. Neighbouring threads read neighbouring numbers.
__device__ inline void fetch(REAL (&tile)[TILE][TILE + 1], const Matrix& x, unsigned first_row, unsigned first_column) {
    const long long down = x.by_row < 0 ? -x.by_row : x.by_row, across = x.by_column < 0 ? -x.by_column : x.by_column;
    for (unsigned at = threadIdx.x; at < TILE * TILE; at += 256) {
        const unsigned fast = at % TILE, slow = at / TILE;
        const unsigned i = down < across ? fast : slow, j = down < across ? slow : fast;
        const unsigned row = first_row + i, column = first_column + j;
        const bool inside = row < x.rows && column < x.columns;
        tile[i][j] = inside ? x.data[row * x.by_row + column * x.by_column] : REAL(0);
    }
}

extern "C" __global__ void __launch_bounds__(256) matmul(int form, Tensor a, Tensor b, int accumulate, Tensor y) {
    // One extra column, so that the entries of a column are in different banks.
    __shared__ REAL as[TILE][TILE + 1];
    __shared__ REAL bs[TILE][TILE + 1];
    Matrix left = {a.data, a.n[2], a.n[3], a.s[2], a.s[3]}, right = {b.data, b.n[2], b.n[3], b.s[2], b.s[3]};
    if (form == TN) left = {a.data, a.n[3], a.n[2], a.s[3], a.s[2]};
    if (form == NT) right = {b.data, b.n[3], b.n[2], b.s[3], b.s[2]};
    const unsigned m = y.n[2], n = y.n[3], inner = left.columns;
    const unsigned across = n / TILE + (n % TILE > 0), down = m / TILE + (m % TILE > 0);
    const unsigned i = threadIdx.x / 16, j = threadIdx.x % 16;

    for (Size tile = blockIdx.x; tile < (Size)across * down; tile += gridDim.x) {
        const unsigned first_row = (unsigned)(tile / across) * TILE, first_column = (unsigned)(tile % across) * TILE;
        REAL sum[2][2] = {};
        // Adds this block of terms to y; the first block overwrites y unless it accumulates.
        auto store_block = [&](bool more) {
            for (unsigned r = 0; r < 2; r++) {
                for (unsigned c = 0; c < 2; c++) {
                    const unsigned row = first_row + i + 16 * r, column = first_column + j + 16 * c;
                    if (row < m && column < n) {
                        REAL& to = y.data[row * y.s[2] + column * y.s[3]];
                        to = more ? to + sum[r][c] : sum[r][c];
                    }
                    sum[r][c] = 0;
                }
            }
        };
        for (unsigned k = 0; k == 0 || k < inner; k += TILE) {
            fetch(as, left, first_row, k);
            fetch(bs, right, k, first_column);
            __syncthreads();
#pragma unroll
            for (unsigned l = 0; l < TILE; l++) {
                const REAL a0 = as[i][l], a1 = as[i + 16][l], b0 = bs[l][j], b1 = bs[l][j + 16];
                sum[0][0] += a0 * b0;
                sum[0][1] += a0 * b1;
                sum[1][0] += a1 * b0;
                sum[1][1] += a1 * b1;
            }
            if (k + TILE >= inner || (k + TILE) % BLOCK == 0) store_block(accumulate || k >= BLOCK);
            __syncthreads(); // before the next tiles overwrite these
        }
    }
}
