//! Where the time goes: kernels that count and time what they are asked to do, and spans that name for what.
//!
//! [`Profiled`] does each kernel by other kernels and notes calls, nanoseconds, flops and bytes; results do not change by
//! a bit. A [span](Profiled::span) is a part of a program with a number, its phase. Each thread knows which span it is in, so that a
//! kernel is counted for the phase that asked for it, and a span knows how much of its time was spent in kernels. With
//! several threads, times add up over threads.
//!
//! After [`start`], `f32`'s own [`Real::kernels`] are profiled, and spans are timed; before, a span costs one load.
//!
//! Time is read with `std`'s clock, twice a call: some 50 ns, which a kernel over a handful of elements does not hide.

mod costs;
mod peak;

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::OnceLock;
use std::thread_local;
use std::time::Instant;

use crate::{Kernels, Real};

use costs::Cost;
pub use costs::Kernel;
pub use peak::{peak_bandwidth, peak_flops};

/// How many phases there are at most, with phase 0, which is whatever is in no span.
pub const PHASES: usize = 16;

/// What was counted of a kernel within a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often it was called.
    pub calls: u64,
    /// For how long, over all threads together.
    pub nanoseconds: u64,
    /// Additions, multiplications, divisions, comparisons and functions; see [`Kernel`].
    pub flops: u64,
    /// Bytes of all operands, each read and written once.
    pub bytes: u64,
}

/// What was counted of the spans of a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// How many there were.
    pub calls: u64,
    /// How long they took, over all threads together.
    pub nanoseconds: u64,
    /// How much of that was spent in kernels.
    pub in_kernels: u64,
}

/// Counters that several threads add to: calls, nanoseconds, and two more.
type Counters = [AtomicU64; 4];

/// Other kernels, with a count and a clock.
pub struct Profiled<T: Real> {
    inner: &'static dyn Kernels<T>,
    kernels: [[Counters; Kernel::ALL.len()]; PHASES],
    spans: [Counters; PHASES],
}

thread_local! {
    /// The phase of this thread's innermost span, and the nanoseconds in kernels since it began.
    static HERE: Cell<(usize, u64)> = const { Cell::new((0, 0)) };
}

impl<T: Real> Profiled<T> {
    /// `inner`, with nothing counted yet.
    pub const fn new(inner: &'static dyn Kernels<T>) -> Self {
        const fn zero() -> Counters {
            [const { AtomicU64::new(0) }; 4]
        }
        Self {
            inner,
            kernels: [const { [const { zero() }; Kernel::ALL.len()] }; PHASES],
            spans: [const { zero() }; PHASES],
        }
    }

    /// What was counted of a kernel within a phase.
    ///
    /// # Panics
    /// If there is no such phase.
    pub fn counts(&self, phase: usize, kernel: Kernel) -> Counts {
        let [calls, nanoseconds, flops, bytes] =
            self.kernels[phase][kernel as usize].each_ref().map(|counter| counter.load(Relaxed));
        Counts { calls, nanoseconds, flops, bytes }
    }

    /// What was counted of the spans of a phase.
    ///
    /// # Panics
    /// If there is no such phase.
    pub fn spans(&self, phase: usize) -> Spans {
        let [calls, nanoseconds, in_kernels, _] = self.spans[phase].each_ref().map(|counter| counter.load(Relaxed));
        Spans { calls, nanoseconds, in_kernels }
    }

    /// Does `f` as a span of a phase. Within it, a further span has its own time and kernels; the time counts here, too.
    ///
    /// # Panics
    /// If there is no such phase.
    pub fn span<R>(&self, phase: usize, f: impl FnOnce() -> R) -> R {
        let outside = HERE.replace((phase, 0));
        let started = Instant::now();
        let result = f();
        let nanoseconds = started.elapsed().as_nanos() as u64;
        let (_, in_kernels) = HERE.replace(outside);
        add(&self.spans[phase], [1, nanoseconds, in_kernels, 0]);
        result
    }

    fn time<R>(&self, kernel: Kernel, cost: Cost, f: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = f();
        let nanoseconds = started.elapsed().as_nanos() as u64;
        let (phase, in_kernels) = HERE.get();
        HERE.set((phase, in_kernels + nanoseconds));
        let bytes = cost.numbers * size_of::<T>() as u64 + cost.indices * size_of::<u32>() as u64;
        add(&self.kernels[phase][kernel as usize], [1, nanoseconds, cost.flops, bytes]);
        result
    }
}

fn add(counters: &Counters, amounts: [u64; 4]) {
    for (counter, amount) in counters.iter().zip(amounts) {
        counter.fetch_add(amount, Relaxed);
    }
}

static RUNNING: OnceLock<Profiled<f32>> = OnceLock::new();

/// From now on, what takes its kernels from `f32` is profiled, to the end of the process. What has taken them before is not.
pub fn start() -> &'static Profiled<f32> {
    RUNNING.get_or_init(|| Profiled::new(f32::kernels()))
}

/// The profile, if [`start`] has been called.
pub fn running() -> Option<&'static Profiled<f32>> {
    RUNNING.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fast, Form, Map, Tensor};

    #[test]
    fn kernels_count_for_the_innermost_span_and_its_time_for_both() {
        static PROFILED: Profiled<f32> = Profiled::new(&Fast);
        let (a, b) = (Tensor::<f32>::zeros([2, 3]), Tensor::zeros([3, 4]));
        let mut y = Tensor::zeros([2, 4]);
        let mut multiply = || PROFILED.matmul(Form::NN, a.view(), b.view(), true, y.view_mut());
        multiply();
        PROFILED.span(1, || {
            PROFILED.span(2, || {
                multiply();
                multiply();
            });
            PROFILED.map(Map::Tanh, a.view(), a.clone().view_mut());
        });
        let calls = |phase| PROFILED.counts(phase, Kernel::MatmulNN).calls;
        assert_eq!([0, 1, 2, 3].map(calls), [1, 0, 2, 0]);
        let two = PROFILED.counts(2, Kernel::MatmulNN);
        assert_eq!((two.flops, two.bytes), (2 * 2 * (2 * 4 * 3), 2 * 4 * (6 + 12 + 2 * 8)));
        let tanh = PROFILED.counts(1, Kernel::Map);
        assert_eq!((tanh.calls, tanh.flops, tanh.bytes), (1, 6, 2 * 4 * 6));
        let [one, two_spans] = [1, 2].map(|phase| PROFILED.spans(phase));
        assert_eq!((one.calls, one.in_kernels), (1, tanh.nanoseconds));
        assert_eq!((two_spans.calls, two_spans.in_kernels), (1, two.nanoseconds));
        assert!(two.nanoseconds <= two_spans.nanoseconds && two_spans.nanoseconds <= one.nanoseconds);
    }
}
