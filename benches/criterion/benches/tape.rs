//! What a tape costs: a chain of operations on tensors of one number, where there is next to nothing to compute. One
//! element is one operation, so the time of an element is the overhead of a node.
//!
//! Beside the times stands how often a pass allocates, after the first: nodes and buffers are kept.
#![forbid(unsafe_code)]

use allocation_counter::measure;
use autograd::{Tape, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use tensor::Tensor;

/// Links of the chain, of three operations each.
const LINKS: usize = 100;
/// Of values near one, after 300 roundings.
const TOLERANCE: f64 = 1e-5;
const X: f32 = 0.5;
const W: f32 = 0.75;

fn overhead(c: &mut Criterion) {
    let nodes = Throughput::Elements(3 * LINKS as u64);
    let mut forward = Contest::new(c, "tape/forward", nodes.clone(), TOLERANCE, || vec![by_hand().0]);
    forward.enter("plain numbers", by_hand_in_f32);
    forward.enter("evaluating", counted("evaluating", forward_pass(Tape::evaluating())));
    forward.enter("recording", counted("recording", forward_pass(Tape::new())));
    drop(forward);

    let reference = || <[f64; 2]>::from(by_hand()).to_vec();
    let mut both = Contest::new(c, "tape/forward+backward", nodes, TOLERANCE, reference);
    both.enter("recording", counted("with backward", both_passes(Tape::new())));
}

/// x ← tanh(w·x + w), again and again.
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

/// The value, and its derivative by w.
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

/// Prints how often a second pass allocates; what hands the result over is one of them.
fn counted(name: &str, mut pass: impl FnMut() -> Vec<f32>) -> impl FnMut() -> Vec<f32> {
    pass();
    let count = measure(|| drop(std::hint::black_box(pass()))).count_total;
    println!("tape: a pass of {} operations {name}: {count} allocations, of which one is the result", 3 * LINKS);
    pass
}

/// The value in `f64`, and its derivative by w, by the chain rule forwards.
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
