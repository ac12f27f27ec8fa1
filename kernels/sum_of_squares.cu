// Σ x², in two stages with a fixed order.
//
// First each block writes the sum of its own elements to partial[block]. Thread t of all threads takes elements t, t + threads,
// …, and the block adds its sums in a tree. Then one block adds the partial sums in the same way. The sum depends on the
// number of blocks in the first stage, and on nothing else.

extern "C" __global__ void __launch_bounds__(256) sum_of_squares(Tensor x, REAL* partial) {
    const Size size = size_of(x);
    Sum<REAL> squares;
    for (Size i = thread(); i < size; i += threads()) add(squares, element(x, i) * element(x, i));
    REAL sum = squares.value;
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// On a grid of any size, only the first block works.
extern "C" __global__ void __launch_bounds__(256) sum_of_partials(REAL* partial, unsigned count, REAL* y) {
    if (blockIdx.x > 0) return;
    const REAL sum = total(count, [&](Size i) { return partial[i]; });
    if (threadIdx.x == 0) *y = sum;
}
