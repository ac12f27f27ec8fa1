// Gathering by index, and scattering back:
//
//     gather_rows  y[…,e] = table[index[…],e]           scatter_add_rows  dtable[index[…],e] += dy[…,e]
//     gather       y[…,k] = x[…,index[…,k]]             scatter_add       dx[…,index[…,k]] += dy[…,k]
//
// Each thread owns elements of the output. To scatter, it goes through the indices in order and adds the terms whose index is
// its element, so repeated indices add up in the host's order. Every index is read for every row of the table. That is cheap
// for tables as small as a token vocabulary, and avoids atomic additions, whose order is not fixed.
//
// An index out of range is never used: *bad becomes 1 + the largest one.

__device__ inline void report(unsigned* bad, unsigned index) {
    atomicMax(bad, index == 0xffffffffu ? index : index + 1);
}

// Reports all indices that are not below n.
__device__ inline void look_over(const Indices& index, unsigned n, unsigned* bad) {
    for (Size i = thread(); i < size_of(index); i += threads()) {
        if (element(index, i) >= n) report(bad, element(index, i));
    }
}

extern "C" __global__ void __launch_bounds__(256) gather_rows(Tensor table, Indices index, Tensor y, unsigned* bad) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        const unsigned width = y.n[3], r = element(index, i / width);
        if (r < table.n[2]) {
            element(y, i) = table.data[r * table.s[2] + i % width * table.s[3]];
        } else {
            report(bad, r);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) scatter_add_rows(Indices index, Tensor dy, Tensor dtable, unsigned* bad) {
    const Size size = size_of(dtable), count = size_of(index);
    for (Size i = thread(); i < size; i += threads()) {
        const Position p = position(dtable.n, i);
        Sum<REAL> sum;
        for (Size k = 0; k < count; k++) {
            if (element(index, k) == p.i[2]) add(sum, row(dy, k)(p.i[3]));
        }
        element(dtable, p) += sum.value;
    }
    if (dtable.n[3] > 0) look_over(index, dtable.n[2], bad);
}

extern "C" __global__ void __launch_bounds__(256) gather(Tensor x, Indices index, Tensor y, unsigned* bad) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        Position p = position(y.n, i);
        const unsigned named = element(index, p);
        if (named < x.n[3]) {
            REAL& to = element(y, p);
            p.i[3] = named;
            to = element(x, p);
        } else {
            report(bad, named);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) scatter_add(Indices index, Tensor dy, Tensor dx, unsigned* bad) {
    const Size size = size_of(dx);
    for (Size i = thread(); i < size; i += threads()) {
        const Position p = position(dx.n, i);
        Position q = p;
        Sum<REAL> sum;
        for (q.i[3] = 0; q.i[3] < index.n[3]; q.i[3]++) {
            if (element(index, q) == p.i[3]) add(sum, element(dy, q));
        }
        element(dx, p) += sum.value;
    }
    look_over(index, dx.n[3], bad);
}
