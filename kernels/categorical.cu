// Sampling from rows of log-probabilities x[N,A]: y = the first a with u < e^(x_0) + … + e^(x_a). If rounding leaves no a, y =
// the last action with a probability above zero. Each row has one number u in [0, 1). The sum runs in the order of the actions,
// in double, as on the host.
//
// A thread owns a row.

extern "C" __global__ void __launch_bounds__(256) categorical(Tensor x, const double* u, IndicesMut y) {
    const unsigned n = x.n[3];
    for (Size r = thread(); r < rows_of(x); r += threads()) {
        const auto from = row(x, r);
        double below = 0;
        unsigned drawn = n - 1;
        for (unsigned a = 0; a < n; a++) {
            const double share = (double)exp(from(a));
            below += share;
            if (share > 0) drawn = a;
            if (share > 0 && u[r] < below) break;
        }
        element(y, r) = drawn;
    }
}
