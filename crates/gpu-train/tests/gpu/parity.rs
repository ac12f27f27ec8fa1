//! The same updates on both devices: the same random numbers, so the same episodes; the same gradients but for rounding.

use gpu_train::GpuLearner;
use rl::config::{AdvantageKind, Config, Curriculum, OptimizerKind, ScheduleKind};
use rl::rollout::{self, Choice};
use rl::train::{Report, Run};
use tensor::Real;
use tensor::philox::{Philox, Purpose, Stream};

use super::{advance, again, is_on_gpu, run_on_gpu, small, state, there};

/// How far the two may be apart, by rounding: twenty to fifty times what was seen under the emulator.
pub(super) const IN_F32: f64 = 2e-5;
pub(super) const IN_F64: f64 = 1e-13;

/// Settings that between them use every part of the kernels.
fn settings() -> [Config; 3] {
    let plain = small();
    let steps = Config {
        advantage: AdvantageKind::Steps,
        n_steps: 2,
        normalize_advantages: true,
        optimizer: OptimizerKind::AdamW,
        weight_decay: 0.1,
        rate_schedule: ScheduleKind::Cosine,
        clip: 0.1,
        gamma: 0.9,
        ..small()
    };
    let switching = Config {
        curriculum: Curriculum::Switch,
        lambda: 0.8,
        gamma: 0.95,
        weight_decay: 0.01,
        rate_schedule: ScheduleKind::Linear,
        clip: 1e3,
        batch: 9,
        ..small()
    };
    [plain, steps, switching]
}

#[test]
fn an_update_is_that_of_the_host_in_f64() {
    let orders: &[&str] = &["forward", "random:3"];
    for order in orders {
        again("parity::an_update_is_that_of_the_host_in_f64", &[("GRADUS_EMULATOR_ORDER", order)]);
    }
    if is_on_gpu() {
        settings().iter().for_each(moving::<f64>(IN_F64));
    }
}

#[test]
fn an_update_is_that_of_the_host_in_f32() {
    again(
        "parity::an_update_is_that_of_the_host_in_f32",
        &[("GRADUS_EMULATOR_ORDER", "reverse"), ("GRADUS_EMULATOR_MULTIPROCESSORS", "3")],
    );
    if is_on_gpu() {
        settings().iter().for_each(moving::<f32>(IN_F32));
    }
}

/// Five updates, within which the curriculum moves.
fn moving<T: Real>(bound: f64) -> impl Fn(&Config) {
    move |config| {
        let mut divided = agree::<T>(config, 5, bound);
        divided.dedup();
        assert!(divided.len() > 1, "the curriculum did not move: {divided:?}");
    }
}

/// So many updates on both. How many episodes of each stage they had.
pub(super) fn agree<T: Real>(config: &Config, updates: usize, bound: f64) -> Vec<Vec<usize>> {
    let (mut here, mut there) = (Run::<T>::new(config, 7), there::<T>(config));
    let mut divided = Vec::new();
    for update in 0..updates {
        let counts: Vec<usize> = {
            let before = here.learner.params.clone();
            let (a, b) = (advance(&mut here), advance(&mut there));
            same(&a, &b, bound);
            let counts: Vec<usize> = a.metrics.stages.iter().map(|&(count, _)| count).collect();
            let played = there.learner.inside().played().expect("it works");
            same_actions(&here, &before, update, &counts, &played);
            counts
        };
        divided.push(counts);
        for (name, (a, b)) in ["parameters", "m", "v"].into_iter().zip(state(&here).iter().zip(&state(&there))) {
            close(&format!("{name} after update {update}"), a, b, bound);
        }
        assert_eq!(here.learner.optimizer.steps(), there.learner.host.optimizer.steps());
        assert_eq!((here.steps, here.updates, here.perfect), (there.steps, there.updates, there.perfect));
        assert_eq!(here.progress, there.progress);
    }
    divided
}

