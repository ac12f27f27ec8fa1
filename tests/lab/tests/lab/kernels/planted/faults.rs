//! The mistakes.

use emulator::planted;
use emulator::planted::By::{Address, Bits, Comparison, Emulator, Thread};
use emulator::planted::{Planted, Way};

use super::super::WAYS;

const FORWARD: Way = WAYS[0];
const REVERSE: Way = WAYS[1];
const RANDOM: Way = WAYS[2];

const LADDER: &str = "ladder::nothing_beside_the_matrices_is_read_or_written";
const RACE: &str = "ThreadSanitizer: data race";

pub(super) const FAULTS: &[Planted] = planted! {
    "no barrier between fetching a tile and multiplying it" in "sgemm_1_tiled.cu":
        "            __syncthreads();\n            for (unsigned l" => "            for (unsigned l";
        Comparison(FORWARD), LADDER, "sgemm_1_tiled with M, K, N = 131, 41, 133: not the product";
    "no barrier before the next tile overwrites the buffers" in "sgemm_3_double_buffered.cu":
        "        __syncthreads(); // before the next tile of y begins with the first buffers again\n" => "";
        Comparison(REVERSE), LADDER, "not the product";
    "no barrier before the next results overwrite shared memory" in "common.cuh":
        "        __syncthreads(); // before the next results overwrite what is read here\n" => "";
        Comparison(REVERSE), "reduce::reduce::f32", "of element";
    "a barrier that the threads outside of the matrix do not reach" in "sgemm_1_tiled.cu":
        "            __syncthreads(); // before the next tiles overwrite these"
            => "            if (row < m) __syncthreads();";
        Emulator(FORWARD), LADDER, "threads met at different barriers";
    "a shuffle whose mask names half a warp" in "common.cuh":
        "x += __shfl_xor_sync(0xffffffffu, x, apart)" => "x += __shfl_xor_sync(0xffffu, x, apart)";
        Emulator(FORWARD), "softmax::softmax::f32", "with mask 0x0000ffff";
    "one lane's part of shared memory stays unwritten" in "common.cuh":
        "        *here = into.value;" => "        if (r < results && lane < terms) *here = into.value;";
        Comparison(FORWARD), "reduce::reduce::f32", "is NaN, not";
    "an off-by-one within a tile" in "matmul.cu":
        "a1 = as[i + 16][l]" => "a1 = as[i + 15][l]"; Comparison(RANDOM), "matmul::matmul::f32", "of element";
    "a wrong bound: one row too many is fetched" in "matmul.cu":
        "row < x.rows && column < x.columns" => "row <= x.rows && column < x.columns";
        Comparison(FORWARD), "matmul::matmul::f32", "is NaN, not";
    "a missing mask: numbers beyond the matrix instead of zeros" in "sgemm_1_tiled.cu":
        "first + i < k && column < n" => "column < n"; Comparison(FORWARD), LADDER, "not the product";
    "one element past the end is written" in "sgemm_0_naive.cu":
        "at < (Size)m * n" => "at <= (Size)m * n";
        Emulator(FORWARD), "sgemm::every_rung_gives_the_product", "sgemm_0_naive: a write at byte";
    "a wrong stride: columns of the result taken for neighbours" in "matmul.cu":
        "y.data[row * y.s[2] + column * y.s[3]]" => "y.data[row * y.s[2] + column]";
        Comparison(FORWARD), "matmul::matmul::f32", "matmul::f32";
    "a forgotten tail: whole warps alone" in "map.cu":
        "        at(y, p) = apply(f, c, at(x, p));"
            => "        if (i < size / 32 * 32) at(y, p) = apply(f, c, at(x, p));";
        Comparison(FORWARD), "elementwise::map::f32", "is NaN, not";
    "threads step by their block instead of by the grid" in "optim.cu":
        "        const REAL velocity = mu * at(m, at_i) + at(g, at_i);"
            => "        if (gridDim.x > 1 && i >= blockDim.x) break;\n        const REAL velocity = mu * at(m, at_i) + at(g, at_i);";
        Comparison(RANDOM), "optim::momentum::f32", "of element";
    "a wrong sign" in "gru.cu":
        "up * (at2(h, i, j) - n)" => "up * (n - at2(h, i, j))";
        Comparison(FORWARD), "gru::gates_backward::f32", "of element";
    "1 − β₂ of a β₂ that was rounded first" in "optim.cu":
        "new2 = (REAL)(1 - beta2)" => "new2 = 1 - (REAL)beta2";
        Comparison(FORWARD), "optim::the_constants_of_adam_are_rounded_once", "assertion `left == right` failed: cuda";
    "a maximum that begins at zero" in "common.cuh":
        "    REAL m = -infinity();" => "    REAL m = 0;";
        Comparison(FORWARD), "edges::softmax_survives_them_in_every_instruction_set", "cuda";
    "nine rounds instead of ten" in "common.cuh":
        "round < 10" => "round < 9"; Comparison(FORWARD), "random::known_answers", "assertion `left == right` failed";
    "a share that takes its upper border, too" in "categorical.cu":
        "u[r] < below" => "u[r] <= below";
        Comparison(FORWARD), "random::choices_at_exact_borders", "assertion `left == right` failed";
    "the middle between two numbers of tf32 rounded towards zero" in "sgemm_4_tf32.cu":
        "0x1000u" => "0x0fffu"; Comparison(FORWARD), "ladder::tensor_cores_round_their_factors", "of the left factor";
    "a sum in the order in which threads come" in "sum_of_squares.cu":
        "    sum = block_sum(sum);\n    if (threadIdx.x == 0) partial[blockIdx.x] = sum;"
            => "    __shared__ REAL all;\n    if (threadIdx.x == 0) all = 0;\n    __syncthreads();\n    all += sum;\n    \
                  __syncthreads();\n    if (threadIdx.x == 0) partial[blockIdx.x] = all;";
        Bits, "bits::of_every_sum", super::super::LINE;
    "one number too many is read, which is NaN, and passed over" in "argmax.cu":
        "for (unsigned j = lane(); j < n; j += 32) {" => "for (unsigned j = lane(); j <= n; j += 32) {";
        Address, "edges::repeated_indices_add_up_and_the_first_of_equals_wins", "heap-buffer-overflow";
    "a lost update: the largest index outside without an atomic" in "index.cu":
        "    atomicMax(bad, index == 0xffffffffu ? index : index + 1);"
            => "    if (*bad < index + 1) *bad = index + 1;";
        Thread, "index::the_largest_index_outside_is_named", RACE;
    "a race between two blocks, which write the same" in "sgemm_1_tiled.cu":
        "tile += gridDim.x" => "tile += 1"; Thread, "sgemm::every_rung_gives_the_product", RACE;
};
