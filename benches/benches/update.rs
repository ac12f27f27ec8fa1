//! One whole update of A2C at the default size: acting, judging, both passes, clipping and the optimiser, on one thread
//! and on all. One element is one step of the environment that counts.
//!
//! The rate is zero, so the parameters stay, and the same update with the same episodes can be run again and again. Its
//! metrics must be finite, and those of a second run of the same seed to the last bit.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, criterion};
use rayon::ThreadPoolBuilder;
use rl::a2c::Metrics;
use rl::{config::Config, train::Run};

fn update(c: &mut Criterion) {
    let metrics = first_update()();
    let steps = Throughput::Elements(metrics.steps as u64);
    let mut contest = Contest::new(c, "update", steps, 0.0, || numbers(&metrics));
    for (name, threads) in [("one thread", 1), ("all threads", 0)] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a machine has threads");
        let mut update = first_update();
        contest.enter(name, || numbers(&pool.install(&mut update)));
    }
}

/// The first update of a run, again and again; its tapes are kept, and no validation follows.
fn first_update() -> impl FnMut() -> Metrics + Send {
    let config = Config { rate: 0.0, validate_every: usize::MAX, ..Config::default() };
    let mut run = Run::<f32>::new(&config, 42);
    move || {
        run.updates = 0;
        run.advance().expect("finite numbers").metrics
    }
}

fn numbers(metrics: &Metrics) -> Vec<f64> {
    let Metrics { loss, policy_loss, value_loss, entropy, grad_norm, reward, steps, ref stages } = *metrics;
    let stages = stages.iter().flat_map(|&(episodes, solved)| [episodes as f64, solved as f64]);
    [loss, policy_loss, value_loss, entropy, grad_norm, reward, steps as f64].into_iter().chain(stages).collect()
}

criterion_group! { name = benches; config = criterion(); targets = update }
criterion_main!(benches);
