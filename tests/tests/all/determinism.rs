//! Tests of determinism: the same seed gives the same bytes with any number of threads.

use rl::{config::Config, train::Run};
use tensor::par::with_threads;
use tutorial::run::{TutorialConfig, TutorialRun};

/// Runs some updates with validations. Returns the bits of all parameters, moments and metrics.
fn run_to_bits(threads: usize, seed: u64) -> Vec<u64> {
    let config = Config {
        width: 24,
        batch: 50,
        chunk: 7,
        validate_every: 2,
        validation_episodes: 300,
        test_episodes: 300,
        ..Config::default()
    };
    let go = || {
        let mut run = Run::<f32>::new(&config, seed);
        let mut bits = Vec::new();
        for _ in 0..5 {
            let report = run.advance().expect("finite");
            let metrics = report.metrics;
            let numbers = [metrics.loss, metrics.value_loss, metrics.entropy, metrics.grad_norm, metrics.reward];
            bits.extend(numbers.map(f64::to_bits));
            bits.extend(report.validation.iter().flatten().map(|figures| figures.reward.to_bits()));
        }
        bits.extend(run.test().expect("finite").iter().map(|test| test.sampled.reward.to_bits()));
        let learner = &run.learner;
        let moments = learner.optimizer.moments().map(|(_, moment)| moment);
        let tensors = std::iter::once(learner.params.flat()).chain(moments);
        bits.extend(tensors.flat_map(|tensor| tensor.to_vec()).map(|x| u64::from(x.to_bits())));
        bits
    };
    with_threads(threads, go).expect("threads can be started")
}

#[test]
fn run_one_to_five_threads_give_the_same_bytes() {
    let one = run_to_bits(1, 11);
    for threads in 2..=5 {
        assert_eq!(one, run_to_bits(threads, 11), "{threads} threads");
    }
    assert_ne!(one, run_to_bits(1, 12), "another seed gives another run");
}

#[test]
fn tutorial_run_one_to_five_threads_give_the_same_bytes() {
    let config = TutorialConfig { width: 16, batch: 40, stage_updates: 1, ..TutorialConfig::default() };
    let go = |threads| {
        let all = || {
            let mut run = TutorialRun::<f32>::new(&config, 3);
            while !run.is_finished() {
                run.advance().expect("finite");
            }
            run.params.flat().to_vec().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        with_threads(threads, all).expect("threads can be started")
    };
    let one = go(1);
    assert!((2..=5).all(|threads| go(threads) == one));
}
