// Persistent backpropagation through time: from the gradient of the heads to the gradients of all parameters. Compiled for
// HIDDEN, ACTIONS and VOCAB. Four kernels. Equations: gru.cu, and (B10) to (B12) in crates/autograd/src/ops/gru.rs.
//
//     bptt_states    dh = Σ_c dheads_c·W_c + dh_prev of step t + 1;  the gates;  dh_prev = dh·z + dgh·W_hh
//     bptt_weights   dW_hh = Σ dghᵀ·h_prev    db_hh = Σ dgh    dtable[token] += dgx    dW_heads = Σ dheadsᵀ·h    dstage = Σ dh₀
//     bptt_sums      adds the partial sums of the chunks of episodes
//     bptt_gradients writes every gradient; those of the embedding, W_ih and b_ih follow from dtable
//
// 1. bptt_states: a block owns up to eight episodes at a time, for all their steps. In the product dgh·W_hh a thread owns a
//    column of the rows of one gate in W_hh, and keeps it in its registers. The three sums of a unit are added in a fixed
//    order.
// 2. bptt_weights: a block owns chunks of episodes, and a thread a row of dW_hh, whose H sums stay in its registers over all
//    steps of the chunk. The caller makes chunks of at most BLOCK steps, or of one episode (see `Sum` in common.cuh). All
//    threads read the state from shared memory at once. Each entry of dtable, of the heads and of the biases also has one
//    owner.
// 3. bptt_sums and bptt_gradients: a thread owns an entry, and adds the chunks in order. The number of chunks is an argument.
//    It fixes the order of additions, and the grid has no influence.

#ifndef HIDDEN
#define HIDDEN 96
#endif
#ifndef ACTIONS
#define ACTIONS 18
#endif
#ifndef VOCAB
#define VOCAB 18
#endif

const unsigned H = HIDDEN, A = ACTIONS, HEADS = A + 1, V = VOCAB;
const unsigned EPISODES = H * sizeof(REAL) <= 800 ? 8 : 4; // the episodes of a block at a time
const bool IN_REGISTERS = H * sizeof(REAL) <= 512;
// The threads of a block: a multiple of the warp size that divides 3H; all 3H if each thread has enough registers.
const unsigned PARTS = H / 32, SHARE = PARTS <= 4 ? PARTS : PARTS % 4 == 0 ? 4 : PARTS % 3 == 0 ? 3 : PARTS % 2 == 0 ? 2 : 1;
const unsigned THREADS = 96 * SHARE;
static_assert(H % 32 == 0, "HIDDEN is a multiple of 32");

// Four numbers that one instruction reads.
struct alignas(4 * sizeof(REAL)) Four {
    REAL v[4];
};