/// Plays each stage's episodes of an update on the host, with the parameters from before it.
fn same_actions<T: Real>(
    run: &Run<T>,
    params: &nn::Params<T>,
    update: usize,
    counts: &[usize],
    played: &gpu_train::Played,
) {
    use rl::env::Task;
    let mut first = 0;
    for (stage, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
        let streams = |purpose| -> Vec<Philox> {
            let of = |i| Stream { purpose, update: update as u32, episode: (first + i) as u32 };
            (0..count).map(|i| Philox::stream(run.seed, of(i))).collect()
        };
        let mut env = run.task.env(stage, count);
        env.reset(&mut streams(Purpose::OPERANDS));
        let contexts: Vec<u32> =
            (0..env.context_len()).flat_map(|k| (0..count).map(|i| env.context(i)[k]).collect::<Vec<_>>()).collect();
        let mut actions = streams(Purpose::ACTIONS);
        let (mut tape, choice) = (autograd::Tape::evaluating(), Choice::Sampled(&mut actions));
        let host =
            rollout::play(&run.learner.policy, params, &mut tape, &mut *env, contexts.clone(), choice).expect("finite");
        for i in 0..count {
            let b = first + i;
            let at = |s: usize| s * played.episodes + b;
            let (begin, end) = (played.begin[b] as usize, played.end[b] as usize);
            let program: Vec<u32> = (begin..end).map(|s| played.actions[at(s)]).collect();
            assert_eq!(program, host.program(i), "update {update}, stage {stage}, episode {i}");
            let shown: Vec<u32> = (0..=begin).map(|s| played.tokens[at(s)]).collect();
            let context: Vec<u32> = (0..env.context_len()).map(|k| contexts[k * count + i]).collect();
            assert_eq!((shown, played.solved[b]), (context, host.solved[i]), "update {update}, stage {stage}");
            let rewards: Vec<f64> = (begin..end).map(|s| played.rewards[at(s)]).collect();
            let expected: Vec<f64> = (0..program.len()).map(|t| host.rewards[t * count + i]).collect();
            assert_eq!(rewards, expected, "update {update}, stage {stage}, episode {i}");
        }
        first += count;
    }
}

fn same(a: &Report, b: &Report, bound: f64) {
    let numbers = |report: &Report| {
        let m = &report.metrics;
        [m.loss, m.policy_loss, m.value_loss, m.entropy, m.grad_norm, m.reward, report.rate, report.entropy_coefficient]
    };
    close("metrics", &numbers(a), &numbers(b), bound);
    assert_eq!((a.update, a.unlocked, a.metrics.steps), (b.update, b.unlocked, b.metrics.steps));
    assert_eq!(a.metrics.stages, b.metrics.stages);
    assert_eq!(a.validation, b.validation, "validation after update {}", a.update);
}

/// By how much they differ, as parts of the largest.
#[track_caller]
pub(super) fn close<T: Real>(what: &str, a: &[T], b: &[T], bound: f64) {
    assert_eq!(a.len(), b.len(), "{what}");
    let largest = |numbers: &mut dyn Iterator<Item = T>| numbers.fold(0.0, |max: f64, x| max.max(x.value().abs()));
    let worst = largest(&mut a.iter().zip(b).map(|(&a, &b)| a - b)) / largest(&mut a.iter().copied());
    let finite = a.iter().chain(b).all(|x| x.is_finite());
    assert!(finite && worst <= bound, "{what}: {worst:.1e} apart, where {bound:.0e} is allowed");
    println!("{what}: {worst:.1e} apart");
}

/// The moment of the first update is the clipped gradient, but for a factor; of a small rate nothing else is visible.
#[test]
fn gradients_are_those_of_the_host() {
    let Some(()) = run_on_gpu("parity::gradients_are_those_of_the_host") else { return };
    same_gradients(&small());
}

/// More episodes than a block judges at a time, and than the sum of gradients has parts: the last of both are smaller.
#[test]
fn large_batches_are_summed_in_parts() {
    let Some(()) = run_on_gpu("parity::large_batches_are_summed_in_parts") else { return };
    let all_stages = Config { curriculum: Curriculum::Mix, normalize_advantages: true, ..small() };
    same_gradients(&Config { batch: 259, chunk: 48, ..all_stages });
}

fn same_gradients(config: &Config) {
    let config = Config { clip: 0.5, beta1: 0.0, ..config.clone() };
    let (mut here, mut there) =
        (Run::<f64>::new(&config, 3), GpuLearner::<f64>::run(&config, 3, super::device()).expect("a GPU"));
    advance(&mut here);
    advance(&mut there);
    let gradients = there.learner.inside().gradients().expect("it works");
    let [_, m, _] = state(&here);
    let largest = m.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    let worst = m.iter().zip(&gradients).fold(0.0_f64, |max, (a, b)| max.max((a - b).abs()));
    assert!(largest > 1e-3 && worst <= 1e-13 * largest.max(1.0), "{worst:e} apart, of {largest:e}");
}
