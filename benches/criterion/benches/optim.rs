//! Benchmarks of an optimiser step over the flat parameter buffer of the default network. One element is one parameter.
//!
//! The contestants are the kernels for each instruction set and the optimiser that training calls.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, kernels, uniform};
use nn::{Grads, Optimizer, Params, UpdateRule};
use rl::{config::Config, train::Run};
use tensor::{AdamStep, Kernels, Map, Naive, Real, Tensor};

/// The tolerance, relative to the largest parameter.
const TOLERANCE: f64 = 5e-7;
const RATE: f64 = 0.01;
/// The number of steps before the verified one. It is small, so that both bias corrections matter.
const STEPS: u64 = 9;

fn optim(c: &mut Criterion) {
    let config = Config::default();
    let params = Run::<f32, _>::new(config.calculator_stages(), &config, 42).learner.params;
    let size = params.size();
    let gradient = uniform([size], 0);
    let [mean, square] = [uniform([size], 1), uniform([size], 2).map(Map::Square)];

    for (name, rule, moments) in [
        ("adam", UpdateRule::adam(), vec![mean.clone(), square.clone()]),
        ("momentum", UpdateRule::Sgd { momentum: 0.9 }, vec![mean]),
        ("rmsprop", UpdateRule::rmsprop(), vec![square]),
    ] {
        let reference = || {
            let in_f64 = moments.iter().map(Tensor::cast::<f64>).collect();
            by_kernel(&Naive, rule, params.flat().cast(), gradient.cast(), in_f64)().numbers()
        };
        let mut contest = Contest::new(c, name, Throughput::Elements(size as u64), TOLERANCE, reference);
        for kernels in kernels() {
            let run = by_kernel(kernels, rule, params.flat().clone(), gradient.clone(), moments.clone());
            contest.bench(kernels.name(), run);
        }
        contest.bench("optimizer", by_optimizer(rule, params.clone(), &gradient, moments.clone()));
    }
}

/// Returns a closure that takes one more step at each call and returns the parameters.
fn by_kernel<T: Real>(
    kernels: &dyn Kernels<T>,
    rule: UpdateRule,
    mut p: Tensor<T>,
    g: Tensor<T>,
    mut moments: Vec<Tensor<T>>,
) -> impl FnMut() -> Tensor<T> {
    let mut step = STEPS;
    move || {
        step += 1;
        let mut moments = moments.iter_mut().map(Tensor::view_mut);
        let mut next = || moments.next().expect("the rule's moments");
        let p_view = p.view_mut();
        match rule {
            UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled } => {
                let with = AdamStep { rate: RATE, beta1, beta2, epsilon, decay, decoupled, step };
                kernels.adam(with, g.view(), next(), next(), p_view);
            }
            UpdateRule::Sgd { momentum } => {
                kernels.momentum(T::from_f64(RATE), T::from_f64(momentum), g.view(), next(), p_view)
            }
            UpdateRule::RmsProp { alpha, epsilon } => {
                kernels.rmsprop(T::from_f64(RATE), T::from_f64(alpha), T::from_f64(epsilon), g.view(), next(), p_view);
            }
        }
        p.clone()
    }
}

/// Does the same as [`by_kernel`], through the optimiser that training calls.
fn by_optimizer(
    rule: UpdateRule,
    mut params: Params,
    gradient: &Tensor,
    moments: Vec<Tensor>,
) -> impl FnMut() -> Tensor {
    let mut grads = Grads::zeros(&params);
    *grads.flat_mut() = gradient.clone();
    let mut optimizer = Optimizer::new(rule, &params);
    optimizer.restore(STEPS, moments);
    move || {
        optimizer.step(RATE, &mut params, &grads);
        params.flat().clone()
    }
}

criterion_group! { name = benches; config = criterion(); targets = optim }
criterion_main!(benches);
