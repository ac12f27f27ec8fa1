//! Benchmarks of the transcendental functions in which a GRU and its policy spend their time.
//!
//! The contestants are the standard library's functions and `tensor`'s for each instruction set. Each prints its error in
//! ulps beside its time. One element is one number.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, kernels, ulp_errors, uniform};
use tensor::{Kernels, Map, Naive, Real, Tensor};

/// The number of gate elements of 192 states, in rows of six, the number of tools.
const SHAPE: [usize; 2] = [192 * 288 / 6, 6];
/// The tolerance: a few ulps of f32.
const TOLERANCE: f64 = 5e-7;

/// A benchmarked function. The naive kernels compute it in f32 and f64.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    Tanh,
    Sigmoid,
    LogSoftmax,
}

fn elementwise(c: &mut Criterion) {
    let x = uniform(SHAPE, 0).map(Map::Scale(5.0));
    let flat = x.to_vec();
    for (name, f) in [
        ("exp", Function::Exp),
        ("tanh", Function::Tanh),
        ("sigmoid", Function::Sigmoid),
        ("log_softmax", Function::LogSoftmax),
    ] {
        let reference = || by_kernel(&Naive, f, &x.cast::<f64>())().numbers();
        let work = Throughput::Elements(x.size() as u64);
        let mut contest = Contest::new(c, name, work, TOLERANCE, reference).with_note(|got, want| {
            let (largest, mean) = ulp_errors(got, want);
            format!("largest error {largest:.2} ulp, mean error {mean:.2} ulp")
        });
        contest.bench_slice("std", x.size(), |y| by_std(f, &flat, y));
        for kernels in kernels() {
            contest.bench(kernels.name(), by_kernel(kernels, f, &x));
        }
    }
}

fn by_std(f: Function, x: &[f32], y: &mut [f32]) {
    match f {
        Function::Exp => y.iter_mut().zip(x).for_each(|(y, x)| *y = x.exp()),
        Function::Tanh => y.iter_mut().zip(x).for_each(|(y, x)| *y = x.tanh()),
        Function::Sigmoid => y.iter_mut().zip(x).for_each(|(y, x)| *y = 1.0 / (1.0 + (-x).exp())),
        Function::LogSoftmax => {
            for (y, x) in y.chunks_exact_mut(SHAPE[1]).zip(x.chunks_exact(SHAPE[1])) {
                let m = x.iter().fold(f32::NEG_INFINITY, |m, &x| m.max(x));
                let mass: f32 = x.iter().map(|x| (x - m).exp()).sum();
                y.iter_mut().zip(x).for_each(|(y, x)| *y = x - m - mass.ln());
            }
        }
    }
}

fn by_kernel<T: Real>(kernels: &dyn Kernels<T>, f: Function, x: &Tensor<T>) -> impl FnMut() -> Tensor<T> {
    let mut y = Tensor::full(SHAPE, T::from_f64(f64::NAN));
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
