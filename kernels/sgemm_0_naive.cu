// The ladder of matrix products, step 0: y[M,N] = a[M,K]·b[K,N] as in the equation. All are row-major without gaps.
//
// A thread owns an entry of y at a time, and neighbouring threads own neighbours in a row. Each thread reads a row of a and a
// column of b from global memory. So each number of a is read N times and each of b M times. Like all rungs, it adds the terms
// in blocks of BLOCK, then the blocks' sums.

extern "C" __global__ void __launch_bounds__(256)
sgemm_0_naive(unsigned m, unsigned n, unsigned k, const float* a, const float* b, float* y) {
    for (Size at = thread(); at < (Size)m * n; at += threads()) {
        const Size row = at / n, column = at % n;
        float total = 0, sum = 0;
        for (unsigned l = 0; l < k; l++) {
            if (l % BLOCK == 0) total += sum, sum = 0;
            sum += a[row * k + l] * b[(Size)l * n + column];
        }
        y[at] = total + sum;
    }
}
