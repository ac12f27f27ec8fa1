//! The structs that kernels share with the host, word by word, as `kernels/common.cuh`, `token_table.cu`, `a2c.cu` and
//! `update.cu` declare them.

use nn::{Schedule, UpdateRule};
use rl::returns::AdvantageEstimator;
use tensor::gpu::pack_pair;

use crate::spec::{Tables, UpdateSpec, checked_u32};

/// The sizes of `struct Counters` and of `struct StepParams` (at most) in 32-bit words.
pub(crate) const COUNTERS: usize = 16;
pub(crate) const STEP_PARAMS: usize = 16;
/// The size of `struct Metrics` in 32-bit words.
pub(crate) const METRICS: usize = 26;

/// `struct Weights`: the address of each parameter or of its gradient.
pub(crate) type Weights = [u64; 10];

/// `struct Trace`.
pub(crate) type Trace = [u64; 11];

/// `struct Task`, with the addresses of its tables. `Tables::check` has ensured that their lengths fit 32 bits.
pub(crate) fn task(tables: &Tables, [next, distance, base, operands, tokens]: [u64; 5]) -> [u64; 10] {
    let [stages, actions, horizon] = [tables.base.len(), tables.tokens.len(), tables.horizon].map(|n| n as u32);
    let [correct, milestone, step] = [tables.correct, tables.milestone, tables.step].map(f64::to_bits);
    let sizes = [pack_pair(stages, actions), pack_pair(horizon, 0)];
    [next, distance, base, operands, tokens, sizes[0], sizes[1], correct, milestone, step]
}

/// `struct Schedule`. Its numbers were checked to fit 32 bits.
pub(crate) fn schedule(schedule: Schedule) -> [u64; 3] {
    let (kind, over, from, to) = match schedule {
        Schedule::Constant(value) => (0, 0, value, value),
        Schedule::Linear { from, to, over } => (1, over, from, to),
        Schedule::Cosine { from, to, over } => (2, over, from, to),
    };
    [pack_pair(kind, checked_u32("updates of a schedule", over)), from.to_bits(), to.to_bits()]
}

/// `struct AdvantageEstimator`.
pub(crate) fn estimator(spec: &UpdateSpec) -> [u64; 3] {
    let (lambda, steps) = match spec.estimator {
        AdvantageEstimator::Gae(lambda) => (lambda, 0),
        // If n exceeds the steps of an episode, all its steps count.
        AdvantageEstimator::NStep(checked_u32) => (0.0, u32::try_from(checked_u32).unwrap_or(u32::MAX)),
    };
    [spec.gamma.to_bits(), lambda.to_bits(), pack_pair(steps, spec.normalize.into())]
}

/// `struct Adam`.
pub(crate) fn adam(rule: UpdateRule) -> [u64; 5] {
    let UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled } = rule else {
        unreachable!("other rules were refused")
    };
    let [beta1, beta2, epsilon, decay] = [beta1, beta2, epsilon, decay].map(f64::to_bits);
    [beta1, beta2, epsilon, decay, pack_pair(decoupled.into(), 0)]
}
