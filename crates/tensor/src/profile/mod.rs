//! A profiler: kernels that count and time their calls, and spans that assign the calls to phases of the program.
//!
//! [`Profiler`] forwards each call to other kernels and records calls, nanoseconds, flops and bytes. Results stay the same to
//! the bit. A [span](Profiler::span) is a section of a program, and its number is its phase. Each thread tracks its innermost
//! span. So a kernel counts for the phase that called it, and a span records the share of its time in kernels. With several
//! threads, times are added over the threads.
//!
//! After [`start`], the default kernels of `f32` are profiled, and spans are timed. Before that, a span costs one load.
//!
//! Each call reads the clock of `std` twice. This takes about 50 ns, which is visible for kernels over a few elements.

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

/// The maximum number of phases, including phase 0, which is the time outside of all spans.
pub const PHASES: usize = 16;

/// The counters of one kernel in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of calls.
    pub calls: u64,
    /// The total time, added over all threads.
    pub nanoseconds: u64,
    /// Additions, multiplications, divisions, comparisons and functions; see [`Kernel`].
    pub flops: u64,
    /// Bytes of all operands; each operand is read once and written once.
    pub bytes: u64,
}

/// The counters of all spans of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The number of spans.
    pub calls: u64,
    /// The total time, added over all threads.
    pub nanoseconds: u64,
    /// The part of that time in kernels.
    pub in_kernels: u64,
}

/// Counters that several threads update: calls, nanoseconds, and two more.
type Counters = [AtomicU64; 4];

/// A wrapper around other kernels that counts and times each call.
pub struct Profiler<T: Real> {
    inner: &'static dyn Kernels<T>,
    kernels: [[Counters; Kernel::ALL.len()]; PHASES],
    spans: [Counters; PHASES],
}

thread_local! {
    /// The phase of this thread's innermost span, and the nanoseconds in kernels since it began.
    static CURRENT_SPAN: Cell<(usize, u64)> = const { Cell::new((0, 0)) };
}

impl<T: Real> Profiler<T> {
    /// Wraps `inner`. All counters are 0.
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

    /// The counters of a kernel in a phase.
    ///
    /// # Panics
    /// If `phase` is not below [`PHASES`].
    pub fn counts(&self, phase: usize, kernel: Kernel) -> Counts {
        let [calls, nanoseconds, flops, bytes] =
            self.kernels[phase][kernel as usize].each_ref().map(|counter| counter.load(Relaxed));
        Counts { calls, nanoseconds, flops, bytes }
    }

    /// The counters of the spans of a phase.
    ///
    /// # Panics
    /// If `phase` is not below [`PHASES`].
    pub fn spans(&self, phase: usize) -> Spans {
        let [calls, nanoseconds, in_kernels, _] = self.spans[phase].each_ref().map(|counter| counter.load(Relaxed));
        Spans { calls, nanoseconds, in_kernels }
    }

    /// Runs `f` as a span of a phase. A span inside it counts its own time and kernels; its time also counts for the
    /// outer span.
    ///
    /// # Panics
    /// If `phase` is not below [`PHASES`].
    pub fn span<R>(&self, phase: usize, f: impl FnOnce() -> R) -> R {
        let outside = CURRENT_SPAN.replace((phase, 0));
        let started = Instant::now();
        let result = f();
        let nanoseconds = started.elapsed().as_nanos() as u64;
        let (_, in_kernels) = CURRENT_SPAN.replace(outside);
        add(&self.spans[phase], [1, nanoseconds, in_kernels, 0]);
        result
    }

    fn time<R>(&self, kernel: Kernel, cost: Cost, f: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = f();
        let nanoseconds = started.elapsed().as_nanos() as u64;
        let (phase, in_kernels) = CURRENT_SPAN.get();
        CURRENT_SPAN.set((phase, in_kernels + nanoseconds));
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

static RUNNING: OnceLock<Profiler<f32>> = OnceLock::new();

/// Starts the profiler for the rest of the process. It profiles all code that calls [`Real::kernels`] of `f32` from now on, but
/// not code that has called it before.
pub fn start() -> &'static Profiler<f32> {
    RUNNING.get_or_init(|| Profiler::new(f32::kernels()))
}

/// The profile, if [`start`] has been called.
pub fn running() -> Option<&'static Profiler<f32>> {
    RUNNING.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fast, Form, Map, Tensor};

    #[test]
    fn nested_spans_count_kernels_once_and_time_twice() {
        static PROFILED: Profiler<f32> = Profiler::new(&Fast);
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
