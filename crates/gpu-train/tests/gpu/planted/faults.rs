//! The mistakes.

use emulator::planted;
use emulator::planted::By::{Address, Comparison, Emulator, Thread};
use emulator::planted::{Planted, Way};

use super::WAYS;

const FORWARD: Way = WAYS[0];
const REVERSE: Way = WAYS[1];
const ONE_BLOCK: Way = WAYS[2];
const RANDOM: Way = WAYS[3];

const PARITY: &str = "parity::an_update_is_that_of_the_host_in_f32";
const IN_F64: &str = "parity::an_update_is_that_of_the_host_in_f64";
const GRADIENTS: &str = "parity::gradients_are_those_of_the_host";

const RACE: &str = "ThreadSanitizer: data race";
const APART: &str = "where 2e-5 is allowed";
const NOT_FINITE: &str = "is no longer a finite number";

pub(super) const FAULTS: &[Planted] = planted! {
    "successes of the last update are counted again" in "token_table.cu":
        "        for (unsigned k = 0; k < 8; k++) counters->solved[k] = 0;\n" => "";
        Comparison(FORWARD), PARITY, "assertion `left == right` failed";
    "a schedule that is one update ahead" in "token_table.cu":
        "(double)update / (double)s.over" => "(double)(update + 1) / (double)s.over";
        Comparison(FORWARD), PARITY, APART;
    "a forgotten tail: as many numbers of the states of start as there are threads" in "token_table.cu":
        "at < stages * hidden; at += threads()" => "at < stages * hidden; at += stages * hidden";
        Comparison(ONE_BLOCK), "sizes::the_default_network", NOT_FINITE;
    "no barrier between the product with the state and the gates that read it" in "rollout.cu":
        "            __syncthreads();\n\n            for (unsigned at = t; at < count * H; at += THREADS) { // 2"
            => "            for (unsigned at = t; at < count * H; at += THREADS) { // 2";
        Comparison(RANDOM), PARITY, NOT_FINITE;
    "no barrier before the next episodes overwrite the last ones'" in "rollout.cu":
        "        __syncthreads(); // before the next episodes overwrite the last ones'\n" => "";
        Emulator(ONE_BLOCK), PARITY, "threads met at different barriers";
    "no barrier between who draws an episode's stage and those that start in its state" in "rollout.cu":
        "        __syncthreads();\n        for (unsigned at = t; at < count * H; at += THREADS) {\n            const unsigned e = at / H, k = at % H;\n            const REAL x = start"
            => "        for (unsigned at = t; at < count * H; at += THREADS) {\n            const unsigned e = at / H, k = at % H;\n            const REAL x = start";
        Emulator(REVERSE), PARITY, "an access to memory that is nobody's";
    "a stale mask: episodes that have ended still decide" in "rollout.cu":
        "                if (!going[e]) continue;\n                const unsigned b = "
            => "                const unsigned b = ";
        Comparison(RANDOM), PARITY, NOT_FINITE;
    "the heads are left out of an episode's first decision" in "rollout.cu":
        "s >= task.operands[stages[e]]" => "s > task.operands[stages[e]]";
        Comparison(RANDOM), PARITY, APART;
    "episodes of a validation are numbered within all of it, not within their stage" in "rollout.cu":
        "(stage << 24) + (b - first[stage])" => "(stage << 24) + b";
        Comparison(FORWARD), PARITY, "validation after update";
    "a thread that has a second row, and no registers for it, takes its first again" in "rollout.cu":
        "w.w_hh + (Size)j * H;" => "w.w_hh + (Size)t * H;";
        Comparison(RANDOM), "sizes::the_widest_network_in_f32", APART;
    "an episode's end is expected to be worth what the critic said of another update's step" in "a2c.cu":
        "s < end ? (double)trace.values" => "s <= end ? (double)trace.values";
        Comparison(FORWARD), PARITY, NOT_FINITE;
    "the critic is asked one step before the last reward that is counted" in "a2c.cu":
        "double ahead = value(last);" => "double ahead = value(last - 1);";
        Comparison(FORWARD), PARITY, APART;
    "no barrier between the first thread's mean and those that read it" in "a2c.cu":
        "        __syncthreads();\n    }\n    const REAL per_episode" => "    }\n    const REAL per_episode";
        Comparison(REVERSE), PARITY, NOT_FINITE;
    "only the first block's sums of advantages are added" in "a2c.cu":
        "const Size chunks = (B + 255) / 256;" => "const Size chunks = 1;";
        Comparison(FORWARD), "parity::large_batches_are_summed_in_parts", "apart, of";
    "no barrier between who fetches an episode's begin and those that ask whether a step decided" in "bptt.cu":
        "            begins[t] = trace.begin[group + t];\n            ends[t] = trace.end[group + t];\n        }\n        __syncthreads();\n"
            => "            ends[t] = trace.end[group + t];\n        }\n        __syncthreads();\n        if (t < count) begins[t] = trace.begin[group + t];\n";
        Comparison(REVERSE), PARITY, APART;
    "a forgotten tail: as many episodes as all blocks own at once" in "bptt.cu":
        "group < B; group += (Size)gridDim.x * width" => "group < gridDim.x * width; group += gridDim.x * width";
        Comparison(ONE_BLOCK), PARITY, NOT_FINITE;
    "parts of the batch rounded down: the last episodes are left out" in "bptt.cu":
        "(trace.batch + chunks - 1) / chunks" => "trace.batch / chunks";
        Comparison(FORWARD), "parity::large_batches_are_summed_in_parts", "apart, of";
    "a wrong gate's slope: the update gate's with that of the reset gate" in "bptt.cu":
        "da_z = dz * z * (1 - z)" => "da_z = dz * r * (1 - r)"; Comparison(FORWARD), GRADIENTS, "apart, of";
    "the candidate's two slopes taken for one" in "bptt.cu":
        "j < 2 * H ? dgh : slopes[H + j]" => "dgh"; Comparison(FORWARD), GRADIENTS, "apart, of";
    "stages' sums mixed: those of later stages are added to the earlier ones'" in "bptt.cu":
        "stage_of(first, stages, (unsigned)b) == stage" => "b >= first[stage]";
        Comparison(FORWARD), PARITY, APART;
    "clipped by the square of the norm" in "update.cu":
        "(REAL)clip / (norm + (REAL)1e-6)" => "(REAL)clip / (squares + (REAL)1e-6)";
        Comparison(FORWARD), PARITY, APART;
    "Adam's second correction is one update late" in "update.cu":
        "pow(rule.beta2, (double)step)" => "pow(rule.beta2, step > 1 ? (double)step - 1 : 1.0)";
        Comparison(FORWARD), IN_F64, "validation after update";
    "a counter that does not go on: each replay is the same update" in "update.cu":
        "    counters->update = update + 1;\n" => ""; Comparison(FORWARD), PARITY, NOT_FINITE;
    "what is not finite moves all the same" in "update.cu":
        "    if (!move->go) return;\n" => "";
        Comparison(FORWARD), "failures::what_is_not_finite_is_told_as_on_the_host", "what is on the GPU moved";
    "the end of the next episode is read ahead, behind the last one as well, and thrown away" in "bptt.cu":
        "                for (Size b = from; b < to; b++) {\n                    const unsigned end = trace.end[b];"
            => "                unsigned ahead = trace.end[from];\n                for (Size b = from; b < to; b++) {\n                    \
                  const unsigned end = ahead;\n                    ahead = trace.end[b + 1];";
        Address, PARITY, "heap-buffer-overflow";
    "a race between warps, each of which starts all episodes" in "rollout.cu":
        "        for (unsigned e = t / 32; e < count; e += WARPS) {\n            if (lane() != 0) continue;"
            => "        for (unsigned e = 0; e < count; e++) {\n            if (lane() != 0) continue;";
        Thread, PARITY, RACE;
    "a race between warps, each of which fetches where the episodes begin and end" in "bptt.cu":
        "        if (t < count) {\n            begins[t] = trace.begin[group + t];\n            ends[t] = trace.end[group + t];"
            => "        if (t % 32 < count) {\n            begins[t % 32] = trace.begin[group + t % 32];\n            \
                  ends[t % 32] = trace.end[group + t % 32];";
        Thread, PARITY, RACE;
    "lane 0 does not wait for those that have read what it now writes" in "rollout.cu":
        "                __syncwarp(); // all lanes have read what lane 0 now writes\n" => "";
        Thread, PARITY, RACE;
};
