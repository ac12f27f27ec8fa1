// Gathering by index, and scattering back:
//
//     gather_rows  y[…,e] = table[index[…],e]           scatter_add_rows  dtable[index[…],e] += dy[…,e]
//     gather       y[…,k] = x[…,index[…,k]]             scatter_add       dx[…,index[…,k]] += dy[…,k]
//
// Each thread owns elements of the output. To scatter, it looks through the indices in order and adds where its own is named:
// repeated indices add up in the same order as on the host. That costs a look at every index for every row of the table, which
// is cheap for tables as small as a vocabulary of tokens, and needs no atomic addition, whose order would be anybody's.
//
// An index outside is never followed: *bad becomes 1 + the largest of them.

__device__ inline void report(unsigned* bad, unsigned index) {
    atomicMax(bad, index == 0xffffffffu ? index : index + 1);
}

// Reports those of all indices that are not below n.
__device__ inline void look_over(const Indices& index, unsigned n, unsigned* bad) {
    for (Size i = thread(); i < size_of(index); i += threads()) {
        if (at(index, i) >= n) report(bad, at(index, i));
    }
}

extern "C" __global__ void __launch_bounds__(256) gather_rows(Tensor table, Indices index, Tensor y, unsigned* bad) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        const unsigned width = y.n[3], r = at(index, i / width);
        if (r < table.n[2]) {
            at(y, i) = table.data[r * table.s[2] + i % width * table.s[3]];
        } else {
            report(bad, r);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) scatter_add_rows(Indices index, Tensor dy, Tensor dtable, unsigned* bad) {
    const Size size = size_of(dtable), count = size_of(index);
    for (Size i = thread(); i < size; i += threads()) {
        const Place p = place(dtable.n, i);
        Sum<REAL> sum;
        for (Size k = 0; k < count; k++) {
            if (at(index, k) == p.i[2]) add(sum, row(dy, k)(p.i[3]));
        }
        at(dtable, p) += sum.value;
    }
    if (dtable.n[3] > 0) look_over(index, dtable.n[2], bad);
}

extern "C" __global__ void __launch_bounds__(256) gather(Tensor x, Indices index, Tensor y, unsigned* bad) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        Place p = place(y.n, i);
        const unsigned named = at(index, p);
        if (named < x.n[3]) {
            REAL& to = at(y, p);
            p.i[3] = named;
            to = at(x, p);
        } else {
            report(bad, named);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) scatter_add(Indices index, Tensor dy, Tensor dx, unsigned* bad) {
    const Size size = size_of(dx);
    for (Size i = thread(); i < size; i += threads()) {
        const Place p = place(dx.n, i);
        Place q = p;
        Sum<REAL> sum;
        for (q.i[3] = 0; q.i[3] < index.n[3]; q.i[3]++) {
            if (at(index, q) == p.i[3]) add(sum, at(dy, q));
        }
        at(dx, p) += sum.value;
    }
    look_over(index, dx.n[3], bad);
}
