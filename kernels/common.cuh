// Declarations that all kernels share. The build puts this text before each kernel file; no file includes another.
//
// REAL is the scalar type, float or double. A kernel works on any one-dimensional grid. __launch_bounds__ gives the number of
// threads in its blocks. The number of blocks affects only the time, unless a kernel says otherwise. No result depends on the
// order of threads: each result is owned by one thread, warp or block, and sums have a fixed order.

typedef unsigned long long Size;

// Tensors: up to four axes, outermost first, padded with leading axes of extent 1. Strides are in elements, and may be 0 or
// negative. `data` points to the first element, or is null if an argument is absent.
struct Tensor {
    REAL* data;
    unsigned n[4];
    long long s[4];
};
struct Indices {
    const unsigned* data;
    unsigned n[4];
    long long s[4];
};
struct IndicesMut {
    unsigned* data;
    unsigned n[4];
    long long s[4];
};

// A position: an index for each of four axes.
struct Position {
    unsigned i[4];
};

__device__ inline Size product(const unsigned* n, int axes) {
    Size size = 1;
    for (int k = 0; k < axes; k++) size *= n[k];
    return size;
}

template <class X> __device__ inline Size size_of(const X& x) {
    return product(x.n, 4);
}

// The number of rows: the product of all extents but the last.
template <class X> __device__ inline Size rows_of(const X& x) {
    return product(x.n, 3);
}

// Converts the row-major index `at` to a position. Division is slow, so small indices avoid it.
__device__ inline Position position(const unsigned* n, Size at) {
    Position p;
#pragma unroll
    for (int k = 3; k > 0; k--) {
        if (at < n[k]) {
            p.i[k] = (unsigned)at;
            at = 0;
        } else if (at >> 32) {
            p.i[k] = (unsigned)(at % n[k]);
            at /= n[k];
        } else {
            p.i[k] = (unsigned)at % n[k];
            at = (unsigned)at / n[k];
        }
    }
    p.i[0] = (unsigned)at;
    return p;
}

__device__ inline long long offset(const long long* s, const Position& p) {
    return s[0] * p.i[0] + s[1] * p.i[1] + s[2] * p.i[2] + s[3] * p.i[3];
}

// The element at a position, or at a row-major index.
template <class X> __device__ inline auto& element(const X& x, const Position& p) {
    return x.data[offset(x.s, p)];
}
template <class X> __device__ inline auto& element(const X& x, Size number) {
    return element(x, position(x.n, number));
}

// A row of a tensor along the last axis, as a function of the index within it.
__device__ inline auto row(const Tensor& x, Size number) {
    const unsigned outer[4] = {1, x.n[0], x.n[1], x.n[2]};
    const Position p = position(outer, number);
    REAL* const data = x.data + (x.s[0] * p.i[1] + x.s[1] * p.i[2] + x.s[2] * p.i[3]);
    const long long s = x.s[3];
    return [data, s](unsigned j) -> REAL& { return data[j * s]; };
}

// Indices of this thread: among all threads; its lane in its warp; its warp among all warps.
__device__ inline Size thread() {
    return (Size)blockIdx.x * blockDim.x + threadIdx.x;
}
__device__ inline Size threads() {
    return (Size)gridDim.x * blockDim.x;
}
__device__ inline unsigned lane() {
    return threadIdx.x % 32;
}
__device__ inline Size warp() {
    return thread() / 32;
}
__device__ inline Size warps() {
    return threads() / 32;
}

__device__ inline REAL infinity() {
    return REAL(1) / REAL(0);
}

// The larger of m and x; m if they are equal or x is NaN. So a maximum that starts at −∞ ignores NaN.
__device__ inline REAL maximum(REAL m, REAL x) {
    return x > m ? x : m;
}

// σ(x) = 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ). The form is chosen so that the exponent is negative and never overflows.
__device__ inline REAL sigmoid(REAL x) {
    REAL e = exp(x < 0 ? x : -x);
    return (x < 0 ? e : REAL(1)) / (1 + e);
}

// Summation. A running sum of n floats accumulates up to n roundings. So no kernel uses one over a length that the data
// determines:
//
// - Sums use `Sum`, which carries the rounding error of each addition into the next (Kahan 1965). With unit roundoff u, the
//   error of a sum of n terms is at most (2u + O(n·u²))·Σ|x|. Threads, lanes and blocks then add their sums in a tree: log n
//   roundings.
// - Matrix products use blocks of at most BLOCK terms along k in a plain running sum, and then add the sums of the blocks.
//
// Sums whose length is bounded by a small constant, such as the number of actions, are plain.
const unsigned BLOCK = 512;

// A compensated sum. Once infinite or NaN it stays so, because the compensation is then reset to zero.
template <class X> struct Sum {
    X value = 0, lost = 0;
};
template <class X, class Term> __device__ inline void add(Sum<X>& sum, Term x) {
    const X corrected = X(x) - sum.lost, next = sum.value + corrected;
    sum.lost = next - next == 0 ? (next - sum.value) - corrected : X(0);
    sum.value = next;
}

