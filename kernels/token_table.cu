// The first kernel of an update: gx for each of the V tokens, and the initial state of the episodes of each stage.
//
//     table[V,3H] = emb·W_ihᵀ + b_ih        start[stages,H] = tanh(stage)
//
// A token's embedding does not change during an update, so these V rows replace a product for every token that is read.
// A warp owns an entry of the table, and a thread one of start. The first thread also resets the counters of the update.

// A schedule over the first `over` updates: constant (kind 0), linear (1) or half a cosine (2).
struct Schedule {
    unsigned kind; // 0, 1, 2
    unsigned over;
    double from, to;
};

__device__ inline double value_at(const Schedule& s, unsigned update) {
    if (s.kind == 0) return s.from;
    if (update >= s.over) return s.to;
    const double part = (double)update / (double)s.over;
    return s.kind == 1 ? s.from + (s.to - s.from) * part : s.to + (s.from - s.to) * (1 + cos(3.141592653589793 * part)) / 2;
}

extern "C" __global__ void __launch_bounds__(256)
token_table(Weights w, unsigned vocabulary, unsigned hidden_size, unsigned stages, Schedule rate, Schedule entropy, REAL* table,
            REAL* start, Counters* counters) {
    const unsigned gates = 3 * hidden_size;
    for (Size at = warp(); at < (Size)vocabulary * gates; at += warps()) {
        const REAL *x = w.emb + at / gates * hidden_size, *w_ih = w.w_ih + at % gates * hidden_size;
        const REAL sum = sum_along(hidden_size, [&](unsigned k) { return x[k] * w_ih[k]; });
        if (lane() == 0) table[at] = sum + w.b_ih[at % gates];
    }
    for (Size at = thread(); at < stages * hidden_size; at += threads()) start[at] = tanh(w.stage[at]);
    if (thread() == 0) {
        counters->decisions = 0;
        counters->rate = value_at(rate, counters->update);
        counters->entropy = value_at(entropy, counters->update);
        for (unsigned k = 0; k < 8; k++) counters->solved[k] = 0;
    }
}
