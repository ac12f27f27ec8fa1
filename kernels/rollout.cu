// The persistent rollout: one kernel runs B episodes from their contexts to their ends. Compiled for HIDDEN and ACTIONS.
//
//     h ← GRU(h, token)   logits, v = W_heads·h + b_heads   log π = log_softmax(logits)   a ~ π   reward, token ← environment(a)
//
// A block owns up to eight episodes at a time, for all their steps. Blocks never wait for each other. In the product
// h_prev·W_hhᵀ, a thread owns one of the 3H rows of W_hh. The row stays in the thread's registers from the first step to the
// last, so global memory is not read for it again. The states are in shared memory, and all threads read the same number at a
// time, as a broadcast. A step has four parts, with a barrier after each:
//
//     1. gh = h_prev·W_hhᵀ + b_hh    a thread owns a row of W_hh, for all of the block's episodes
//     2. the gates and the new h     a thread owns units of episodes; gx is a row of the token table
//     3. the heads                   four lanes own a logit or the value of an episode, and each reads a quarter of its terms
//     4. the decision                a warp owns an episode: lane a has action a; then lane 0 takes the step in the environment
//
// Ended episodes are skipped. Each episode has its own random numbers, so no result depends on the assignment of episodes to
// blocks. If a row of W_hh is too long for registers, each product reads it again through the cache.

#ifndef HIDDEN
#define HIDDEN 96
#endif
#ifndef ACTIONS
#define ACTIONS 18
#endif

const unsigned H = HIDDEN, A = ACTIONS, HEADS = A + 1;
const unsigned EPISODES = H * sizeof(REAL) <= 800 ? 8 : 4; // the episodes of a block at a time
const bool IN_REGISTERS = H * sizeof(REAL) <= 512;
// The threads of a block: a multiple of the warp size that divides 3H; all 3H if each thread has enough registers.
const unsigned PARTS = H / 32, SHARE = PARTS <= 4 ? PARTS : PARTS % 4 == 0 ? 4 : PARTS % 3 == 0 ? 3 : PARTS % 2 == 0 ? 2 : 1;
const unsigned THREADS = 96 * SHARE, WARPS = THREADS / 32;
static_assert(H % 32 == 0 && A <= 32, "HIDDEN is a multiple of 32, and there is a lane for each action");

// The purposes of streams of random numbers.
const unsigned OPERANDS = 1, ACTING = 2;

// Written instead of an action that could not be chosen.
const unsigned UNDECIDED = 0xffffffffu;

// Four numbers that one instruction reads.
struct alignas(4 * sizeof(REAL)) Four {
    REAL v[4];
};