// A running maximum with the interface of a sum.
struct Maximum {
    REAL value = -infinity();
};
__device__ inline void add(Maximum& most, REAL x) {
    most.value = maximum(most.value, x);
}

// The sum and the maximum over a warp, returned in all lanes. Lanes at distance 16 combine first, then 8, 4, 2, 1. Addition is
// commutative, so all lanes get the same bits.
__device__ inline REAL warp_sum(REAL x) {
    for (int apart = 16; apart > 0; apart /= 2) x += __shfl_xor_sync(0xffffffffu, x, apart);
    return x;
}
__device__ inline REAL warp_max(REAL x) {
    for (int apart = 16; apart > 0; apart /= 2) x = maximum(x, __shfl_xor_sync(0xffffffffu, x, apart));
    return x;
}

// Σ_j f(j) and max_j f(j) over 0 ≤ j < n, by a warp: lane l takes j = l, l + 32, …
template <class F> __device__ inline REAL sum_along(unsigned n, F f) {
    Sum<REAL> sum;
    for (unsigned j = lane(); j < n; j += 32) add(sum, f(j));
    return warp_sum(sum.value);
}
template <class F> __device__ inline REAL max_along(unsigned n, F f) {
    REAL m = -infinity();
    for (unsigned j = lane(); j < n; j += 32) m = maximum(m, f(j));
    return warp_max(m);
}

// Shared memory for a block of 256 threads: one number for each.
__device__ inline REAL* shared_numbers() {
    __shared__ REAL numbers[256];
    return numbers;
}

// Accumulates, for each result r, the terms (r, k) over k in an `Into`, and passes its value to `store`. All threads of a block
// of 256 call it.
//
// A block owns up to 32 results at a time, and gives 256 / width lanes to each. Lane l takes k = l, l + lanes, … Then the lanes
// are combined in shared memory, in a binary tree. Adjacent threads read adjacent terms: `along` is true if consecutive k are
// adjacent in memory, false if consecutive r are.
template <class Into, class Term, class Store>
__device__ inline void fold(Size results, Size terms, bool along, Term term, Store store) {
    unsigned most = along ? 8 : 32, width = 1;
    while (width < most && width < results) width *= 2;
    const unsigned lanes = 256 / width;
    const unsigned mine = along ? threadIdx.x / lanes : threadIdx.x % width;
    const unsigned lane = along ? threadIdx.x % lanes : threadIdx.x / width;
    REAL* const here = shared_numbers() + lane * width + mine;
    for (Size first = (Size)blockIdx.x * width; first < results; first += (Size)gridDim.x * width) {
        const Size r = first + mine;
        Into into;
        if (r < results) {
            for (Size k = lane; k < terms; k += lanes) add(into, term(r, k));
        }
        *here = into.value;
        for (unsigned half = lanes / 2; half > 0; half /= 2) {
            __syncthreads();
            if (lane < half) {
                Into two;
                add(two, *here);
                add(two, here[half * width]);
                *here = two.value;
            }
        }
        if (lane == 0 && r < results) store(r, *here);
        __syncthreads(); // before the next results overwrite what is read here
    }
}

// The sum over a block of 256 threads, valid in thread 0 only. The numbers are added in shared memory, in a binary tree.
template <class X> __device__ inline X block_sum(X x) {
    __shared__ X partial[256];
    __syncthreads(); // before this overwrites an earlier sum
    partial[threadIdx.x] = x;
    for (unsigned half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    return threadIdx.x == 0 ? partial[0] : x;
}

// Σ_i term(i) over 0 ≤ i < count by a block, valid in thread 0 only.
template <class Term> __device__ inline auto total(Size count, Term term) {
    Sum<decltype(term(0))> sum;
#pragma unroll 3
    for (Size i = threadIdx.x; i < count; i += 256) add(sum, term(i));
    return block_sum(sum.value);
}

// Starts an asynchronous copy of a number to shared memory. If it is not `inside`, a zero is written instead.
__device__ inline void copy_async(float* to, const float* from, bool inside) {
#ifdef GRADUS_HOST
    *to = inside ? *from : 0;
#else
    const unsigned there = (unsigned)__cvta_generic_to_shared(to), bytes = inside ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(there), "l"(from), "r"(bytes) : "memory");
#endif
}

