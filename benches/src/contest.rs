//! A benchmark group that verifies each contestant before it is timed.

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

use crate::outcome::{Outcome, verify};

/// Criterion's settings for all benchmarks. They are short, so that all benchmarks together take minutes. Flags of the
/// command line override them.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
}

/// A function that describes a verified result. Its arguments are the result and the reference.
type Note = fn(&[f64], &[f64]) -> String;

/// One computation that several contestants perform.
pub struct Contest<'c, F> {
    name: String,
    group: BenchmarkGroup<'c, WallTime>,
    want: LazyCell<Vec<f64>, F>,
    tolerance: f64,
    note: Option<Note>,
}

impl<'c, F: FnOnce() -> Vec<f64>> Contest<'c, F> {
    /// Creates a contest whose correct result is that of `reference`. `work` is the amount of work of a run: flops,
    /// elements, steps or bytes.
    ///
    /// `reference` is called when the first contestant is measured. A contest that a filter leaves out costs nothing.
    pub fn new(c: &'c mut Criterion, name: impl Into<String>, work: Throughput, tolerance: f64, reference: F) -> Self {
        let name = name.into();
        let mut group = c.benchmark_group(&name);
        group.throughput(work);
        Self { name, group, want: LazyCell::new(reference), tolerance, note: None }
    }

    /// Prints `note` of each contestant's result after its verification.
    pub fn with_note(self, note: Note) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Verifies the first result of `run`, then times `run`.
    ///
    /// The time includes making and dropping the result, so both should be cheap. A [`Tensor`](tensor::Tensor) that shares
    /// its buffer with `run` is cheap.
    ///
    /// # Panics
    /// If the result differs from the reference by more than the tolerance; see [`verify`].
    pub fn bench<R: Outcome>(&mut self, contestant: &str, mut run: impl FnMut() -> R) {
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

    /// Sets the tolerance for the contestants that follow.
    pub fn set_tolerance(&mut self, tolerance: f64) {
        self.tolerance = tolerance;
    }

    /// [`bench`](Self::bench) for work that `run` only launches on a GPU. `wait` waits for all launched work.
    ///
    /// A sample is many launches and one wait at the end.
    ///
    /// # Panics
    /// As [`bench`](Self::bench) does.
    pub fn bench_async<R: Outcome>(&mut self, contestant: &str, mut run: impl FnMut() -> R, wait: impl Fn()) {
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

    /// [`bench`](Self::bench) for a contestant that overwrites a slice of `size` results. The slice holds NaN at first.
    ///
    /// # Panics
    /// As [`bench`](Self::bench) does.
    pub fn bench_slice(&mut self, contestant: &str, size: usize, mut run: impl FnMut(&mut [f32])) {
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
