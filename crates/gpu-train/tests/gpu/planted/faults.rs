//! The list of faults.

use emulator::planted;
use emulator::planted::Detector::{Address, Comparison, Emulator, Thread};
use emulator::planted::{PlantedFault, Schedule};

use super::SCHEDULES;

const FORWARD: Schedule = SCHEDULES[0];
const REVERSE: Schedule = SCHEDULES[1];
const ONE_BLOCK: Schedule = SCHEDULES[2];
const RANDOM: Schedule = SCHEDULES[3];

const PARITY: &str = "parity::update_f32_matches_the_host";
const IN_F64: &str = "parity::update_f64_matches_the_host";
const GRADIENTS: &str = "parity::gradients_match_the_host";

const RACE: &str = "ThreadSanitizer: data race";
const APART: &str = "where 2e-5 is allowed";
const NOT_FINITE: &str = "is no longer a finite number";

pub(super) const FAULTS: &[PlantedFault] = planted! {
    "the successes of the previous update are counted again" in "token_table.cu":
        "        for (unsigned k = 0; k < 8; k++) counters->solved[k] = 0;\n" => "";
        Comparison(FORWARD), PARITY, "assertion `left == right` failed";
    "a schedule that is one update ahead" in "token_table.cu":
        "(double)update / (double)s.over" => "(double)(update + 1) / (double)s.over";
        Comparison(FORWARD), PARITY, APART;
    "a missing loop: only as many entries of the initial states as threads" in "token_table.cu":
        "at < stages * hidden_size; at += threads()" => "at < stages * hidden_size; at += stages * hidden_size";
        Comparison(ONE_BLOCK), "sizes::update_default_network_matches_the_host", NOT_FINITE;
    "no barrier between the product gh and the gates that read it" in "rollout.cu":
        "            __syncthreads();\n\n            for (unsigned at = t; at < count * H; at += THREADS) { // 2"
            => "            for (unsigned at = t; at < count * H; at += THREADS) { // 2";
        Comparison(RANDOM), PARITY, NOT_FINITE;
    "no barrier before the next episodes overwrite the previous ones" in "rollout.cu":
        "        __syncthreads(); // before the next episodes overwrite the previous ones\n" => "";
        Emulator(ONE_BLOCK), PARITY, "threads met at different barriers";
    "no barrier between setting an episode's stage and reading it for the initial state" in "rollout.cu":
        "        __syncthreads();\n        for (unsigned at = t; at < count * H; at += THREADS) {\n            const unsigned e = at / H, k = at % H;\n            const REAL h0 = start"
            => "        for (unsigned at = t; at < count * H; at += THREADS) {\n            const unsigned e = at / H, k = at % H;\n            const REAL h0 = start";
        Emulator(REVERSE), PARITY, "an access to unmapped memory";
    "a stale mask: ended episodes still decide" in "rollout.cu":
        "                if (!active[e]) continue;\n                const unsigned b = "
            => "                const unsigned b = ";
        Comparison(RANDOM), PARITY, NOT_FINITE;
    "the heads skip an episode's first decision" in "rollout.cu":
        "s >= task.operands[stages[e]]" => "s > task.operands[stages[e]]";
        Comparison(RANDOM), PARITY, APART;
    "episodes of a validation are numbered over all stages, not within their stage" in "rollout.cu":
        "(stage << 24) + (b - first[stage])" => "(stage << 24) + b";
        Comparison(FORWARD), PARITY, "validation after update";
    "a thread with a second row, not in registers, reads its first row again" in "rollout.cu":
        "w.w_hh + (Size)j * H;" => "w.w_hh + (Size)t * H;";
        Comparison(RANDOM), "sizes::update_widest_network_f32_matches_the_host", APART;
    "the value after an episode's end is a stale one of an earlier update" in "a2c.cu":
        "s < end ? (double)trace.values" => "s <= end ? (double)trace.values";
        Comparison(FORWARD), PARITY, NOT_FINITE;
    "an n-step return takes the critic's value one step too early" in "a2c.cu":
        "double target = value(last);" => "double target = value(last - 1);";
        Comparison(FORWARD), PARITY, APART;
    "no barrier between the first thread's write of the mean and the others' reads" in "a2c.cu":
        "        __syncthreads();\n    }\n    const REAL per_episode" => "    }\n    const REAL per_episode";
        Comparison(REVERSE), PARITY, NOT_FINITE;
    "only the first block's sums of advantages are added" in "a2c.cu":
        "const Size chunks = (B + 255) / 256;" => "const Size chunks = 1;";
        Comparison(FORWARD), "parity::gradients_of_large_batches_match_the_host", "apart, of";
    "no barrier between loading an episode's begin and comparing steps with it" in "bptt.cu":
        "            begins[t] = trace.begin[group + t];\n            ends[t] = trace.end[group + t];\n        }\n        __syncthreads();\n"
            => "            ends[t] = trace.end[group + t];\n        }\n        __syncthreads();\n        if (t < count) begins[t] = trace.begin[group + t];\n";
        Comparison(REVERSE), PARITY, APART;
    "a missing loop: only as many episodes as all blocks own at once" in "bptt.cu":
        "group < B; group += (Size)gridDim.x * group_size"
            => "group < gridDim.x * group_size; group += gridDim.x * group_size";
        Comparison(ONE_BLOCK), PARITY, NOT_FINITE;
    "chunks of the batch rounded down: the last episodes are left out" in "bptt.cu":
        "(trace.batch + chunks - 1) / chunks" => "trace.batch / chunks";
        Comparison(FORWARD), "parity::gradients_of_large_batches_match_the_host", "apart, of";
    "a wrong derivative: the update gate's is computed with the reset gate" in "bptt.cu":
        "da_z = dz * z * (1 - z)" => "da_z = dz * r * (1 - r)"; Comparison(FORWARD), GRADIENTS, "apart, of";
    "the candidate's gradients in gx and gh are confused" in "bptt.cu":
        "j < 2 * H ? dgh : gate_grads[H + j]" => "dgh"; Comparison(FORWARD), GRADIENTS, "apart, of";
    "sums of later stages are added to those of earlier stages" in "bptt.cu":
        "stage_of(first, stages, (unsigned)b) == stage" => "b >= first[stage]";
        Comparison(FORWARD), PARITY, APART;
    "gradients are clipped by the square of the norm" in "update.cu":
        "(REAL)clip / (norm + (REAL)1e-6)" => "(REAL)clip / (squares + (REAL)1e-6)";
        Comparison(FORWARD), PARITY, APART;
    "Adam's second correction is one update late" in "update.cu":
        "pow(rule.beta2, (double)step)" => "pow(rule.beta2, step > 1 ? (double)step - 1 : 1.0)";
        Comparison(FORWARD), IN_F64, "validation after update";
    "the update counter does not advance: each replay is the same update" in "update.cu":
        "    counters->update = update + 1;\n" => ""; Comparison(FORWARD), PARITY, NOT_FINITE;
    "a non-finite update is applied" in "update.cu":
        "    if (!step_params->apply) return;\n" => "";
        Comparison(FORWARD), "failures::not_finite_update_is_reported_as_on_the_host", "the state on the GPU changed";
    "the next episode's end is read ahead, also beyond the last episode, and discarded" in "bptt.cu":
        "                for (Size b = from; b < to; b++) {\n                    const unsigned end = trace.end[b];"
            => "                unsigned ahead = trace.end[from];\n                for (Size b = from; b < to; b++) {\n                    \
                  const unsigned end = ahead;\n                    ahead = trace.end[b + 1];";
        Address, PARITY, "heap-buffer-overflow";
    "a race between warps that all start every episode" in "rollout.cu":
        "        for (unsigned e = t / 32; e < count; e += WARPS) {\n            if (lane() != 0) continue;"
            => "        for (unsigned e = 0; e < count; e++) {\n            if (lane() != 0) continue;";
        Thread, PARITY, RACE;
    "a race between warps that all load the episodes' begins and ends" in "bptt.cu":
        "        if (t < count) {\n            begins[t] = trace.begin[group + t];\n            ends[t] = trace.end[group + t];"
            => "        if (t % 32 < count) {\n            begins[t % 32] = trace.begin[group + t % 32];\n            \
                  ends[t % 32] = trace.end[group + t % 32];";
        Thread, PARITY, RACE;
    "lane 0 does not wait for lanes that still read what it writes" in "rollout.cu":
        "                __syncwarp(); // all lanes have read what lane 0 writes next\n" => "";
        Thread, PARITY, RACE;
};
