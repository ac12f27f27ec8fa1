// Layer normalisation. Per row of x[…,N]:
//
//     μ = mean x    s = 1/√(mean (x − μ)² + ε)    y = (x − μ)·s·w + b    stats = (μ, s)
//
// and back, with x̂ = (x − μ)·s and g = dy·w:
//
//     dx += s·(g − mean g − x̂·mean(g·x̂))         dw += Σ_rows dy·x̂
//
// For y and dx a warp owns a row; for dw a block owns some columns and folds the rows (see `fold`). The variance is the mean
// of squares of what is left after μ is taken away, not a difference of means, which would lose it far from zero.

extern "C" __global__ void __launch_bounds__(128)
layer_norm(Tensor x, Tensor w, Tensor b, REAL epsilon, Tensor y, Tensor stats) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r), to = row(y, r), kept = row(stats, r);
        const REAL mu = sum_along(n, from) / REAL(n);
        const REAL squares = sum_along(n, [&](unsigned j) { return (from(j) - mu) * (from(j) - mu); });
        const REAL s = 1 / sqrt(squares / REAL(n) + epsilon);
        for (unsigned j = lane(); j < n; j += 32) {
            to(j) = (from(j) - mu) * s * w.data[j * w.s[3]] + b.data[j * b.s[3]];
        }
        if (lane() == 0) {
            kept(0) = mu;
            kept(1) = s;
        }
    }
}

// dx, dw: either may be absent.
extern "C" __global__ void __launch_bounds__(256)
layer_norm_backward(Tensor x, Tensor w, Tensor stats, Tensor dy, Tensor dx, Tensor dw) {
    const unsigned n = x.n[3];
    const Size rows = rows_of(x);
    if (dx.data) {
        for (Size r = warp(); r < rows; r += warps()) {
            const auto from = row(x, r), up = row(dy, r), kept = row(stats, r), to = row(dx, r);
            const REAL mu = kept(0), s = kept(1);
            auto x_hat = [&](unsigned j) { return (from(j) - mu) * s; };
            auto g = [&](unsigned j) { return up(j) * w.data[j * w.s[3]]; };
            const REAL g_mean = sum_along(n, g) / REAL(n);
            const REAL gx_mean = sum_along(n, [&](unsigned j) { return g(j) * x_hat(j); }) / REAL(n);
            for (unsigned j = lane(); j < n; j += 32) to(j) += s * (g(j) - g_mean - x_hat(j) * gx_mean);
        }
    }
    if (dw.data) {
        fold(n, rows, false, REAL(0),
            [&](Size j, Size r) {
                const auto kept = row(stats, r);
                return row(dy, r)((unsigned)j) * ((row(x, r)((unsigned)j) - kept(0)) * kept(1));
            },
            plus,
            [&](Size j, REAL sum) { dw.data[(long long)j * dw.s[3]] += sum; });
    }
}
