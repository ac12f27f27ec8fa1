// dx += α·dy and dx += α·(a·b), summed over the axes along which dx's shape was broadcast: the backward of a broadcast.
//
// A block owns some elements of dx and folds their terms (see `fold`). dx has the extent 1 along each broadcast axis. So a
// term's position is the sum of two: the element's, and one along the summed axes. On each axis one of the two is 0.

template <class Term> __device__ inline void sum_into(Tensor dx, const unsigned* common, long long inner, REAL alpha, Term term) {
    unsigned summed[4];
    for (int k = 0; k < 4; k++) summed[k] = dx.n[k] == 1 ? common[k] : 1;
    const Size terms = product(summed, 4);
    if (terms == 0) return;
    const bool along = dx.n[3] == 1 && common[3] > 1 && inner <= 1;
    fold<Sum<REAL>>(size_of(dx), terms, along,
        [&](Size r, Size k) {
            Position p = position(dx.n, r);
            const Position q = position(summed, k);
            for (int axis = 0; axis < 4; axis++) p.i[axis] += q.i[axis];
            return term(p);
        },
        [&](Size r, REAL sum) { element(dx, r) += alpha * sum; });
}

extern "C" __global__ void __launch_bounds__(256) sum_to(REAL alpha, Tensor dy, Tensor dx) {
    sum_into(dx, dy.n, dy.s[3], alpha, [&](const Position& p) { return element(dy, p); });
}

extern "C" __global__ void __launch_bounds__(256) sum_product_to(REAL alpha, Tensor a, Tensor b, Tensor dx) {
    const long long inner = a.s[3] > b.s[3] ? a.s[3] : b.s[3];
    sum_into(dx, a.n, inner, alpha, [&](const Position& p) { return element(a, p) * element(b, p); });
}
