//! The same updates on both devices. The same random numbers give the same episodes, and the same gradients up to
//! rounding.

use gpu_train::GpuLearner;
use rl::config::{AdvantageKind, Config, Curriculum, OptimizerKind, ScheduleKind};
use rl::env::Episodes;
use rl::rollout::{self, Options, Streams};
use rl::tasks::CalculatorStages;
use rl::train::{Report, Run};
use tensor::Real;
use tensor::philox::{Philox, Purpose, Stream};

use super::{advance, gpu_run, host_run, is_on_gpu, rerun_emulated, run_on_gpu, run_state, small_config};

/// The allowed relative difference, from rounding: twenty to fifty times the difference seen under the emulator.
pub(super) const IN_F32: f64 = 2e-5;
pub(super) const IN_F64: f64 = 1e-13;

/// Settings that together use every part of the kernels.
fn settings() -> [Config; 3] {
    let plain = small_config();
    let steps = Config {
        advantage: AdvantageKind::NStep,
        n_steps: 2,
        normalize_advantages: true,
        optimizer: OptimizerKind::AdamW,
        weight_decay: 0.1,
        rate_schedule: ScheduleKind::Cosine,
        clip: 0.1,
        gamma: 0.9,
        ..small_config()
    };
    let switching = Config {
        curriculum: Curriculum::Switch,
        lambda: 0.8,
        gamma: 0.95,
        weight_decay: 0.01,
        rate_schedule: ScheduleKind::Linear,
        clip: 1e3,
        batch: 9,
        ..small_config()
    };
    [plain, steps, switching]
}

#[test]
fn update_f64_matches_the_host() {
    let orders: &[&str] = &["forward", "random:3"];
    for order in orders {
        rerun_emulated("parity::update_f64_matches_the_host", &[("GRADUS_EMULATOR_ORDER", order)]);
    }
    if is_on_gpu() {
        settings().iter().for_each(check_moving_curriculum::<f64>(IN_F64));
    }
}

#[test]
fn update_f32_matches_the_host() {
    rerun_emulated(
        "parity::update_f32_matches_the_host",
        &[("GRADUS_EMULATOR_ORDER", "reverse"), ("GRADUS_EMULATOR_MULTIPROCESSORS", "3")],
    );
    if is_on_gpu() {
        settings().iter().for_each(check_moving_curriculum::<f32>(IN_F32));
    }
}

/// Runs five updates, during which the curriculum advances.
fn check_moving_curriculum<T: Real>(bound: f64) -> impl Fn(&Config) {
    move |config| {
        let mut divided = compare_updates::<T>(config, 5, bound);
        divided.dedup();
        assert!(divided.len() > 1, "the curriculum did not move: {divided:?}");
    }
}

/// Runs updates on both devices and compares them. Returns the number of episodes of each stage in each update.
pub(super) fn compare_updates<T: Real>(config: &Config, updates: usize, bound: f64) -> Vec<Vec<usize>> {
    let (mut on_host, mut on_gpu) = (host_run::<T>(config), gpu_run::<T>(config));
    let mut divided = Vec::new();
    for update in 0..updates {
        let counts: Vec<usize> = {
            let before = on_host.learner.params.clone();
            let (a, b) = (advance(&mut on_host), advance(&mut on_gpu));
            assert_same_reports(&a, &b, bound);
            let counts: Vec<usize> = a.metrics.stages.iter().map(|&(count, _)| count).collect();
            let played = on_gpu.learner.update_mut().read_episodes().expect("it works");
            assert_same_actions(&on_host, &before, update, &counts, &played);
            counts
        };
        divided.push(counts);
        for (name, (a, b)) in
            ["parameters", "m", "v"].into_iter().zip(run_state(&on_host).iter().zip(&run_state(&on_gpu)))
        {
            assert_close(&format!("{name} after update {update}"), a, b, bound);
        }
        assert_eq!(on_host.learner.optimizer.steps(), on_gpu.learner.host.optimizer.steps());
        assert_eq!((on_host.steps, on_host.updates, on_host.perfect), (on_gpu.steps, on_gpu.updates, on_gpu.perfect));
        assert_eq!(on_host.progress, on_gpu.progress);
    }
    divided
}