// Overwrites r, z, n and gh_n in trace.kept with the gradients da_r, da_z, da_n·r and da_n. Writes dh0[B,H], the gradient of
// the states before the first step.
extern "C" __global__ void __launch_bounds__(THREADS) bptt_states(Weights w, const REAL* dheads, Trace trace, REAL* dh0) {
    __shared__ Four dgh[EPISODES][3 * H / 4];
    __shared__ REAL dgh_w[3][EPISODES][H]; // dgh·W_hh, for each gate
    __shared__ REAL dh_direct[EPISODES][H]; // dh·z
    __shared__ unsigned begins[EPISODES];
    __shared__ unsigned ends[EPISODES];
    const unsigned t = threadIdx.x;
    const Size B = trace.batch;

    REAL w_column[IN_REGISTERS ? H : 1];
    if (IN_REGISTERS) {
#pragma unroll
        for (unsigned i = 0; i < (IN_REGISTERS ? H : 1); i++) w_column[i] = w.w_hh[(t / H * H + i) * H + t % H];
    }

    const unsigned even = (trace.batch + gridDim.x - 1) / gridDim.x, group_size = even < EPISODES ? even : EPISODES;
    for (Size group = (Size)blockIdx.x * group_size; group < B; group += (Size)gridDim.x * group_size) {
        const unsigned count = B - group < group_size ? (unsigned)(B - group) : group_size;
        __syncthreads(); // before the next episodes overwrite the previous ones
        if (t < count) {
            begins[t] = trace.begin[group + t];
            ends[t] = trace.end[group + t];
        }
        __syncthreads();
        unsigned steps = 0;
        for (unsigned e = 0; e < count; e++) steps = ends[e] > steps ? ends[e] : steps;

        for (unsigned s = steps; s-- > 0;) {
            for (unsigned at = t; at < count * H; at += THREADS) {
                const unsigned e = at / H, k = at % H;
                if (s >= ends[e]) continue;
                const Size slot = s * B + group + e;
                REAL dh = s + 1 == ends[e] ? REAL(0) : dh_direct[e][k] + ((dgh_w[0][e][k] + dgh_w[1][e][k]) + dgh_w[2][e][k]);
                if (s >= begins[e]) {
                    const REAL* dhead = dheads + slot * HEADS;
                    for (unsigned c = 0; c < A; c++) dh += dhead[c] * w.w_pi[c * H + k];
                    dh += dhead[A] * w.w_v[k];
                }
                REAL* kept = trace.kept + slot * 4 * H + k;
                const REAL r = kept[0], z = kept[H], n = kept[2 * H], gh_n = kept[3 * H];
                const REAL dn = dh * (1 - z), dz = dh * (trace.h[slot * H + k] - n);
                const REAL da_n = dn * (1 - n * n);
                const REAL dr = da_n * gh_n;
                const REAL da_z = dz * z * (1 - z), da_r = dr * r * (1 - r);
                dh_direct[e][k] = dh * z;
                dgh[e][k / 4].v[k % 4] = kept[0] = da_r;
                dgh[e][(H + k) / 4].v[k % 4] = kept[H] = da_z;
                dgh[e][(2 * H + k) / 4].v[k % 4] = kept[2 * H] = da_n * r;
                kept[3 * H] = da_n;
            }
            __syncthreads();
            for (unsigned at = t; at < 3 * H; at += THREADS) {
                const unsigned gate = at / H, k = at % H;
                for (unsigned e = 0; e < count; e++) {
                    if (s >= ends[e]) continue;
                    REAL sum[4] = {};
                    const Four* dgh_gate = dgh[e] + gate * (H / 4);
                    const REAL* w_hh = w.w_hh + (Size)gate * H * H + k;
#pragma unroll (IN_REGISTERS ? H / 4 : 8)
                    for (unsigned i = 0; i < H / 4; i++) {
                        const Four dgh_i = dgh_gate[i];
#pragma unroll
                        for (unsigned l = 0; l < 4; l++) {
                            sum[l] += dgh_i.v[l] * (IN_REGISTERS ? w_column[IN_REGISTERS ? 4 * i + l : 0] : w_hh[(4 * i + l) * H]);
                        }
                    }
                    dgh_w[gate][e][k] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
                }
            }
            __syncthreads();
        }
        for (unsigned at = t; at < count * H; at += THREADS) {
            const unsigned e = at / H, k = at % H;
            dh0[(group + e) * H + k] = dh_direct[e][k] + ((dgh_w[0][e][k] + dgh_w[1][e][k]) + dgh_w[2][e][k]);
        }
    }
}

// The offsets of a chunk's partial sums; the sums over all chunks have the same layout.
const unsigned DW_HH = 0, DB_HH = DW_HH + 3 * H * H, DTABLE = DB_HH + 3 * H, DW_HEADS = DTABLE + V * 3 * H,
               DB_HEADS = DW_HEADS + HEADS * H, DSTAGE = DB_HEADS + HEADS; // DSTAGE has stages·H numbers

const unsigned SPAN = 16;                         // the steps whose states are loaded together
const unsigned COLUMNS = IN_REGISTERS ? H : 32;   // the columns of dW_hh that a thread sums at a time
const bool TABLE_SHARED = V * 3 * H * sizeof(REAL) <= 30000; // in shared memory, or else in the output

