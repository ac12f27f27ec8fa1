//! A step of each optimiser over the flat buffer of the default network: the kernels for each instruction set, and the
//! optimiser that training calls. One element is one parameter.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, kernels, uniform};
use nn::{Grads, Optimizer, Params, Rule};
use rl::{config::Config, train::Run};
use tensor::{AdamStep, Kernels, Map, Naive, Real, Tensor};

/// Of the largest parameter.
const TOLERANCE: f64 = 5e-7;
const RATE: f64 = 0.01;
/// Steps taken before the one that is verified: few enough that both bias corrections matter.
const STEPS: u64 = 9;

fn optim(c: &mut Criterion) {
    let params = Run::<f32>::new(&Config::default(), 42).learner.params;
    let size = params.size();
    let gradient = uniform([size], 0);
    let [mean, square] = [uniform([size], 1), uniform([size], 2).map(Map::Square)];

    for (name, rule, moments) in [
        ("adam", Rule::adam(), vec![mean.clone(), square.clone()]),
        ("momentum", Rule::Sgd { momentum: 0.9 }, vec![mean]),
        ("rmsprop", Rule::rmsprop(), vec![square]),
    ] {
        let reference = || {
            let in_f64 = moments.iter().map(Tensor::cast::<f64>).collect();
            by_kernel(&Naive, rule, params.flat().cast(), gradient.cast(), in_f64)().numbers()
        };
        let mut contest = Contest::new(c, name, Throughput::Elements(size as u64), TOLERANCE, reference);
        for kernels in kernels() {
            let run = by_kernel(kernels, rule, params.flat().clone(), gradient.clone(), moments.clone());
            contest.enter(kernels.name(), run);
        }
        contest.enter("optimizer", by_optimizer(rule, params.clone(), &gradient, moments.clone()));
    }
}

/// Steps that go on from one another; the results are parameters.
fn by_kernel<T: Real>(
    kernels: &dyn Kernels<T>,
    rule: Rule,
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
            Rule::Adam { beta1, beta2, epsilon, decay, decoupled } => {
                let with = AdamStep { rate: RATE, beta1, beta2, epsilon, decay, decoupled, step };
                kernels.adam(with, g.view(), next(), next(), p_view);
            }
            Rule::Sgd { momentum } => kernels.momentum(T::of(RATE), T::of(momentum), g.view(), next(), p_view),
            Rule::RmsProp { alpha, epsilon } => {
                kernels.rmsprop(T::of(RATE), T::of(alpha), T::of(epsilon), g.view(), next(), p_view);
            }
        }
        p.clone()
    }
}

/// The same steps, as training takes them.
fn by_optimizer(rule: Rule, mut params: Params, gradient: &Tensor, moments: Vec<Tensor>) -> impl FnMut() -> Tensor {
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
