//! The faults.

use emulator::planted;
use emulator::planted::Detector::{Address, Bits, Comparison, Emulator, Thread};
use emulator::planted::{PlantedFault, Schedule};

use super::super::SCHEDULES;

const FORWARD: Schedule = SCHEDULES[0];
const REVERSE: Schedule = SCHEDULES[1];
const RANDOM: Schedule = SCHEDULES[2];

const LADDER: &str = "ladder::sgemm_between_guards_stays_inside_the_matrices";
const RACE: &str = "ThreadSanitizer: data race";

pub(super) const FAULTS: &[PlantedFault] = planted! {
    "no barrier between loading a tile and multiplying it" in "sgemm_1_tiled.cu":
        "            __syncthreads();\n            for (unsigned l" => "            for (unsigned l";
        Comparison(FORWARD), LADDER, "sgemm_1_tiled with M, K, N = 131, 41, 133: not the product";
    "no barrier before the next tile overwrites the buffers" in "sgemm_3_double_buffered.cu":
        "        __syncthreads(); // before the next tile of y reuses the first buffers\n" => "";
        Comparison(REVERSE), LADDER, "not the product";
    "no barrier before the next results overwrite shared memory" in "common.cuh":
        "        __syncthreads(); // before the next results overwrite what is read here\n" => "";
        Comparison(REVERSE), "reduce::reduce::f32", "of element";
    "a barrier that threads outside of the matrix skip" in "sgemm_1_tiled.cu":
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
    "a wrong bound: one row too many is loaded" in "matmul.cu":
        "row < x.rows && column < x.columns" => "row <= x.rows && column < x.columns";
        Comparison(FORWARD), "matmul::matmul::f32", "is NaN, not";
    "a missing mask: values beyond the matrix instead of zeros" in "sgemm_1_tiled.cu":
        "first + i < k && column < n" => "column < n"; Comparison(FORWARD), LADDER, "not the product";
    "one element past the end is written" in "sgemm_0_naive.cu":
        "at < (Size)m * n" => "at <= (Size)m * n";
        Emulator(FORWARD), "sgemm::sgemm_every_rung_gives_the_product", "sgemm_0_naive: a write at byte";
    "a wrong stride: the columns of the result are taken as adjacent" in "matmul.cu":
        "y.data[row * y.s[2] + column * y.s[3]]" => "y.data[row * y.s[2] + column]";
        Comparison(FORWARD), "matmul::matmul::f32", "matmul::f32";
    "a missing tail: only whole warps are computed" in "map.cu":
        "        element(y, p) = apply(f, c, element(x, p));"
            => "        if (i < size / 32 * 32) element(y, p) = apply(f, c, element(x, p));";
        Comparison(FORWARD), "elementwise::map::f32", "is NaN, not";
    "threads stride by their block instead of the grid" in "optim.cu":
        "        const REAL velocity = mu * element(m, at_i) + element(g, at_i);"
            => "        if (gridDim.x > 1 && i >= blockDim.x) break;\n        const REAL velocity = mu * element(m, at_i) + element(g, at_i);";
        Comparison(RANDOM), "optim::momentum::f32", "of element";
    "a wrong sign" in "gru.cu":
        "dh_ij * (get(h_prev, i, j) - n)" => "dh_ij * (n - get(h_prev, i, j))";
        Comparison(FORWARD), "gru::gates_backward::f32", "of element";
    "1 − β₂ computed from a rounded β₂" in "optim.cu":
        "new2 = (REAL)(1 - beta2)" => "new2 = 1 - (REAL)beta2";
        Comparison(FORWARD), "optim::adam_constants_are_rounded_once", "assertion `left == right` failed: cuda";
    "a maximum that starts at zero" in "common.cuh":
        "    REAL m = -infinity();" => "    REAL m = 0;";
        Comparison(FORWARD), "edges::softmax_large_logits_in_every_instruction_set_do_not_overflow", "cuda";
    "nine rounds instead of ten" in "common.cuh":
        "round < 10" => "round < 9"; Comparison(FORWARD), "random::philox_on_gpu_gives_the_known_answers", "assertion `left == right` failed";
    "a share that includes its upper border" in "categorical.cu":
        "u[r] < below" => "u[r] <= below";
        Comparison(FORWARD), "random::categorical_at_exact_borders_chooses_the_right_action", "assertion `left == right` failed";
    "ties in tf32 rounded towards zero" in "sgemm_4_tf32.cu":
        "0x1000u" => "0x0fffu"; Comparison(FORWARD), "ladder::sgemm_tf32_rounds_its_factors", "of the left factor";
    "a sum in the order of thread arrival" in "sum_of_squares.cu":
        "    sum = block_sum(sum);\n    if (threadIdx.x == 0) partial[blockIdx.x] = sum;"
            => "    __shared__ REAL all;\n    if (threadIdx.x == 0) all = 0;\n    __syncthreads();\n    all += sum;\n    \
                  __syncthreads();\n    if (threadIdx.x == 0) partial[blockIdx.x] = all;";
        Bits, "bits::sums_on_gpu_print_their_bits", super::super::LINE;
    "one number too many is read; it is NaN and ignored" in "argmax.cu":
        "for (unsigned j = lane(); j < n; j += 32) {" => "for (unsigned j = lane(); j <= n; j += 32) {";
        Address, "edges::scatter_add_repeated_indices_add_up_and_argmax_takes_the_first", "heap-buffer-overflow";
    "a lost update: the largest invalid index without an atomic" in "index.cu":
        "    atomicMax(bad, index == 0xffffffffu ? index : index + 1);"
            => "    if (*bad < index + 1) *bad = index + 1;";
        Thread, "index::gather_rows_several_indices_outside_names_the_largest", RACE;
    "a race between two blocks that write the same values" in "sgemm_1_tiled.cu":
        "tile += gridDim.x" => "tile += 1"; Thread, "sgemm::sgemm_every_rung_gives_the_product", RACE;
};
