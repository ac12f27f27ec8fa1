//! The structs that kernels share with the host, as `kernels/common.cuh`, `token_table.cu`, `a2c.cu` and `update.cu` declare them.
#![allow(unsafe_code)] // they are what the card reads

use cudarc::driver::DeviceRepr;

use super::description::{AdamRule, Judging, Schedule as Course, Tables};

/// How many words `struct Counters` has, and how many `struct Move` at most.
pub(super) const COUNTERS: usize = 16;
pub(super) const MOVE: usize = 16;
/// How many words `struct Metrics` has.
pub(super) const METRICS: usize = 26;

/// `struct Weights`: where each of the parameters, or its gradient, begins.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights(pub(super) [u64; 10]);

/// `struct Task`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in crate::cuda) struct Task {
    pub(super) next: u64,
    pub(super) distance: u64,
    pub(super) base: u64,
    pub(super) operands: u64,
    pub(super) tokens: u64,
    pub(super) stages: u32,
    pub(super) actions: u32,
    pub(super) horizon: u32,
    pub(super) gap: u32,
    /// Paid for a solution, a milestone, a step.
    pub(super) rewards: [f64; 3],
}

/// `struct Trace`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) batch: u32,
    pub(super) steps: u32,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) solved: u64,
    pub(super) tokens: u64,
    pub(super) actions: u64,
    pub(super) rewards: u64,
    pub(super) values: u64,
    pub(super) log_probs: u64,
    pub(super) h: u64,
    pub(super) kept: u64,
}

/// `struct Schedule`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    kind: u32,
    over: u32,
    from: f64,
    to: f64,
}

/// `struct Estimator`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimator {
    gamma: f64,
    lambda: f64,
    count: u32,
    normalize: u32,
}

/// `struct Adam`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Adam {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    decay: f64,
    decoupled: u32,
    gap: u32,
}

/// For each: the bytes that kernels expect, by the sizes and the alignment of the fields that they declare.
macro_rules! shared {
    ($($name:ident = $bytes:literal),*) => {$(
        const _: () = assert!(size_of::<$name>() == $bytes && align_of::<$name>() == 8);
        // SAFETY: these are the fields of the struct that kernels declare, in their order, sizes and places, gaps named; all are
        // plain numbers.
        unsafe impl DeviceRepr for $name {}
    )*};
}
shared!(Weights = 80, Task = 80, Trace = 88, Schedule = 24, Estimator = 24, Adam = 40);

impl From<Course> for Schedule {
    fn from(course: Course) -> Self {
        match course {
            Course::Constant(value) => Self { kind: 0, over: 0, from: value, to: value },
            Course::Linear { from, to, over } => Self { kind: 1, over, from, to },
            Course::Cosine { from, to, over } => Self { kind: 2, over, from, to },
        }
    }
}

impl From<Judging> for Estimator {
    fn from(judging: Judging) -> Self {
        let Judging { gamma, lambda, steps: count, normalize, .. } = judging;
        Self { gamma, lambda, count, normalize: normalize.into() }
    }
}

impl From<AdamRule> for Adam {
    fn from(rule: AdamRule) -> Self {
        let AdamRule { beta1, beta2, epsilon, decay, decoupled } = rule;
        Self { beta1, beta2, epsilon, decay, decoupled: decoupled.into(), gap: 0 }
    }
}

impl Task {
    /// With its tables in these places; `Tables::check` has seen that their lengths fit 32 bits.
    pub(in crate::cuda) fn new(tables: &Tables, [next, distance, base, operands, tokens]: [u64; 5]) -> Self {
        Self {
            next,
            distance,
            base,
            operands,
            tokens,
            stages: tables.base.len() as u32,
            actions: tables.tokens.len() as u32,
            horizon: tables.horizon as u32,
            gap: 0,
            rewards: [tables.correct, tables.milestone, tables.step],
        }
    }
}
