//! The structs that kernels share with the host, as `kernels/common.cuh`, `token_table.cu`, `a2c.cu` and `update.cu` declare them: word by
//! word.

use nn::{Rule, Schedule};
use rl::returns::Estimator;
use tensor::gpu::pair;

use crate::description::{Description, Tables, count};

/// The words of 32 bits of `struct Counters`, and the most of `struct Move`.
pub(crate) const COUNTERS: usize = 16;
pub(crate) const MOVE: usize = 16;
/// The words of 32 bits of `struct Metrics`.
pub(crate) const METRICS: usize = 26;

/// `struct Weights`: where each of the parameters, or its gradient, begins.
pub(crate) type Weights = [u64; 10];

/// `struct Trace`.
pub(crate) type Trace = [u64; 11];

/// `struct Task`, with the addresses of its tables. `Tables::check` has ensured that their lengths fit 32 bits.
pub(crate) fn task(tables: &Tables, [next, distance, base, operands, tokens]: [u64; 5]) -> [u64; 10] {
    let [stages, actions, horizon] = [tables.base.len(), tables.tokens.len(), tables.horizon].map(|n| n as u32);
    let [correct, milestone, step] = [tables.correct, tables.milestone, tables.step].map(f64::to_bits);
    let sizes = [pair(stages, actions), pair(horizon, 0)];
    [next, distance, base, operands, tokens, sizes[0], sizes[1], correct, milestone, step]
}

/// `struct Schedule`. Its settings were checked to fit 32 bits.
pub(crate) fn schedule(schedule: Schedule) -> [u64; 3] {
    let (kind, over, from, to) = match schedule {
        Schedule::Constant(value) => (0, 0, value, value),
        Schedule::Linear { from, to, over } => (1, over, from, to),
        Schedule::Cosine { from, to, over } => (2, over, from, to),
    };
    [pair(kind, count("updates of a schedule", over)), from.to_bits(), to.to_bits()]
}

/// `struct Estimator`.
pub(crate) fn estimator(what: &Description) -> [u64; 3] {
    let (lambda, steps) = match what.estimator {
        Estimator::Gae(lambda) => (lambda, 0),
        // More steps than an episode has are as many as it has.
        Estimator::Steps(count) => (0.0, u32::try_from(count).unwrap_or(u32::MAX)),
    };
    [what.gamma.to_bits(), lambda.to_bits(), pair(steps, what.normalize.into())]
}

/// `struct Adam`.
pub(crate) fn adam(rule: Rule) -> [u64; 5] {
    let Rule::Adam { beta1, beta2, epsilon, decay, decoupled } = rule else { unreachable!("others were refused") };
    let [beta1, beta2, epsilon, decay] = [beta1, beta2, epsilon, decay].map(f64::to_bits);
    [beta1, beta2, epsilon, decay, pair(decoupled.into(), 0)]
}
