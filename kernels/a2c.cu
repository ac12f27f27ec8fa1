// Advantage actor-critic: the advantage of each decision, and the gradient of the loss at the heads.
//
//     L = − 1/B Σ Â·ln π(a)  +  c_v · 1/N Σ (V − G)²  −  β · 1/N Σ H(π)
//
// over B episodes with N decisions. Advantages are computed in double, as on the host. A thread owns an episode and goes from
// its last step to its first. A block handles 256 episodes at a time and writes their sums, so that sums do not depend on the
// grid. Then a thread owns a decision. With x = log π, and back through the log-softmax:
//
//     dx_i = − Â/B·[i = a] + β/N·e^(x_i)·(x_i + 1)        dlogit_i = dx_i − e^(x_i)·Σ_j dx_j        dV = 2·c_v/N·(V − G)
//
// Normalised advantages are divided by their standard deviation. Each block sums squared deviations from its own mean, and
// these sums are then moved to the common mean (Chan et al. 1979). The difference mean Â² − (mean Â)² would cancel.

// The estimator of advantages: generalised advantage estimation with λ if `n_steps` is 0; else `n_steps` rewards and then the
// critic's value.
struct AdvantageEstimator {
    double gamma, lambda;
    unsigned n_steps, normalize;
};

// Writes the sums of three numbers over the block. All threads of the block call it.
__device__ inline void store_block_sums(double a, double b, double c, double* to_a, double* to_b, double* to_c) {
    a = block_sum(a);
    b = block_sum(b);
    c = block_sum(c);
    if (threadIdx.x == 0) *to_a = a, *to_b = b, *to_c = c;
}

// advantages, targets[T,B]; sums[⌈B/256⌉,4] = N, Σ Â, Σ (Â − mean Â)², Σ rewards, each over the block's episodes. Also counts
// decisions and successes.
extern "C" __global__ void __launch_bounds__(256, 1)
compute_advantages(Trace trace, AdvantageEstimator estimator, const unsigned* first, unsigned stages, double* advantages,
                   double* targets, double* sums, Counters* counters) {
    const Size B = trace.batch;
    const double gamma = estimator.gamma;
    for (Size chunk = blockIdx.x; chunk * 256 < B; chunk += gridDim.x) {
        const Size b = chunk * 256 + threadIdx.x;
        Sum<double> sum, squares, reward;
        unsigned begin = 0, end = 0;
        if (b < B) {
            begin = trace.begin[b];
            end = trace.end[b];
            double advantage = 0;
            auto value = [&](unsigned s) { return s < end ? (double)trace.values[s * B + b] : 0.0; };
#pragma unroll 1
            for (unsigned s = end; s-- > begin;) {
                if (estimator.n_steps == 0) {
                    advantage = trace.rewards[s * B + b] + gamma * value(s + 1) - value(s) + gamma * estimator.lambda * advantage;
                } else {
                    const unsigned last = end - s > estimator.n_steps ? s + estimator.n_steps : end;
                    double target = value(last);
#pragma unroll 1
                    for (unsigned k = last; k-- > s;) target = trace.rewards[k * B + b] + gamma * target;
                    advantage = target - value(s);
                }
                advantages[s * B + b] = advantage;
                targets[s * B + b] = advantage + value(s);
                add(sum, advantage);
                add(reward, trace.rewards[s * B + b]);
            }
            // Integers: their order does not matter.
            atomicAdd(&counters->decisions, end - begin);
            if (trace.solved[b]) atomicAdd(&counters->solved[stage_of(first, stages, (unsigned)b)], 1u);
        }
        double* const to = sums + 4 * chunk;
        store_block_sums(end - begin, sum.value, reward.value, to, to + 1, to + 3);
        __syncthreads(); // the first thread has written the block's count and sum
        const double mean = to[1] / to[0];
#pragma unroll 1
        for (unsigned s = begin; s < end; s++) {
            const double d = advantages[s * B + b] - mean;
            add(squares, d * d);
        }
        const double spread = block_sum(squares.value);
        if (threadIdx.x == 0) to[2] = spread;
    }
}

// dheads[T,B,A + 1] = (dlogits, dV), zero in steps without a decision; terms[⌈T·B/256⌉,3] = − Σ Â·ln π(a), Σ (V − G)², Σ H.
extern "C" __global__ void __launch_bounds__(256)
a2c(Trace trace, unsigned actions, AdvantageEstimator estimator, double value_coefficient, const double* advantages,
    const double* targets, const double* sums, const Counters* counters, REAL* dheads, double* terms) {
    const Size B = trace.batch, size = B * trace.steps;
    const double n = counters->decisions, beta = counters->entropy;
    __shared__ double mean;
    __shared__ double deviation;
    if (estimator.normalize) {
        const Size chunks = (B + 255) / 256;
        const double sum = total(chunks, [&](Size chunk) { return sums[4 * chunk + 1]; });
        if (threadIdx.x == 0) mean = sum / n;
        __syncthreads();
        const double squares = total(chunks, [&](Size chunk) {
            const double* const of = sums + 4 * chunk;
            const double apart = of[1] / of[0] - mean;
            return of[0] > 0 ? of[2] + of[0] * apart * apart : 0.0;
        });
        if (threadIdx.x == 0) deviation = sqrt(squares / n) + 1e-8;
        __syncthreads();
    }
    const REAL per_episode = (REAL)(1.0 / (double)B), value_weight = (REAL)(value_coefficient / n), spread = (REAL)(beta / n);

    for (Size chunk = blockIdx.x; chunk * 256 < size; chunk += gridDim.x) {
        const Size slot = chunk * 256 + threadIdx.x;
        double policy_term = 0, value_term = 0, entropy_term = 0;
        if (slot < size) {
            const unsigned s = (unsigned)(slot / B), b = (unsigned)(slot % B);
            REAL* d = dheads + slot * (actions + 1);
            if (s < trace.begin[b] || s >= trace.end[b]) {
                for (unsigned i = 0; i <= actions; i++) d[i] = 0;
            } else {
                const REAL* x = trace.log_probs + slot * actions;
                const unsigned a = trace.actions[slot];
                const REAL advantage =
                    (REAL)(estimator.normalize ? (advantages[slot] - mean) / deviation : advantages[slot]);
                const REAL error = trace.values[slot] - (REAL)targets[slot];
                REAL total = 0, h = 0;
                for (unsigned i = 0; i < actions; i++) {
                    const REAL p = exp(x[i]);
                    const REAL p_ln_p = p == 0 ? REAL(0) : p * x[i]; // 0·ln 0 = 0
                    h -= p_ln_p;
                    const REAL dx = (i == a ? -advantage * per_episode : REAL(0)) + spread * (p_ln_p + p);
                    total += dx;
                    d[i] = dx;
                }
                for (unsigned i = 0; i < actions; i++) d[i] -= exp(x[i]) * total;
                d[actions] = value_weight * 2 * error;
                policy_term = -(double)(advantage * x[a]);
                value_term = (double)(error * error);
                entropy_term = (double)h;
            }
        }
        double* const to = terms + 3 * chunk;
        store_block_sums(policy_term, value_term, entropy_term, to, to + 1, to + 2);
    }
}
