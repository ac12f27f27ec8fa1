// Softmax, log-softmax and logsumexp of each row, each with its backward. With m the row's largest element:
//
//     softmax      y_i = e^(x_i − m) / Σ_j e^(x_j − m)      dx_i += y_i·(dy_i − Σ_j dy_j·y_j)
//     log_softmax  y_i = x_i − m − ln Σ_j e^(x_j − m)       dx_i += dy_i − e^(y_i)·Σ_j dy_j
//     logsumexp    y   = m + ln Σ_j e^(x_j − m)             dx_i += dy·e^(x_i − y), and nothing where x_i = −∞
//
// A warp owns a row: lane l has its elements l, l + 32, … The lanes exchange sums and maxima by shuffles.

extern "C" __global__ void __launch_bounds__(128) softmax(Tensor x, Tensor y) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r), to = row(y, r);
        const REAL m = max_along(n, from);
        const REAL mass = sum_along(n, [&](unsigned j) { return exp(from(j) - m); });
        for (unsigned j = lane(); j < n; j += 32) to(j) = exp(from(j) - m) / mass;
    }
}

extern "C" __global__ void __launch_bounds__(128) softmax_backward(Tensor y, Tensor dy, Tensor dx) {
    const unsigned n = y.n[3];
    for (Size r = warp(); r < rows_of(y); r += warps()) {
        const auto value = row(y, r), up = row(dy, r), to = row(dx, r);
        const REAL mean = sum_along(n, [&](unsigned j) { return up(j) * value(j); });
        for (unsigned j = lane(); j < n; j += 32) to(j) += value(j) * (up(j) - mean);
    }
}

extern "C" __global__ void __launch_bounds__(128) log_softmax(Tensor x, Tensor y) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r), to = row(y, r);
        const REAL m = max_along(n, from);
        const REAL log_mass = log(sum_along(n, [&](unsigned j) { return exp(from(j) - m); }));
        for (unsigned j = lane(); j < n; j += 32) to(j) = from(j) - m - log_mass;
    }
}

extern "C" __global__ void __launch_bounds__(128) log_softmax_backward(Tensor y, Tensor dy, Tensor dx) {
    const unsigned n = y.n[3];
    for (Size r = warp(); r < rows_of(y); r += warps()) {
        const auto value = row(y, r), up = row(dy, r), to = row(dx, r);
        const REAL total = sum_along(n, up);
        for (unsigned j = lane(); j < n; j += 32) to(j) += up(j) - exp(value(j)) * total;
    }
}

// If the maximum is infinite, m = 0. So a row of −∞ gives −∞, and one with +∞ gives +∞.
extern "C" __global__ void __launch_bounds__(128) logsumexp(Tensor x, Tensor y) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r);
        const REAL largest = max_along(n, from);
        const REAL m = largest == infinity() || largest == -infinity() ? REAL(0) : largest;
        const REAL mass = sum_along(n, [&](unsigned j) { return exp(from(j) - m); });
        if (lane() == 0) element(y, r) = m + log(mass);
    }
}

extern "C" __global__ void __launch_bounds__(128) logsumexp_backward(Tensor x, Tensor y, Tensor dy, Tensor dx) {
    const unsigned n = x.n[3];
    for (Size r = warp(); r < rows_of(x); r += warps()) {
        const auto from = row(x, r), to = row(dx, r);
        const REAL value = element(y, r), up = element(dy, r);
        for (unsigned j = lane(); j < n; j += 32) {
            if (from(j) != -infinity()) to(j) += up * exp(from(j) - value);
        }
    }
}
