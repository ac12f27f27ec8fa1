//! A contest: verify, then time.

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

use crate::outcome::{Outcome, verify};

/// The clock of all benchmarks: short enough that all of them together take minutes. Flags of the command line have
/// the last word.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
}

/// Words on a verified result, which is its first argument, beside the reference's.
type Note = fn(&[f64], &[f64]) -> String;

/// One piece of work that several contestants do.
pub struct Contest<'c, F> {
    name: String,
    group: BenchmarkGroup<'c, WallTime>,
    want: LazyCell<Vec<f64>, F>,
    tolerance: f64,
    note: Option<Note>,
}

impl<'c, F: FnOnce() -> Vec<f64>> Contest<'c, F> {
    /// A contest of `work` units (flops, elements or steps; bytes) a run, whose right result is `reference`'s. It is
    /// asked for when the first contestant is measured, so that what a filter leaves out costs nothing.
    pub fn new(c: &'c mut Criterion, name: impl Into<String>, work: Throughput, tolerance: f64, reference: F) -> Self {
        let name = name.into();
        let mut group = c.benchmark_group(&name);
        group.throughput(work);
        Self { name, group, want: LazyCell::new(reference), tolerance, note: None }
    }

    /// Prints `note` of each contestant's result once it is verified.
    pub fn with_note(self, note: Note) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Verifies the first result of `run`, then times `run`.
    ///
    /// Making and dropping the result is timed too: it should be cheap, as that of a [`Tensor`](tensor::Tensor) is that
    /// shares its buffer with `run`.
    ///
    /// # Panics
    /// If the result is further than the tolerance from the reference's; see [`verify`].
    pub fn enter<R: Outcome>(&mut self, contestant: &str, mut run: impl FnMut() -> R) {
        let Self { name, group, want, tolerance, note } = self;
        let mut verified = false;
        group.bench_function(contestant, |bencher| {
            if !verified {
                check(&format!("{name}/{contestant}"), &run().numbers(), want, *tolerance, *note);
                verified = true;
            }
            bencher.iter(&mut run);
        });
    }

    /// The tolerance of those who enter from now on.
    pub fn allow(&mut self, tolerance: f64) {
        self.tolerance = tolerance;
    }

    /// [`enter`](Self::enter) for who only asks a GPU for the work, as `wait` waits for all that was asked for: what is timed is
    /// asking for it again and again, and waiting once at the end.
    ///
    /// # Panics
    /// As [`enter`](Self::enter) does.
    pub fn enter_asking<R: Outcome>(&mut self, contestant: &str, mut run: impl FnMut() -> R, wait: impl Fn()) {
        let Self { name, group, want, tolerance, note } = self;
        let mut verified = false;
        group.bench_function(contestant, |bencher| {
            if !verified {
                let first = run();
                wait();
                check(&format!("{name}/{contestant}"), &first.numbers(), want, *tolerance, *note);
                verified = true;
            }
            bencher.iter_custom(|times| {
                wait();
                let start = Instant::now();
                (0..times).for_each(|_| drop(black_box(run())));
                wait();
                start.elapsed()
            });
        });
    }

    /// [`enter`](Self::enter) for who writes `size` results over a slice, which is of NaN at first.
    ///
    /// # Panics
    /// As [`enter`](Self::enter) does.
    pub fn enter_slice(&mut self, contestant: &str, size: usize, mut run: impl FnMut(&mut [f32])) {
        let Self { name, group, want, tolerance, note } = self;
        let mut y = vec![f32::NAN; size];
        let mut verified = false;
        group.bench_function(contestant, |bencher| {
            if !verified {
                run(&mut y);
                check(&format!("{name}/{contestant}"), &y.numbers(), want, *tolerance, *note);
                verified = true;
            }
            bencher.iter(|| {
                run(&mut y);
                black_box(&mut y);
            });
        });
    }
}

fn check(name: &str, got: &[f64], want: &[f64], tolerance: f64, note: Option<Note>) {
    verify(name, got, want, tolerance);
    if let Some(note) = note {
        println!("{name}: {}", note(got, want));
    }
}
