//! The transcendental functions that a GRU and its policy spend their time in, fast against naive.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, uniform};
use tensor::{Fast, Kernels, Map, Naive, Real, Tensor};

/// As many elements as the gates of 192 states, in rows as long as there are tools.
const SHAPE: [usize; 2] = [192 * 288 / 6, 6];
/// A few ulps of f32.
const TOLERANCE: f64 = 5e-7;

/// Which function; the naive kernels need it for f32 and f64.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    Tanh,
    Sigmoid,
    LogSoftmax,
}

fn elementwise(c: &mut Criterion) {
    let x = uniform(SHAPE, 0).map(Map::Scale(5.0));
    for (name, f) in [
        ("exp", Function::Exp),
        ("tanh", Function::Tanh),
        ("sigmoid", Function::Sigmoid),
        ("log_softmax", Function::LogSoftmax),
    ] {
        let reference = || apply(&Naive, f, &x.cast::<f64>())().numbers();
        let mut contest = Contest::new(c, name, Throughput::Elements(x.size() as u64), TOLERANCE, reference);
        contest.enter("naive", apply(&Naive, f, &x));
        contest.enter("fast", apply(&Fast, f, &x));
    }
}

fn apply<T: Real>(kernels: &dyn Kernels<T>, f: Function, x: &Tensor<T>) -> impl FnMut() -> Tensor<T> {
    let mut y = Tensor::full(SHAPE, T::of(f64::NAN));
    move || {
        let (x, to) = (x.view(), y.view_mut());
        match f {
            Function::Exp => kernels.map(Map::Exp, x, to),
            Function::Tanh => kernels.map(Map::Tanh, x, to),
            Function::Sigmoid => kernels.map(Map::Sigmoid, x, to),
            Function::LogSoftmax => kernels.log_softmax(x, to),
        }
        y.clone()
    }
}

criterion_group! { name = benches; config = criterion(); targets = elementwise }
criterion_main!(benches);
