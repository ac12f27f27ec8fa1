//! Benchmarks of the tape's overhead: a chain of operations on tensors of one number, which need hardly any arithmetic.
//!
//! One element is one operation, so the time of an element is the overhead of a node. The benchmark also prints the number
//! of allocations in the second pass: the tape reuses nodes and buffers.
#![forbid(unsafe_code)]

use allocation_counter::measure;
use autograd::{Tape, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use tensor::Tensor;

/// The number of links of the chain. Each link has three operations.
const LINKS: usize = 100;
/// The tolerance for values near one after 300 roundings.
const TOLERANCE: f64 = 1e-5;
const X: f32 = 0.5;
const W: f32 = 0.75;

fn overhead(c: &mut Criterion) {
    let nodes = Throughput::Elements(3 * LINKS as u64);
    let mut forward = Contest::new(c, "tape/forward", nodes.clone(), TOLERANCE, || vec![by_hand().0]);
    forward.bench("plain numbers", by_hand_in_f32);
    forward.bench("evaluating", count_allocations("evaluating", forward_pass(Tape::no_grad())));
    forward.bench("recording", count_allocations("recording", forward_pass(Tape::new())));
    drop(forward);

    let reference = || <[f64; 2]>::from(by_hand()).to_vec();
    let mut both = Contest::new(c, "tape/forward+backward", nodes, TOLERANCE, reference);
    both.bench("recording", count_allocations("with backward", both_passes(Tape::new())));
}

/// Applies x ← tanh(w·x + w) [`LINKS`] times.
fn chain<'t>(x: Var<'t>, w: Var<'t>) -> Var<'t> {
    (0..LINKS).fold(x, |x, _| (w * x + w).tanh())
}

fn forward_pass(mut tape: Tape) -> impl FnMut() -> Vec<f32> {
    let [x, w] = [X, W].map(|x| Tensor::from([x]));
    move || {
        let y = chain(tape.input(x.clone()), tape.input(w.clone())).value().item();
        tape.clear();
        vec![y]
    }
}

/// Returns a closure that computes the value and its derivative with respect to w.
fn both_passes(mut tape: Tape) -> impl FnMut() -> Vec<f32> {
    let [x, w] = [X, W].map(|x| Tensor::from([x]));
    move || {
        let (x, w) = (tape.input(x.clone()), tape.input(w.clone()));
        let y = chain(x, w).sum();
        y.backward().expect("no parameters");
        let result = vec![y.value().item(), w.grad().expect("reached").item()];
        tape.clear();
        result
    }
}

/// Prints the number of allocations of a second pass. One of them is the returned result.
fn count_allocations(name: &str, mut pass: impl FnMut() -> Vec<f32>) -> impl FnMut() -> Vec<f32> {
    pass();
    let count = measure(|| drop(std::hint::black_box(pass()))).count_total;
    println!("tape: a pass of {} operations, {name}: {count} allocations, one of them for the result", 3 * LINKS);
    pass
}

/// Computes the value and its derivative with respect to w in `f64`, by forward-mode differentiation.
fn by_hand() -> (f64, f64) {
    let w = f64::from(W);
    (0..LINKS).fold((f64::from(X), 0.0), |(x, dx), _| {
        let y = (w * x + w).tanh();
        (y, (1.0 - y * y) * (x + w * dx + 1.0))
    })
}

fn by_hand_in_f32() -> Vec<f32> {
    let (x, w) = std::hint::black_box((X, W));
    vec![(0..LINKS).fold(x, |x, _| tensor::Real::tanh(w * x + w))]
}

criterion_group! { name = benches; config = criterion(); targets = overhead }
criterion_main!(benches);
