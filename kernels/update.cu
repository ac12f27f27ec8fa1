// The last part of an update: the gradient's norm, clipping, and a step of Adam over the flat buffer of parameters. All state
// that changes is in the GPU's memory, so that a recorded update can be replayed unchanged.
//
//     g ·= min(1, c / (‖g‖ + 1e-6))        then Adam or AdamW; see optim.cu
//
// 1. update_norm: a block owns stretches of 4096 gradients and writes the sum of their squares.
// 2. update_close: one block adds up these sums and the terms of the loss, writes the metrics and the parameters of the step.
//    If the norm or the loss is not finite, nothing changes from here on: the parameters stay as they were before this update.
// 3. update_step: a thread owns parameters with their moments.

const unsigned STRETCH = 4096;

// Adam's constants.
struct Adam {
    double beta1, beta2, epsilon, decay;
    unsigned decoupled;
};

// The parameters of an optimiser step.
struct StepParams {
    double rate, correction1, correction2;
    REAL factor;
    unsigned apply;
};

// The metrics of an update.
struct Metrics {
    double loss, policy_loss, value_loss, entropy, grad_norm, reward, rate, entropy_coefficient;
    unsigned update, decisions;
    unsigned solved[8];
};

// partial[⌈n/4096⌉]
extern "C" __global__ void __launch_bounds__(256) update_norm(const REAL* g, unsigned n, REAL* partial) {
    for (Size chunk = blockIdx.x; chunk * STRETCH < n; chunk += gridDim.x) {
        const REAL* const here = g + chunk * STRETCH;
        const Size left = n - chunk * STRETCH;
        const REAL sum = total(left < STRETCH ? left : STRETCH, [&](Size i) { return here[i] * here[i]; });
        if (threadIdx.x == 0) partial[chunk] = sum;
    }
}

// metrics[ring]: update u writes to entry u mod ring. On a grid of any size, only the first block works.
extern "C" __global__ void __launch_bounds__(256)
update_close(const REAL* partial, unsigned n, double clip, Adam rule, double value_coefficient, unsigned batch,
             unsigned steps, const double* sums, const double* terms, Counters* counters, StepParams* step_params, Metrics* metrics,
             unsigned ring) {
    if (blockIdx.x > 0) return;
    const Size episode_chunks = ((Size)batch + 255) / 256, decision_chunks = ((Size)batch * steps + 255) / 256;
    const REAL squares = total(((Size)n + STRETCH - 1) / STRETCH, [&](Size i) { return partial[i]; });
    const double policy = total(decision_chunks, [&](Size i) { return terms[3 * i]; });
    const double value = total(decision_chunks, [&](Size i) { return terms[3 * i + 1]; });
    const double spread = total(decision_chunks, [&](Size i) { return terms[3 * i + 2]; });
    const double reward = total(episode_chunks, [&](Size i) { return sums[4 * i + 3]; });
    if (threadIdx.x > 0) return;

    step_params->apply = 0;
    if (counters->failed) return;
    const unsigned update = counters->update;
    const double decisions = counters->decisions;
    Metrics m;
    m.policy_loss = policy / batch;
    m.value_loss = value / decisions;
    m.entropy = spread / decisions;
    m.rate = counters->rate;
    m.entropy_coefficient = counters->entropy;
    m.loss = m.policy_loss + value_coefficient * m.value_loss - m.entropy_coefficient * m.entropy;
    const REAL norm = sqrt(squares);
    m.grad_norm = norm;
    m.reward = reward / batch;
    m.update = update;
    m.decisions = counters->decisions;
    for (unsigned k = 0; k < 8; k++) m.solved[k] = counters->solved[k];
    metrics[update % ring] = m;

    const double zero = m.loss - m.loss + (double)(norm - norm); // NaN, if either is infinite or NaN
    if (zero != 0) {
        counters->failed = update + 1;
        return;
    }
    const unsigned step = counters->step + 1;
    const REAL factor = (REAL)clip / (norm + (REAL)1e-6);
    step_params->factor = factor < 1 ? factor : REAL(1);
    step_params->rate = m.rate;
    step_params->correction1 = 1 - pow(rule.beta1, (double)step);
    step_params->correction2 = 1 - pow(rule.beta2, (double)step);
    step_params->apply = 1;
    counters->step = step;
    counters->update = update + 1;
}

extern "C" __global__ void __launch_bounds__(256)
update_step(Adam rule, const StepParams* step_params, unsigned n, REAL* g, REAL* m, REAL* v, REAL* p) {
    if (!step_params->apply) return;
    const REAL beta1 = (REAL)rule.beta1, beta2 = (REAL)rule.beta2, epsilon = (REAL)rule.epsilon, decay = (REAL)rule.decay;
    const REAL new1 = (REAL)(1 - rule.beta1), new2 = (REAL)(1 - rule.beta2), factor = step_params->factor;
    const REAL shrink = (REAL)(1 - step_params->rate * rule.decay), rate = (REAL)(step_params->rate / step_params->correction1);
    const REAL correction2 = (REAL)step_params->correction2;
    for (Size i = thread(); i < n; i += threads()) {
        REAL slope = g[i] * factor, value = p[i];
        g[i] = slope;
        if (rule.decoupled) {
            value *= shrink;
        } else if (decay != 0) { // 0·∞ is NaN
            slope += decay * value;
        }
        const REAL first = beta1 * m[i] + new1 * slope;
        const REAL second = beta2 * v[i] + new2 * (slope * slope);
        m[i] = first;
        v[i] = second;
        p[i] = value - rate * first / (sqrt(second / correction2) + epsilon);
    }
}
