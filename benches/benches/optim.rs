//! A step of Adam over the flat buffer of the default network: the kernels, and the optimiser that training calls. One
//! element is one parameter.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, uniform};
use nn::{Grads, Optimizer, Params, Rule};
use rl::{config::Config, train::Run};
use tensor::{AdamStep, Fast, Kernels, Map, Naive, Real, Tensor};

/// Of the largest parameter.
const TOLERANCE: f64 = 5e-7;
const RATE: f64 = 0.01;
/// Steps taken before the one that is verified: few enough that both bias corrections matter.
const STEPS: u64 = 9;

fn adam(c: &mut Criterion) {
    let params = Run::<f32>::new(&Config::default(), 42).learner.params;
    let size = params.size();
    let gradient = uniform([size], 0);
    let moments = [uniform([size], 1), uniform([size], 2).map(Map::Square)];

    let reference = || {
        let in_f64 = moments.each_ref().map(Tensor::cast::<f64>);
        by_kernel(&Naive, params.flat().cast(), gradient.cast(), in_f64)().numbers()
    };
    let mut contest = Contest::new(c, "adam", Throughput::Elements(size as u64), TOLERANCE, reference);
    contest.enter("naive", by_kernel(&Naive, params.flat().clone(), gradient.clone(), moments.clone()));
    contest.enter("fast", by_kernel(&Fast, params.flat().clone(), gradient.clone(), moments.clone()));
    contest.enter("optimizer", by_optimizer(params.clone(), &gradient, moments.clone()));
}

/// Steps that go on from one another; the results are parameters.
fn by_kernel<T: Real>(
    kernels: &dyn Kernels<T>,
    mut p: Tensor<T>,
    g: Tensor<T>,
    [mut m, mut v]: [Tensor<T>; 2],
) -> impl FnMut() -> Tensor<T> {
    let mut step = STEPS;
    move || {
        step += 1;
        let with = AdamStep { rate: RATE, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false, step };
        kernels.adam(with, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
        p.clone()
    }
}

/// The same steps, as training takes them.
fn by_optimizer(mut params: Params, gradient: &Tensor, moments: [Tensor; 2]) -> impl FnMut() -> Tensor {
    let mut grads = Grads::zeros(&params);
    *grads.flat_mut() = gradient.clone();
    let mut optimizer = Optimizer::new(Rule::adam(), &params);
    optimizer.restore(STEPS, moments.into());
    move || {
        optimizer.step(RATE, &mut params, &grads);
        params.flat().clone()
    }
}

criterion_group! { name = benches; config = criterion(); targets = adam }
criterion_main!(benches);
