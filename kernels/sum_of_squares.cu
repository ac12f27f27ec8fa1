// Σ x², in two stages with a fixed order.
//
// First each block leaves the sum of its own elements, in partial[block]: thread t of all threads takes elements t, t + threads,
// …, and the block's sums are folded in halves. Then one block folds the partial sums the same way. The sum depends on how many
// blocks the first stage has, and on nothing else.

extern "C" __global__ void __launch_bounds__(256) sum_of_squares(Tensor x, REAL* partial) {
    const Size size = size_of(x);
    Sum<REAL> squares;
    for (Size i = thread(); i < size; i += threads()) add(squares, at(x, i) * at(x, i));
    REAL sum = squares.value;
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// For a grid of any size, the first block works.
extern "C" __global__ void __launch_bounds__(256) sum_of_partials(REAL* partial, unsigned count, REAL* y) {
    if (blockIdx.x > 0) return;
    const REAL sum = total(count, [&](Size i) { return partial[i]; });
    if (threadIdx.x == 0) *y = sum;
}
