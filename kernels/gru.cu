// The gates of a GRU step. Inputs: gx[B,3H], the product hw = h_prev·W_hhᵀ [B,3H], the bias b_hh[3H] and the state h_prev[B,H].
//
//     gh = hw + b_hh    r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    n = tanh(gx_n + r·gh_n)    h = (1 − z)·n + z·h_prev
//
// kept[B,4H] = (r, z, n, gh_n). If rows[B] is given, gx is a table[V,3H], and example i uses its row rows[i].
//
// Backward, from dh to the pre-activations a_r, a_z, a_n. dh_prev gets the direct path only:
//
//     dn = dh·(1 − z)       dz = dh·(h_prev − n)    dh_prev = dh·z
//     da_n = dn·(1 − n²)    dr = da_n·gh_n          da_z = dz·z·(1 − z)    da_r = dr·r·(1 − r)
//     dgx += (da_r, da_z, da_n)                     dgh = (da_r, da_z, da_n·r)
//
// A thread owns one hidden unit of one example: its entries in kept, h, dgh, dh_prev and, without rows, dgx. A row of a table
// gets one thread per hidden unit. The thread adds the examples that use its row in their order, as the host does.

struct GateGradients {
    REAL da_r, da_z, da_n, dgh_n, dh_prev;
};

// x[i,j].
__device__ inline REAL get(const Tensor& x, Size i, unsigned j) {
    return x.data[(long long)i * x.s[2] + (long long)j * x.s[3]];
}
// x[i,j], to write to.
__device__ inline REAL& entry(const Tensor& x, Size i, unsigned j) {
    return x.data[(long long)i * x.s[2] + (long long)j * x.s[3]];
}

__device__ inline GateGradients compute_gate_gradients(const Tensor& kept, const Tensor& h_prev, const Tensor& dh, Size i,
                                                       unsigned j) {
    const unsigned hidden_size = h_prev.n[3];
    const REAL r = get(kept, i, j), z = get(kept, i, hidden_size + j), n = get(kept, i, 2 * hidden_size + j);
    const REAL gh_n = get(kept, i, 3 * hidden_size + j), dh_ij = get(dh, i, j);
    const REAL dn = dh_ij * (1 - z), dz = dh_ij * (get(h_prev, i, j) - n);
    const REAL da_n = dn * (1 - n * n);
    const REAL dr = da_n * gh_n;
    return {dr * r * (1 - r), dz * z * (1 - z), da_n, da_n * r, dh_ij * z};
}

extern "C" __global__ void __launch_bounds__(256)
gru_gates(Tensor gx, Indices rows, Tensor hw, Tensor b_hh, Tensor h_prev, Tensor kept, Tensor h, unsigned* bad) {
    const unsigned hidden_size = h_prev.n[3];
    const Size size = (Size)h_prev.n[2] * hidden_size;
    for (Size at = thread(); at < size; at += threads()) {
        const Size i = at / hidden_size;
        const unsigned j = (unsigned)(at % hidden_size);
        const Size row = rows.data ? rows.data[(long long)i * rows.s[3]] : i;
        if (row >= gx.n[2]) {
            atomicMax(bad, row == 0xffffffffu ? (unsigned)row : (unsigned)row + 1);
            continue;
        }
        REAL gx_j[3], gh_j[3];
        for (int k = 0; k < 3; k++) {
            gx_j[k] = get(gx, row, k * hidden_size + j);
            gh_j[k] = get(hw, i, k * hidden_size + j) + b_hh.data[(long long)(k * hidden_size + j) * b_hh.s[3]];
        }
        const REAL r = sigmoid(gx_j[0] + gh_j[0]);
        const REAL z = sigmoid(gx_j[1] + gh_j[1]);
        const REAL n = tanh(gx_j[2] + r * gh_j[2]);
        entry(h, i, j) = (1 - z) * n + z * get(h_prev, i, j);
        entry(kept, i, j) = r;
        entry(kept, i, hidden_size + j) = z;
        entry(kept, i, 2 * hidden_size + j) = n;
        entry(kept, i, 3 * hidden_size + j) = gh_j[2];
    }
}

extern "C" __global__ void __launch_bounds__(256)
gru_gates_backward(Tensor kept, Tensor h_prev, Tensor dh, Indices rows, Tensor dgx, Tensor dgh, Tensor dh_prev, unsigned* bad) {
    const unsigned hidden_size = h_prev.n[3], batch = h_prev.n[2];
    const Size size = (Size)batch * hidden_size;
    for (Size at = thread(); at < size; at += threads()) {
        const Size i = at / hidden_size;
        const unsigned j = (unsigned)(at % hidden_size);
        const GateGradients d = compute_gate_gradients(kept, h_prev, dh, i, j);
        entry(dgh, i, j) = d.da_r;
        entry(dgh, i, hidden_size + j) = d.da_z;
        entry(dgh, i, 2 * hidden_size + j) = d.dgh_n;
        entry(dh_prev, i, j) = d.dh_prev;
        if (!rows.data) {
            entry(dgx, i, j) += d.da_r;
            entry(dgx, i, hidden_size + j) += d.da_z;
            entry(dgx, i, 2 * hidden_size + j) += d.da_n;
        } else if (rows.data[(long long)i * rows.s[3]] >= dgx.n[2]) {
            const unsigned row = rows.data[(long long)i * rows.s[3]];
            atomicMax(bad, row == 0xffffffffu ? row : row + 1);
        }
    }
    if (!rows.data) return;

    const Size entries = (Size)dgx.n[2] * hidden_size;
    for (Size at = thread(); at < entries; at += threads()) {
        const Size v = at / hidden_size;
        const unsigned j = (unsigned)(at % hidden_size);
        REAL &dgx_r = entry(dgx, v, j), &dgx_z = entry(dgx, v, hidden_size + j), &dgx_n = entry(dgx, v, 2 * hidden_size + j);
        Sum<REAL> sum_r, sum_z, sum_n;
        for (unsigned i = 0; i < batch; i++) {
            if (rows.data[(long long)i * rows.s[3]] != v) continue;
            const GateGradients d = compute_gate_gradients(kept, h_prev, dh, i, j);
            add(sum_r, d.da_r);
            add(sum_z, d.da_z);
            add(sum_n, d.da_n);
        }
        dgx_r += sum_r.value;
        dgx_z += sum_z.value;
        dgx_n += sum_n.value;
    }
}
