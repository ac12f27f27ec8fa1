//! Benchmarks of complete updates of `calculator-stages` and of the tutorial at several sizes, on one thread and on two.
//!
//! A run is the first few updates: rollout, advantages, forward and backward pass, clipping and optimiser step. One element
//! is one step of an episode. Before anything is timed, the losses must match `golden/losses.tsv`. The metrics of every
//! contestant must equal those of one thread to the last bit.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::trajectory::{SETTINGS, Setting, TOLERANCE};
use gradus_benches::{Contest, criterion, verify};
use rl::a2c::Metrics;
use tensor::par::with_threads;

fn update(c: &mut Criterion) {
    for setting in SETTINGS {
        let name = format!("update/{}", setting.name());
        let reference = || reference(&name, &setting);
        let steps = Throughput::Elements(setting.recorded().0);
        let mut contest = Contest::new(c, &name, steps, 0.0, reference);
        for (threads, name) in [(1, "1 thread"), (2, "2 threads")] {
            let mut run = setting.trajectory::<f32>();
            contest.bench(name, || numbers(&with_threads(threads, &mut run).expect("threads")));
        }
    }
}

/// Computes the metrics of one thread and checks that their losses match the record.
fn reference(name: &str, setting: &Setting) -> Vec<f64> {
    let metrics = with_threads(1, setting.trajectory::<f32>()).expect("a thread");
    let losses: Vec<f64> = metrics.iter().map(|metrics| metrics.loss).collect();
    let (steps, recorded) = setting.recorded();
    verify(name, &losses, &recorded, TOLERANCE);
    assert_eq!(metrics.iter().map(|metrics| metrics.steps as u64).sum::<u64>(), steps, "{name}: steps");
    numbers(&metrics)
}

fn numbers(metrics: &[Metrics]) -> Vec<f64> {
    let flatten = |metrics: &Metrics| {
        let Metrics {
            loss,
            policy_loss,
            value_loss,
            entropy,
            hindsight_loss,
            kinds: _,
            grad_norm,
            reward,
            steps,
            ref stages,
        } = *metrics;
        let stages = stages.iter().flat_map(|&(episodes, solved)| [episodes as f64, solved as f64]);
        let numbers = [loss, policy_loss, value_loss, entropy, hindsight_loss, grad_norm, reward, steps as f64];
        numbers.into_iter().chain(stages).collect::<Vec<_>>()
    };
    metrics.iter().flat_map(flatten).collect()
}

criterion_group! { name = benches; config = criterion(); targets = update }
criterion_main!(benches);