// partial[chunks, DSTAGE + stages·H]. Chunk c has ⌈B/chunks⌉ episodes from c·⌈B/chunks⌉ on; the last chunks may have fewer.
extern "C" __global__ void __launch_bounds__(THREADS)
bptt_weights(Trace trace, const REAL* dheads, const REAL* dh0, const unsigned* first, unsigned stages, unsigned chunks,
             REAL* partial) {
    __shared__ Four states[SPAN + 1][H / 4];
    __shared__ REAL table[TABLE_SHARED ? V * 3 * H : 1];
    const unsigned t = threadIdx.x, each = (trace.batch + chunks - 1) / chunks;
    const Size B = trace.batch;
    for (unsigned chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
        REAL* const out = partial + (Size)chunk * (DSTAGE + stages * H);
        REAL* const dtable = TABLE_SHARED ? table : out + DTABLE;
        const Size from = (Size)chunk * each < B ? (Size)chunk * each : B, to = from + each < B ? from + each : B;
        // If registers hold whole rows, both of these loops run once.
        for (unsigned j = t; j < 3 * H; j += THREADS) {
            for (unsigned v = 0; v < V; v++) dtable[v * 3 * H + j] = 0;
            for (unsigned left = 0; left < H; left += COLUMNS) {
                const bool once = left == 0;
                REAL dw_hh[COLUMNS] = {}, db_hh = 0;
                for (Size b = from; b < to; b++) {
                    const unsigned end = trace.end[b];
                    for (unsigned s = 0; s < end; s++) {
                        if (s % SPAN == 0) {
                            __syncthreads(); // before the next states overwrite these
                            const unsigned count = end - s < SPAN ? end - s : SPAN;
                            for (unsigned at = t; at < (count + 1) * H; at += THREADS) {
                                const unsigned k = at % H;
                                states[at / H][k / 4].v[k % 4] = trace.h[((s + at / H) * B + b) * H + k];
                            }
                            __syncthreads();
                        }
                        const Size slot = s * B + b;
                        const REAL* gate_grads = trace.kept + slot * 4 * H;
                        const REAL dgh = gate_grads[j];
                        const Four* h_prev = states[s % SPAN] + left / 4;
#pragma unroll
                        for (unsigned k = 0; k < COLUMNS / 4; k++) {
                            const Four h_k = h_prev[k];
#pragma unroll
                            for (unsigned i = 0; i < 4; i++) dw_hh[4 * k + i] += dgh * h_k.v[i];
                        }
                        if (once) {
                            db_hh += dgh;
                            dtable[trace.tokens[slot] * 3 * H + j] += j < 2 * H ? dgh : gate_grads[H + j];
                        }
                    }
                }
#pragma unroll
                for (unsigned k = 0; k < COLUMNS; k++) out[DW_HH + j * H + left + k] = dw_hh[k];
                if (once) out[DB_HH + j] = db_hh;
            }
            if (TABLE_SHARED) {
                for (unsigned v = 0; v < V; v++) out[DTABLE + v * 3 * H + j] = dtable[v * 3 * H + j];
            }
        }
        for (unsigned at = t; at < HEADS * H; at += THREADS) {
            Sum<REAL> sum;
            for (Size b = from; b < to; b++) {
                for (unsigned s = trace.begin[b]; s < trace.end[b]; s++) {
                    const Size slot = s * B + b;
                    add(sum, dheads[slot * HEADS + at / H] * trace.h[(slot + B) * H + at % H]);
                }
            }
            out[DW_HEADS + at] = sum.value;
        }
        for (unsigned c = t; c < HEADS; c += THREADS) {
            Sum<REAL> sum;
            for (Size b = from; b < to; b++) {
                for (unsigned s = trace.begin[b]; s < trace.end[b]; s++) add(sum, dheads[(s * B + b) * HEADS + c]);
            }
            out[DB_HEADS + c] = sum.value;
        }
        for (unsigned at = t; at < stages * H; at += THREADS) {
            const unsigned stage = at / H;
            Sum<REAL> sum;
            for (Size b = from; b < to; b++) {
                if (stage_of(first, stages, (unsigned)b) == stage) add(sum, dh0[b * H + at % H]);
            }
            out[DSTAGE + at] = sum.value;
        }
    }
}

// sums[i] = Σ_chunks partial[chunk,i].
extern "C" __global__ void __launch_bounds__(256)
bptt_sums(const REAL* partial, unsigned stages, unsigned chunks, REAL* sums) {
    const Size size = DSTAGE + stages * H;
    for (Size i = thread(); i < size; i += threads()) {
        Sum<REAL> sum;
        for (unsigned chunk = 0; chunk < chunks; chunk++) add(sum, partial[chunk * size + i]);
        sums[i] = sum.value;
    }
}

template <class Set> __device__ inline void each(Size size, Set set) {
    for (Size i = thread(); i < size; i += threads()) set((unsigned)i);
}

// Writes every gradient:
//
//     demb = dtable·W_ih    dW_ih = dtableᵀ·emb    db_ih = Σ_V dtable    dstage ·= 1 − start², as start = tanh(stage)
extern "C" __global__ void __launch_bounds__(256)
bptt_gradients(Weights w, const REAL* sums, const REAL* start, unsigned stages, Weights d) {
    const REAL* dtable = sums + DTABLE;
    each(V * H, [&](unsigned i) {
        Sum<REAL> sum;
        for (unsigned j = 0; j < 3 * H; j++) add(sum, dtable[i / H * 3 * H + j] * w.w_ih[j * H + i % H]);
        d.emb[i] = sum.value;
    });
    each(3 * H * H, [&](unsigned i) {
        Sum<REAL> sum;
        for (unsigned v = 0; v < V; v++) add(sum, dtable[v * 3 * H + i / H] * w.emb[v * H + i % H]);
        d.w_ih[i] = sum.value;
        d.w_hh[i] = sums[DW_HH + i];
    });
    each(3 * H, [&](unsigned j) {
        Sum<REAL> sum;
        for (unsigned v = 0; v < V; v++) add(sum, dtable[v * 3 * H + j]);
        d.b_ih[j] = sum.value;
        d.b_hh[j] = sums[DB_HH + j];
    });
    each(stages * H, [&](unsigned i) { d.stage[i] = sums[DSTAGE + i] * (1 - start[i] * start[i]); });
    each(A * H, [&](unsigned i) { d.w_pi[i] = sums[DW_HEADS + i]; });
    each(A, [&](unsigned a) { d.b_pi[a] = sums[DB_HEADS + a]; });
    each(H, [&](unsigned k) { d.w_v[k] = sums[DW_HEADS + A * H + k]; });
    each(1, [&](unsigned) { d.b_v[0] = sums[DB_HEADS + A]; });
}
