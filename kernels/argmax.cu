// y = the index of the largest element of each row of x; of equal elements, the first. NaN is ignored. A row of NaNs gives the
// last index.
//
// A warp owns a row: each lane finds the best of its own elements, then lanes compare.

struct Best {
    REAL value;
    unsigned index;
    int any; // true if a number was found
};

// Returns the better of two candidates, in either order.
__device__ inline Best choose_better(Best a, Best b) {
    if (!a.any || !b.any) return a.any ? a : b;
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

extern "C" __global__ void __launch_bounds__(128) argmax(Tensor x, IndicesMut y) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto x_row = row(x, r);
        Best best = {0, n - 1, 0};
        for (unsigned j = lane(); j < n; j += 32) {
            const REAL value = x_row(j);
            best = choose_better(best, {value, value == value ? j : n - 1, value == value});
        }
        for (int apart = 16; apart > 0; apart /= 2) {
            Best other;
            other.value = __shfl_xor_sync(0xffffffffu, best.value, apart);
            other.index = __shfl_xor_sync(0xffffffffu, best.index, apart);
            other.any = __shfl_xor_sync(0xffffffffu, best.any, apart);
            best = choose_better(best, other);
        }
        if (lane() == 0) element(y, r) = best.index;
    }
}