/// Plays each stage's episodes of an update on the host with the earlier parameters, and compares actions and rewards.
fn assert_same_actions<T: Real>(
    run: &Run<T, CalculatorStages>,
    params: &nn::Params<T>,
    update: usize,
    counts: &[usize],
    played: &gpu_train::EpisodeRecord,
) {
    let mut first = 0;
    for (stage, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
        let streams = |purpose| -> Vec<Philox> {
            let stream = |i| Stream { purpose, update: update as u32, episode: (first + i) as u32 };
            (0..count).map(|i| Philox::stream(run.seed, stream(i))).collect()
        };
        let mut streams = Streams { env: streams(Purpose::OPERANDS), actions: Some(streams(Purpose::ACTIONS)) };
        let (mut tape, mut episodes) = (autograd::Tape::no_grad(), Episodes::new(&run.task, stage, count));
        let network = (&run.learner.model, params);
        let options = Options::SAMPLED;
        let host = rollout::play(network, &mut tape, &mut episodes, &mut streams, options, None, |_| ());
        let host = host.expect("finite");
        for i in 0..count {
            let b = first + i;
            let at = |s: usize| s * played.episodes + b;
            let (begin, end) = (played.begin[b] as usize, played.end[b] as usize);
            let program: Vec<u32> = (begin..end).map(|s| played.actions[at(s)]).collect();
            assert_eq!(program, host.program(i), "update {update}, stage {stage}, episode {i}");
            let shown: Vec<u32> = (0..=begin).map(|s| played.tokens[at(s)]).collect();
            assert_eq!((shown, played.solved[b]), (host.context(i), host.solved[i]), "update {update}, stage {stage}");
            let rewards: Vec<f64> = (begin..end).map(|s| played.rewards[at(s)]).collect();
            let expected: Vec<f64> = (0..program.len()).map(|t| host.rewards[t * count + i]).collect();
            assert_eq!(rewards, expected, "update {update}, stage {stage}, episode {i}");
        }
        first += count;
    }
}

fn assert_same_reports(a: &Report, b: &Report, bound: f64) {
    let numbers = |report: &Report| {
        let m = &report.metrics;
        [m.loss, m.policy_loss, m.value_loss, m.entropy, m.grad_norm, m.reward, report.rate, report.entropy_coefficient]
    };
    assert_close("metrics", &numbers(a), &numbers(b), bound);
    assert_eq!((a.update, a.unlocked, a.metrics.steps), (b.update, b.unlocked, b.metrics.steps));
    assert_eq!(a.metrics.stages, b.metrics.stages);
    assert_eq!(a.validation, b.validation, "validation after update {}", a.update);
}

/// Asserts that the largest difference, relative to the largest number, is within the bound.
#[track_caller]
pub(super) fn assert_close<T: Real>(what: &str, a: &[T], b: &[T], bound: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    let largest = |numbers: &mut dyn Iterator<Item = T>| numbers.fold(0.0, |max: f64, x| max.max(x.value().abs()));
    let worst = largest(&mut a.iter().zip(b).map(|(&a, &b)| a - b)) / largest(&mut a.iter().copied());
    let finite = a.iter().chain(b).all(|x| x.is_finite());
    assert!(finite && worst <= bound, "{what}: {worst:.1e} apart, where {bound:.0e} is allowed");
    println!("{what}: {worst:.1e} apart");
}

/// With β₁ = 0 the first moment is the clipped gradient. At a small learning rate, no other number shows it.
#[test]
fn gradients_match_the_host() {
    let Some(()) = run_on_gpu("parity::gradients_match_the_host") else { return };
    assert_same_gradients(&small_config());
}

/// Uses more episodes than one block handles at a time, and several per chunk. The last block and the last chunk are smaller.
#[test]
fn gradients_of_large_batches_match_the_host() {
    let Some(()) = run_on_gpu("parity::gradients_of_large_batches_match_the_host") else { return };
    let all_stages = Config { curriculum: Curriculum::Mix, normalize_advantages: true, ..small_config() };
    assert_same_gradients(&Config { batch: 259, chunk: 48, ..all_stages });
}

fn assert_same_gradients(config: &Config) {
    let config = Config { clip: 0.5, beta1: 0.0, ..config.clone() };
    let (mut on_host, mut on_gpu) = (
        Run::<f64, _>::new(config.calculator_stages(), &config, 3),
        GpuLearner::<f64>::run(&config, 3, super::device()).expect("a GPU"),
    );
    advance(&mut on_host);
    advance(&mut on_gpu);
    let gradients = on_gpu.learner.update_mut().read_gradients().expect("it works");
    let [_, m, _] = run_state(&on_host);
    let largest = m.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    let worst = m.iter().zip(&gradients).fold(0.0_f64, |max, (a, b)| max.max((a - b).abs()));
    assert!(largest > 1e-3 && worst <= 1e-13 * largest.max(1.0), "{worst:e} apart, of {largest:e}");
}