// Waits for all asynchronous copies of this thread.
__device__ inline void wait_for_copies() {
#ifndef GRADUS_HOST
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

// Philox 4×32-10 (Salmon et al. 2011): four random words for each counter and key, ten rounds.
struct Words {
    unsigned w[4];
};

__device__ inline Words philox(unsigned x0, unsigned x1, unsigned x2, unsigned x3, unsigned k0, unsigned k1) {
    for (int round = 0; round < 10; round++) {
        const Size a = (Size)0xD2511F53u * x0, b = (Size)0xCD9E8D57u * x2;
        const unsigned y0 = (unsigned)(b >> 32) ^ x1 ^ k0, y2 = (unsigned)(a >> 32) ^ x3 ^ k1;
        x0 = y0, x1 = (unsigned)b, x2 = y2, x3 = (unsigned)a;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return {{x0, x1, x2, x3}};
}

// A stream of random words, as on the host: key = seed, counter = (block, episode, update, purpose).
struct Stream {
    Size seed;
    unsigned purpose, update, episode;
};

// Words 4·block to 4·block + 3 of a stream.
__device__ inline Words philox_block(const Stream& s, unsigned block) {
    return philox(block, s.episode, s.update, s.purpose, (unsigned)s.seed, (unsigned)(s.seed >> 32));
}

__device__ inline unsigned word(const Stream& s, unsigned i) {
    const Words four = philox_block(s, i / 4);
    return i % 4 == 0 ? four.w[0] : i % 4 == 1 ? four.w[1] : i % 4 == 2 ? four.w[2] : four.w[3];
}

// The `i`th pair of words as a multiple of 2⁻⁵³ in [0, 1).
__device__ inline double uniform(const Stream& s, unsigned i) {
    const Words four = philox_block(s, i / 2);
    const unsigned low = i % 2 ? four.w[2] : four.w[0], high = i % 2 ? four.w[3] : four.w[1];
    return (double)(((Size)high << 32 | low) >> 11) * (1.0 / 9007199254740992.0);
}

// The structs of the whole update on the GPU. Sizes: B episodes, T steps at most (one for each token that is read), H hidden
// units, A actions, V tokens. All arrays are row-major without gaps.

// The parameters or their gradients: pointers into one flat buffer, under the network's names.
struct Weights {
    REAL* emb;   // [V,H]
    REAL* stage; // [stages,H]
    REAL* w_ih;  // [3H,H]
    REAL* w_hh;  // [3H,H]
    REAL* b_ih;  // [3H]
    REAL* b_hh;  // [3H]
    REAL* w_pi;  // [A,H]
    REAL* b_pi;  // [A]
    REAL* w_v;   // [H]
    REAL* b_v;   // [1]
};

// The calculator, as tables of its states that the solver explored. The tables of all stages follow each other.
struct Task {
    const unsigned short* next;     // [states,A]: the next state, numbered within its stage
    const unsigned short* distance; // [states]: steps to the goal
    const unsigned* base;           // [stages]: the first state of a stage
    const unsigned* operands;       // [stages]: the number of operands in a context, at most 7
    const unsigned* tokens;         // [A]: the token that is read after an action
    unsigned stages, actions, horizon;
    double correct, milestone, step; // the rewards
};

// The state of a calculator episode. State 0 is failure, 1 is success, and 2 is the start.
struct Episode {
    unsigned state, nearest, steps;
};

__device__ inline Episode start_of(const Task& task, unsigned stage) {
    return {2, task.distance[task.base[stage] + 2], 0};
}

// Takes one action in an episode that has not ended, and returns the reward.
__device__ inline double advance(const Task& task, unsigned stage, Episode& e, unsigned action) {
    const unsigned base = task.base[stage], state = task.next[(Size)(base + e.state) * task.actions + action];
    const unsigned distance = task.distance[base + state];
    const unsigned milestones = e.nearest > distance ? e.nearest - distance : 0;
    e.nearest -= milestones;
    e.steps++;
    e.state = e.steps == task.horizon && state != 1 ? 0 : state;
    return __dadd_rn(__dadd_rn(task.step, __dmul_rn(task.milestone, milestones)), state == 1 ? task.correct : 0.0);
}

// An unbiased random digit from the next words of a stream; `used` counts the words.
__device__ inline unsigned digit(const Stream& s, unsigned& used) {
    for (;;) {
        const Size wide = (Size)word(s, used++) * 10;
        if ((unsigned)wide >= 6) return (unsigned)(wide >> 32); // 6 = 2³² mod 10
    }
}

// The record of B episodes. Episode b read tokens in the steps t < end[b], and decided in those from begin[b] on.
struct Trace {
    unsigned batch, steps; // B, T
    unsigned* begin;       // [B]
    unsigned* end;         // [B]
    unsigned* solved;      // [B]: 0 or 1
    unsigned* tokens;      // [T,B]: the token that was read
    unsigned* actions;     // [T,B]: the action; 0xffffffff if log π is NaN during an evaluation
    double* rewards;       // [T,B]: the reward
    REAL* values;          // [T,B]: the critic's estimate
    REAL* log_probs;       // [T,B,A]
    REAL* h;               // [T+1,B,H]: the states before each step and after the last
    REAL* kept;            // [T,B,4H]: r, z, n, gh_n; after the backward pass da_r, da_z, da_n·r, da_n
};

// The state that changes from update to update. Each update resets the fields after `failed`.
struct Counters {
    unsigned update;    // u, the number of the update
    unsigned step;      // the number of optimiser steps so far
    unsigned failed;    // 1 + the update in which a value was not finite; from then on nothing changes
    unsigned decisions; // N, the number of decisions
    unsigned solved[8]; // successes of each stage
    double rate;        // α, the learning rate
    double entropy;     // β, the entropy coefficient
};

// The stage of episode b. Stage i has the episodes first[i] ≤ b < first[i + 1].
__device__ inline unsigned stage_of(const unsigned* first, unsigned stages, unsigned b) {
    unsigned stage = 0;
    while (stage + 1 < stages && b >= first[stage + 1]) stage++;
    return stage;
}
