// What all kernels share. The build puts this text before each of them; no file includes another.
//
// REAL is the scalar, float or double. A kernel works on any grid of one axis; how many threads a block has is said by its
// __launch_bounds__, and nothing depends on the number of blocks but the time. No result depends on which thread comes first:
// each is owned by one thread, warp or block, and sums have a fixed order.

typedef unsigned long long Size;

// Tensors: up to four axes, outermost first; missing ones lead, with the extent 1. Strides are in elements, and may be 0 or
// negative; `data` is the first element, or null where an argument is absent.
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

// A position in each of four axes.
struct Place {
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

// All axes but the last: how many rows there are.
template <class X> __device__ inline Size rows_of(const X& x) {
    return product(x.n, 3);
}

// The position that is number `at` in row-major order. Division is slow, and what is small enough needs none.
__device__ inline Place place(const unsigned* n, Size at) {
    Place p;
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

__device__ inline long long offset(const long long* s, const Place& p) {
    return s[0] * p.i[0] + s[1] * p.i[1] + s[2] * p.i[2] + s[3] * p.i[3];
}

// The element at a position; the element that is number `at` in row-major order.
template <class X> __device__ inline auto& at(const X& x, const Place& p) {
    return x.data[offset(x.s, p)];
}
template <class X> __device__ inline auto& at(const X& x, Size number) {
    return at(x, place(x.n, number));
}

// One row of a tensor, along the last axis, as a function of the place in it.
__device__ inline auto row(const Tensor& x, Size number) {
    const unsigned outer[4] = {1, x.n[0], x.n[1], x.n[2]};
    const Place p = place(outer, number);
    REAL* const data = x.data + (x.s[0] * p.i[1] + x.s[1] * p.i[2] + x.s[2] * p.i[3]);
    const long long s = x.s[3];
    return [data, s](unsigned j) -> REAL& { return data[j * s]; };
}

// Who this thread is: among all threads; its lane in its warp; its warp among all warps.
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

// The larger; m where they compare equal, and where x is NaN: maxima pass NaNs over, as long as they begin at −∞.
__device__ inline REAL maximum(REAL m, REAL x) {
    return x > m ? x : m;
}

// σ(x) = 1 / (1 + e⁻ˣ) = eˣ / (1 + eˣ): whichever of them raises e to the negative power, which never overflows.
__device__ inline REAL sigmoid(REAL x) {
    REAL e = exp(x < 0 ? x : -x);
    return (x < 0 ? e : REAL(1)) / (1 + e);
}

// Summation. A running sum of n floats is off by up to n roundings, so no kernel keeps one over a length that the data chooses:
//
// - Sums use `Sum`, which carries the rounding error of each addition into the next (Kahan 1965). With unit roundoff u, a sum of
//   n terms is off by at most (2u + O(n·u²))·Σ|x|. Threads, lanes and blocks then add their sums in a tree: log n roundings.
// - Products along k use blocks of at most BLOCK terms in a plain running sum; then the sums of blocks are added.
//
// Sums whose length is bounded by a small constant, such as the actions of a decision, are plain.
const unsigned BLOCK = 512;

// A compensated sum. An infinite or NaN sum stays as it is, as nothing is lost from it.
template <class X> struct Sum {
    X value = 0, lost = 0;
};
template <class X, class Term> __device__ inline void add(Sum<X>& sum, Term x) {
    const X corrected = X(x) - sum.lost, next = sum.value + corrected;
    sum.lost = next - next == 0 ? (next - sum.value) - corrected : X(0);
    sum.value = next;
}

// The largest number so far, with the interface of a sum.
struct Largest {
    REAL value = -infinity();
};
__device__ inline void add(Largest& most, REAL x) {
    most.value = maximum(most.value, x);
}

// The sum over a warp, and the largest, in all lanes. Neighbours at distance 16 first, then 8, 4, 2, 1: as + commutes, all
// lanes have the same bits.
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

// Shared memory of a block of 256, a number for each thread.
__device__ inline REAL* shared_numbers() {
    __shared__ REAL numbers[256];
    return numbers;
}

// For each result r, the terms (r, k) added to an `Into` over k; `store` gets its value. Called by all of a block of 256.
//
// A block owns up to 32 results at a time, and gives each 256 / width lanes; lane l takes k = l, l + lanes, … Then halves of
// the lanes are added to each other in shared memory. Terms that lie side by side are read by threads side by side: `along`
// says whether k or r moves along memory.
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

// The sum over a block of 256, for thread 0 alone: halves are added to each other in shared memory.
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

// Σ_i term(i) over 0 ≤ i < count by a block, right in thread 0 alone.
template <class Term> __device__ inline auto total(Size count, Term term) {
    Sum<decltype(term(0))> sum;
#pragma unroll 3
    for (Size i = threadIdx.x; i < count; i += 256) add(sum, term(i));
    return block_sum(sum.value);
}

// Begins to copy a number to shared memory; zero, if it is not `inside`.
__device__ inline void begin_copy(float* to, const float* from, bool inside) {
#ifdef GRADUS_HOST
    *to = inside ? *from : 0;
#else
    const unsigned there = (unsigned)__cvta_generic_to_shared(to), bytes = inside ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(there), "l"(from), "r"(bytes) : "memory");
#endif
}

// Waits for all copies that this thread has begun.
__device__ inline void end_copies() {
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

// A stream of words as on the host: key = seed, counter = (block, episode, update, purpose).
struct Stream {
    Size seed;
    unsigned purpose, update, episode;
};

// Words 4·block to 4·block + 3 of a stream.
__device__ inline Words block_of(const Stream& s, unsigned block) {
    return philox(block, s.episode, s.update, s.purpose, (unsigned)s.seed, (unsigned)(s.seed >> 32));
}

__device__ inline unsigned word(const Stream& s, unsigned i) {
    const Words four = block_of(s, i / 4);
    return i % 4 == 0 ? four.w[0] : i % 4 == 1 ? four.w[1] : i % 4 == 2 ? four.w[2] : four.w[3];
}

// The `i`th pair of words as a multiple of 2⁻⁵³ in [0, 1).
__device__ inline double uniform(const Stream& s, unsigned i) {
    const Words four = block_of(s, i / 2);
    const unsigned low = i % 2 ? four.w[2] : four.w[0], high = i % 2 ? four.w[3] : four.w[1];
    return (double)(((Size)high << 32 | low) >> 11) * (1.0 / 9007199254740992.0);
}

// The whole update on the GPU: what its kernels hand each other. Letters as everywhere: B episodes, S steps at most (one for
// each token that is read), H hidden units, A actions, V tokens. All arrays are row-major without gaps.

// The parameters, or their gradients: parts of one flat buffer, under the names of the network.
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

// The calculator, as the tables of its states that the solver explored; those of all stages, one after the other.
struct Task {
    const unsigned short* next;     // [states,A]: the number within the stage of the state after an action
    const unsigned short* distance; // [states]: steps to the goal
    const unsigned* base;           // [stages]: where a stage's states begin
    const unsigned* operands;       // [stages]: how many operands an episode shows, 7 at most
    const unsigned* tokens;         // [A]: what is read after an action
    unsigned stages, actions, horizon;
    double correct, milestone, step; // what is paid
};

// Where an episode of the calculator is. States 0 and 1 are its ends, failed and solved; it starts in 2.
struct Episode {
    unsigned state, nearest, steps;
};

__device__ inline Episode start_of(const Task& task, unsigned stage) {
    return {2, task.distance[task.base[stage] + 2], 0};
}

// Takes one action of an episode that has not ended, and returns the reward.
__device__ inline double advance(const Task& task, unsigned stage, Episode& e, unsigned action) {
    const unsigned base = task.base[stage], state = task.next[(Size)(base + e.state) * task.actions + action];
    const unsigned distance = task.distance[base + state];
    const unsigned milestones = e.nearest > distance ? e.nearest - distance : 0;
    e.nearest -= milestones;
    e.steps++;
    e.state = e.steps == task.horizon && state != 1 ? 0 : state;
    return __dadd_rn(__dadd_rn(task.step, __dmul_rn(task.milestone, milestones)), state == 1 ? task.correct : 0.0);
}

// A digit without bias, from the next words of a stream; `used` counts them.
__device__ inline unsigned digit(const Stream& s, unsigned& used) {
    for (;;) {
        const Size wide = (Size)word(s, used++) * 10;
        if ((unsigned)wide >= 6) return (unsigned)(wide >> 32); // 6 = 2³² mod 10
    }
}

// What B episodes did. Episode b read tokens in the steps s < end[b], and decided in those from begin[b] on.
struct Trace {
    unsigned batch, steps; // B, S
    unsigned* begin;       // [B]
    unsigned* end;         // [B]
    unsigned* solved;      // [B]: 0 or 1
    unsigned* tokens;      // [S,B]: what was read
    unsigned* actions;     // [S,B]: what was decided then; 0xffffffff in a trial where log π is NaN
    double* rewards;       // [S,B]: what that earned
    REAL* values;          // [S,B]: what the critic expected
    REAL* log_probs;       // [S,B,A]
    REAL* h;               // [S+1,B,H]: the states before each step, and after the last
    REAL* kept;            // [S,B,4H]: r, z, n, gh_n; after the backward pass da_r, da_z, da_n·r, da_n
};

// What moves from update to update. What stands behind `failed` is set anew in each.
struct Counters {
    unsigned update;    // u, the number of the update
    unsigned step;      // steps that the optimiser has taken
    unsigned failed;    // 1 + the update in which something was not finite: nothing moves any more
    unsigned decisions; // N, steps that count
    unsigned solved[8]; // of each stage
    double rate;        // α
    double entropy;     // β
};

// The stage of episode b, where those of stage i are first[i] ≤ b < first[i + 1].
__device__ inline unsigned stage_of(const unsigned* first, unsigned stages, unsigned b) {
    unsigned stage = 0;
    while (stage + 1 < stages && b >= first[stage + 1]) stage++;
    return stage;
}
