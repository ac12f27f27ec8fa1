//! Tests of determinism: the same seed gives the same bytes with any number of threads.

use rl::config::{Config, MemoryKind};
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::train::Run;
use tensor::par::with_threads;
use tensor::philox::Philox;
use tutorial::run::{TutorialConfig, TutorialRun};

fn config() -> Config {
    Config {
        width: 24,
        batch: 50,
        chunk: 7,
        validate_every: 2,
        validation_episodes: 300,
        test_episodes: 300,
        ..Config::default()
    }
}

/// Runs some updates with validations. Returns the bits of all parameters, moments, statistics and metrics.
fn run_to_bits(task: &dyn Task, config: &Config, threads: usize, seed: u64) -> Vec<u64> {
    let go = || {
        let mut run = Run::<f32, _>::new(task, config, seed);
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
        for moments in [&learner.statistics.observations, &learner.statistics.returns] {
            bits.extend(moments.mean.iter().chain(&moments.squares).map(|x| x.to_bits()));
        }
        let moments = learner.optimizer.moments().map(|(_, moment)| moment);
        let tensors = std::iter::once(learner.params.flat()).chain(moments);
        bits.extend(tensors.flat_map(|tensor| tensor.to_vec()).map(|x| u64::from(x.to_bits())));
        bits
    };
    with_threads(threads, go).expect("threads can be started")
}

#[track_caller]
fn assert_same_on_one_to_five_threads(task: &dyn Task, config: &Config) -> Vec<u64> {
    let one = run_to_bits(task, config, 1, 11);
    for threads in 2..=5 {
        assert_eq!(one, run_to_bits(task, config, threads, 11), "{threads} threads");
    }
    assert_ne!(one, run_to_bits(task, config, 1, 12), "another seed gives another run");
    one
}

/// Moves a point on a line to 0 by numbers. Episodes end at different times: near 0, or at the horizon.
struct Point;

impl Task for Point {
    fn spec(&self) -> Spec {
        Spec::new("point", Space::vector(2), ActionSpace::continuous(1), 9)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || PointEnv { position: 0.0, speed: 0.0 })
    }
}

struct PointEnv {
    position: f64,
    speed: f64,
}

impl SingleEnv for PointEnv {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self { position: 8.0 * rng.uniform_f64() - 4.0, speed: 0.0 };
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.vector(&[self.position, self.speed]);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Philox) -> Step {
        self.speed = action.continuous()[0].clamp(-2.0, 2.0) + 0.1 * rng.normal();
        self.position += self.speed;
        let reward = -self.position.abs();
        if self.position.abs() < 0.5 { Step::terminated(reward) } else { Step::reward(reward) }
    }
}

#[test]
fn run_one_to_five_threads_give_the_same_bytes() {
    assert_same_on_one_to_five_threads(&config().calculator_stages(), &config());
}

#[test]
fn run_of_segments_one_to_five_threads_give_the_same_bytes() {
    assert_same_on_one_to_five_threads(&config().calculator_stages(), &Config { segment: 4, ..config() });
}

#[test]
fn run_of_vectors_without_memory_one_to_five_threads_give_the_same_bytes() {
    let config = Config { memory: MemoryKind::None, encoder_layers: 2, ..config() };
    assert_same_on_one_to_five_threads(&Point, &config);
}

#[test]
fn run_with_normalization_one_to_five_threads_give_the_same_bytes() {
    let normalized = Config { normalize_observations: true, normalize_rewards: true, segment: 4, ..config() };
    let bits = assert_same_on_one_to_five_threads(&Point, &normalized);
    for other in [
        Config { normalize_observations: false, ..normalized.clone() },
        Config { normalize_rewards: false, ..normalized.clone() },
    ] {
        assert_ne!(bits, run_to_bits(&Point, &other, 1, 11), "each normalisation changes the run");
    }
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
