// Layer normalisation. Per row of x[…,N], centred twice:
//
//     μ = mean x    d = x − μ    δ = mean d    s = 1/√(mean (d − δ)² + ε)    y = (d − δ)·s·w + b    stats = (μ, s)
//
// and back, with x̂ = (d − δ)·s and g = dy·w:
//
//     dx += s·(g − mean g − x̂·mean(g·x̂))         dw += Σ_rows dy·x̂
//
// μ is rounded. In a row that is nearly constant this rounding is as large as the residual x − μ. So the residual is centred
// again: δ is the error of μ. It is not part of stats; `layer_norm_centres` computes it again before the backward pass.
//
// For y, δ and dx a warp owns a row. For dw a block owns some columns and folds the rows (see `fold`). The variance is the mean
// of squares of the centred values. The difference mean x² − μ² would cancel if μ is far from zero.

template <class F> __device__ inline REAL mean_along(unsigned n, F f) {
    return sum_along(n, f) / REAL(n);
}

extern "C" __global__ void __launch_bounds__(128)
layer_norm(Tensor x, Tensor w, Tensor b, REAL epsilon, Tensor y, Tensor stats) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r), to = row(y, r), kept = row(stats, r);
        const REAL mu = mean_along(n, from);
        const REAL rest = mean_along(n, [&](unsigned j) { return from(j) - mu; });
        auto centred = [&](unsigned j) { return from(j) - mu - rest; };
        const REAL s = 1 / sqrt(mean_along(n, [&](unsigned j) { return centred(j) * centred(j); }) + epsilon);
        for (unsigned j = lane(); j < n; j += 32) to(j) = centred(j) * s * w.data[j * w.s[3]] + b.data[j * b.s[3]];
        if (lane() == 0) {
            kept(0) = mu;
            kept(1) = s;
        }
    }
}

// rests[rows] = δ.
extern "C" __global__ void __launch_bounds__(128) layer_norm_centres(Tensor x, Tensor stats, REAL* rests) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r);
        const REAL mu = row(stats, r)(0);
        const REAL rest = mean_along(n, [&](unsigned j) { return from(j) - mu; });
        if (lane() == 0) rests[r] = rest;
    }
}

// dx, dw: either may be absent.
extern "C" __global__ void __launch_bounds__(256)
layer_norm_backward(Tensor x, Tensor w, Tensor stats, const REAL* rests, Tensor dy, Tensor dx, Tensor dw) {
    const unsigned n = x.n[3];
    const Size rows = rows_of(x);
    if (dx.data) {
        for (Size r = warp(); r < rows; r += warps()) {
            const auto from = row(x, r), up = row(dy, r), kept = row(stats, r), to = row(dx, r);
            const REAL mu = kept(0), s = kept(1), rest = rests[r];
            auto x_hat = [&](unsigned j) { return (from(j) - mu - rest) * s; };
            auto g = [&](unsigned j) { return up(j) * w.data[j * w.s[3]]; };
            const REAL g_mean = mean_along(n, g);
            const REAL gx_mean = mean_along(n, [&](unsigned j) { return g(j) * x_hat(j); });
            for (unsigned j = lane(); j < n; j += 32) to(j) += s * (g(j) - g_mean - x_hat(j) * gx_mean);
        }
    }
    if (dw.data) {
        fold<Sum<REAL>>(n, rows, false,
            [&](Size j, Size r) {
                const auto kept = row(stats, r);
                return row(dy, r)((unsigned)j) * ((row(x, r)((unsigned)j) - kept(0) - rests[r]) * kept(1));
            },
            [&](Size j, REAL sum) { dw.data[(long long)j * dw.s[3]] += sum; });
    }
}
