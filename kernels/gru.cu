// The gates of a GRU step, from the input's part gx[B,3H], the product of state and weights hw[B,3H], and its bias b[3H]:
//
//     gh = hw + b    r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    n = tanh(gx_n + r·gh_n)    y = (1 − z)·n + z·h
//
// kept[B,4H] = (r, z, n, gh_n). With rows[B], gx is a table[V,3H], and each example has the row that it names.
//
// Backward, from y to the arguments of σ, σ and tanh:
//
//     dn = dy·(1 − z)       dz = dy·(h − n)        dh = dy·z
//     ds_n = dn·(1 − n²)    dr = ds_n·gh_n         ds_z = dz·z·(1 − z)    ds_r = dr·r·(1 − r)
//     dgx += (ds_r, ds_z, ds_n)                    dgh = (ds_r, ds_z, ds_n·r)
//
// A thread owns one unit of one example, and what is at that place in kept, y, dgh, dh and, without rows, dgx. Rows of a table
// are owned by other threads: one for each unit of each row. It looks through the examples in order, and adds those that name
// its row, so that the order is the host's.

struct Slopes {
    REAL r, z, n, dgh_n, dh;
};

__device__ inline REAL at2(const Tensor& x, Size i, unsigned j) {
    return x.data[(long long)i * x.s[2] + (long long)j * x.s[3]];
}
__device__ inline REAL& set2(const Tensor& x, Size i, unsigned j) {
    return x.data[(long long)i * x.s[2] + (long long)j * x.s[3]];
}

__device__ inline Slopes slopes(const Tensor& kept, const Tensor& h, const Tensor& dy, Size i, unsigned j) {
    const unsigned hidden = h.n[3];
    const REAL r = at2(kept, i, j), z = at2(kept, i, hidden + j), n = at2(kept, i, 2 * hidden + j);
    const REAL gh_n = at2(kept, i, 3 * hidden + j), up = at2(dy, i, j);
    const REAL dn = up * (1 - z), dz = up * (at2(h, i, j) - n);
    const REAL ds_n = dn * (1 - n * n);
    const REAL dr = ds_n * gh_n;
    return {dr * r * (1 - r), dz * z * (1 - z), ds_n, ds_n * r, up * z};
}

extern "C" __global__ void __launch_bounds__(256)
gru_gates(Tensor gx, Indices rows, Tensor hw, Tensor b, Tensor h, Tensor kept, Tensor y, unsigned* bad) {
    const unsigned hidden = h.n[3];
    const Size size = (Size)h.n[2] * hidden;
    for (Size at = thread(); at < size; at += threads()) {
        const Size i = at / hidden;
        const unsigned j = (unsigned)(at % hidden);
        const Size row = rows.data ? rows.data[(long long)i * rows.s[3]] : i;
        if (row >= gx.n[2]) {
            atomicMax(bad, row == 0xffffffffu ? (unsigned)row : (unsigned)row + 1);
            continue;
        }
        REAL gate[3], gh[3];
        for (int k = 0; k < 3; k++) {
            gate[k] = at2(gx, row, k * hidden + j);
            gh[k] = at2(hw, i, k * hidden + j) + b.data[(long long)(k * hidden + j) * b.s[3]];
        }
        const REAL r = sigmoid(gate[0] + gh[0]);
        const REAL z = sigmoid(gate[1] + gh[1]);
        const REAL n = tanh(gate[2] + r * gh[2]);
        set2(y, i, j) = (1 - z) * n + z * at2(h, i, j);
        set2(kept, i, j) = r;
        set2(kept, i, hidden + j) = z;
        set2(kept, i, 2 * hidden + j) = n;
        set2(kept, i, 3 * hidden + j) = gh[2];
    }
}

extern "C" __global__ void __launch_bounds__(256)
gru_gates_backward(Tensor kept, Tensor h, Tensor dy, Indices rows, Tensor dgx, Tensor dgh, Tensor dh, unsigned* bad) {
    const unsigned hidden = h.n[3], batch = h.n[2];
    const Size size = (Size)batch * hidden;
    for (Size at = thread(); at < size; at += threads()) {
        const Size i = at / hidden;
        const unsigned j = (unsigned)(at % hidden);
        const Slopes ds = slopes(kept, h, dy, i, j);
        set2(dgh, i, j) = ds.r;
        set2(dgh, i, hidden + j) = ds.z;
        set2(dgh, i, 2 * hidden + j) = ds.dgh_n;
        set2(dh, i, j) = ds.dh;
        if (!rows.data) {
            set2(dgx, i, j) += ds.r;
            set2(dgx, i, hidden + j) += ds.z;
            set2(dgx, i, 2 * hidden + j) += ds.n;
        } else if (rows.data[(long long)i * rows.s[3]] >= dgx.n[2]) {
            const unsigned row = rows.data[(long long)i * rows.s[3]];
            atomicMax(bad, row == 0xffffffffu ? row : row + 1);
        }
    }
    if (!rows.data) return;

    const Size entries = (Size)dgx.n[2] * hidden;
    for (Size at = thread(); at < entries; at += threads()) {
        const Size v = at / hidden;
        const unsigned j = (unsigned)(at % hidden);
        REAL &r = set2(dgx, v, j), &z = set2(dgx, v, hidden + j), &n = set2(dgx, v, 2 * hidden + j);
        Sum<REAL> sum_r, sum_z, sum_n;
        for (unsigned i = 0; i < batch; i++) {
            if (rows.data[(long long)i * rows.s[3]] != v) continue;
            const Slopes ds = slopes(kept, h, dy, i, j);
            add(sum_r, ds.r);
            add(sum_z, ds.z);
            add(sum_n, ds.n);
        }
        r += sum_r.value;
        z += sum_z.value;
        n += sum_n.value;
    }
}