// The dot product of a row of W_hh and h, in four independent sums.
template <class Weight> __device__ inline REAL dot(Weight weight, const Four* h) {
    REAL sum[4] = {};
#pragma unroll (IN_REGISTERS ? H / 4 : 8)
    for (unsigned k = 0; k < H / 4; k++) {
        const Four h_k = h[k];
#pragma unroll
        for (unsigned i = 0; i < 4; i++) sum[i] += weight(4 * k + i) * h_k.v[i];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Samples an action from a warp's logits, or takes the best one if `greedy`. Lane a holds the logit of action a, and gets log
// π(a) in `log_prob`. Sums over the actions are added in the order of the actions, as on the host. An action of probability
// zero is never drawn.
//
// If a logit is NaN or +∞, or all are −∞, every log π is NaN, and the returned action is meaningless. During an evaluation the
// caller writes UNDECIDED instead, and the host reports it. During training the loss becomes NaN, and `update_close` stops
// there.
__device__ inline unsigned sample_action(REAL logit, bool greedy, double u, REAL& log_prob) {
    const bool mine = lane() < A;
    const REAL m = warp_max(mine ? logit : -infinity());
    const REAL share = mine ? exp(logit - m) : REAL(0);
    REAL mass = 0;
    for (unsigned a = 0; a < A; a++) mass += __shfl_sync(0xffffffffu, share, a);
    log_prob = logit - m - log(mass);
    unsigned best = 0;
    REAL largest = __shfl_sync(0xffffffffu, log_prob, 0);
    double below = 0;
    unsigned drawn = A - 1;
    bool found = false;
    const double probability = mine ? (double)exp(log_prob) : 0.0;
    for (unsigned a = 0; a < A; a++) {
        const REAL other = __shfl_sync(0xffffffffu, log_prob, a);
        if (other > largest) best = a, largest = other;
        const double next = __shfl_sync(0xffffffffu, probability, a);
        below += next;
        if (!found && next > 0) drawn = a, found = u < below; // if no sum is above u, the last action with a share
    }
    return greedy ? best : drawn;
}

// During training, episode b draws from stream b of this update. In an evaluation, `evaluation` is the purpose of its streams,
// the policy is greedy, and an episode is numbered within its stage, from stage·2²⁴ on. During training `evaluation` is 0.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
rollout(Weights w, const REAL* table, const REAL* start, Task task, const unsigned* first, const Counters* counters, Size seed,
        unsigned evaluation, Trace trace) {
    __shared__ Four states[EPISODES][H / 4];
    __shared__ REAL gh[EPISODES][3 * H];
    __shared__ REAL head_weights[HEADS][H + 4]; // 4 more, so that eight neighbours read different banks
    __shared__ REAL head_out[EPISODES][HEADS];
    __shared__ Episode episodes[EPISODES];
    __shared__ unsigned stages[EPISODES];
    __shared__ unsigned contexts[EPISODES][8];
    __shared__ unsigned tokens[EPISODES];
    __shared__ unsigned active[EPISODES];
    auto state = [&](unsigned e, unsigned k) -> REAL& { return states[e][k / 4].v[k % 4]; };
    const unsigned t = threadIdx.x, batch = trace.batch;
    const Size B = batch;

    REAL w_row[IN_REGISTERS ? H : 1];
    if (IN_REGISTERS) {
#pragma unroll
        for (unsigned k = 0; k < (IN_REGISTERS ? H : 1); k++) w_row[k] = w.w_hh[t * H + k];
    }
    for (unsigned at = t; at < HEADS * H; at += THREADS) {
        const unsigned c = at / H, k = at % H;
        head_weights[c][k] = c < A ? w.w_pi[at] : w.w_v[k];
    }

    const unsigned even = (batch + gridDim.x - 1) / gridDim.x, group_size = even < EPISODES ? even : EPISODES;
    for (Size group = (Size)blockIdx.x * group_size; group < B; group += (Size)gridDim.x * group_size) {
        const unsigned count = B - group < group_size ? (unsigned)(B - group) : group_size;
        __syncthreads(); // before the next episodes overwrite the previous ones
        for (unsigned e = t / 32; e < count; e += WARPS) {
            if (lane() != 0) continue;
            const unsigned b = (unsigned)group + e, stage = stage_of(first, task.stages, b), shown = task.operands[stage];
            const unsigned number = evaluation ? (stage << 24) + (b - first[stage]) : b;
            const Stream stream = {seed, evaluation ? evaluation : OPERANDS, counters->update, number};
            unsigned used = 0;
            for (unsigned k = 0; k < shown; k++) contexts[e][k] = digit(stream, used);
            contexts[e][shown] = 10; // CTX
            stages[e] = stage;
            tokens[e] = contexts[e][0];
            episodes[e] = start_of(task, stage);
            active[e] = 1;
            trace.begin[b] = shown;
        }
        __syncthreads();
        for (unsigned at = t; at < count * H; at += THREADS) {
            const unsigned e = at / H, k = at % H;
            const REAL h0 = start[stages[e] * H + k];
            state(e, k) = h0;
            if (trace.h) trace.h[(group + e) * H + k] = h0;
        }

        for (unsigned s = 0; s < trace.steps; s++) {
            __syncthreads();
            bool any = false;
            for (unsigned e = 0; e < count; e++) any |= active[e];
            if (!any) break;

            for (unsigned j = t; j < 3 * H; j += THREADS) { // 1. gh
                const REAL* w_hh = w.w_hh + (Size)j * H;
                const REAL b_hh = w.b_hh[j];
                for (unsigned e = 0; e < count; e++) {
                    if (!active[e]) continue;
                    gh[e][j] = b_hh + (IN_REGISTERS ? dot([&](unsigned k) { return w_row[IN_REGISTERS ? k : 0]; }, states[e])
                                                    : dot([&](unsigned k) { return w_hh[k]; }, states[e]));
                }
            }
            __syncthreads();

            for (unsigned at = t; at < count * H; at += THREADS) { // 2. the gates
                const unsigned e = at / H, k = at % H;
                if (!active[e]) continue;
                const REAL* gx = table + (Size)tokens[e] * 3 * H;
                const REAL r = sigmoid(gx[k] + gh[e][k]);
                const REAL z = sigmoid(gx[H + k] + gh[e][H + k]);
                const REAL gh_n = gh[e][2 * H + k];
                const REAL n = tanh(gx[2 * H + k] + r * gh_n);
                const REAL h = (1 - z) * n + z * state(e, k);
                state(e, k) = h;
                const Size slot = s * B + group + e;
                if (trace.h) trace.h[(slot + B) * H + k] = h;
                if (trace.kept) {
                    REAL* kept = trace.kept + slot * 4 * H + k;
                    kept[0] = r;
                    kept[H] = z;
                    kept[2 * H] = n;
                    kept[3 * H] = gh_n;
                }
            }
            __syncthreads();

            for (unsigned done = 0; done < count * HEADS; done += THREADS / 4) { // 3. the heads
                const unsigned at = done + t / 4, e = at / HEADS, c = at % HEADS;
                REAL sum = 0;
                if (at < count * HEADS && active[e] && s >= task.operands[stages[e]]) {
#pragma unroll 4
                    for (unsigned k = t % 4; k < H; k += 4) sum += head_weights[c][k] * state(e, k);
                }
                sum += __shfl_xor_sync(0xffffffffu, sum, 1);
                sum += __shfl_xor_sync(0xffffffffu, sum, 2);
                if (at < count * HEADS && t % 4 == 0) head_out[e][c] = sum + (c < A ? w.b_pi[c] : *w.b_v);
            }
            __syncthreads();

            for (unsigned e = t / 32; e < count; e += WARPS) { // 4. the decision
                if (!active[e]) continue;
                const unsigned b = (unsigned)group + e, shown = task.operands[stages[e]];
                const Size slot = s * B + b;
                if (lane() == 0) trace.tokens[slot] = tokens[e];
                if (s < shown) {
                    if (lane() == 0) tokens[e] = contexts[e][s + 1];
                    continue;
                }
                const Stream stream = {seed, ACTING, counters->update, b};
                REAL log_prob;
                const REAL logit = lane() < A ? head_out[e][lane() < A ? lane() : 0] : REAL(0);
                const unsigned action = sample_action(logit, evaluation, evaluation ? 0.0 : uniform(stream, s - shown), log_prob);
                if (trace.log_probs && lane() < A) trace.log_probs[slot * A + lane()] = log_prob;
                __syncwarp(); // all lanes have read what lane 0 writes next
                if (lane() == 0) {
                    Episode now = episodes[e];
                    trace.rewards[slot] = advance(task, stages[e], now, action);
                    trace.actions[slot] = evaluation && log_prob != log_prob ? UNDECIDED : action;
                    if (trace.values) trace.values[slot] = head_out[e][A];
                    episodes[e] = now;
                    tokens[e] = task.tokens[action];
                    if (now.state < 2) {
                        active[e] = 0;
                        trace.end[b] = s + 1;
                        trace.solved[b] = now.state == 1;
                    }
                }
            }
        }
    }
}
