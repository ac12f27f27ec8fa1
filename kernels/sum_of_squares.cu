// Σ x², in two stages with a fixed order.
//
// First each block leaves the sum of its own elements, in partial[block]: thread t of all threads takes elements t, t + threads,
// …, and the block's sums are folded in halves. Then one block folds the partial sums the same way. The sum depends on how many
// blocks the first stage has, and on nothing else.

extern "C" __global__ void __launch_bounds__(256) sum_of_squares(Tensor x, REAL* partial) {
    const Size size = size_of(x);
    REAL sum = 0;
    for (Size i = thread(); i < size; i += threads()) sum += at(x, i) * at(x, i);
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// For a grid of any size, the first block works.
extern "C" __global__ void __launch_bounds__(256) sum_of_partials(REAL* partial, unsigned count, REAL* y) {
    if (blockIdx.x > 0) return;
    REAL sum = 0;
    for (unsigned i = threadIdx.x; i < count; i += 256) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *y = sum;
}
