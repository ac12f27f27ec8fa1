//! Tests of the calculator's episodes on a GPU, which must equal the host's in all integers and in every bit of the rewards,
//! and of categorical sampling, which must follow the host's rule.
//!
//! Each test reruns itself under an emulator, in three orders of threads and on three grids.

mod planted;

use emulator::planted::Schedule;
use emulator::{Options, is_on_gpu};
use gpu_train::GpuEpisodes;
use rl::distribution::draw;
use rl::env::{Actions, Episodes};
use rl::tasks::calculator_stages::{ActionSet, CalculatorStages, HORIZON, Rewards};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Device, Gpu, Real, Tensor};

use super::{device, emulated};

const SCHEDULES: [Schedule; 3] = [["forward", "64"], ["reverse", "1"], ["random:11", "2"]];

/// Returns the GPU, in a rerun program or on a machine that has one. Otherwise reruns the test under an emulator.
fn gpu_or_rerun(test: &str) -> Option<&'static Gpu> {
    if is_on_gpu() {
        let Device::Cuda(gpu) = device() else { panic!("a GPU is tested: {:?}", device()) };
        return Some(gpu);
    }
    let built = emulated(&options())?;
    for [order, blocks] in SCHEDULES {
        let outcome = built.rerun(test, &[("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks)]);
        assert!(outcome.success, "{outcome}");
    }
    None
}

fn options() -> Options {
    let modules = Some(["map", "calculator", "categorical"].map(String::from).to_vec());
    Options { modules, ..Options::default() }
}

/// Compares episodes of a stage with the host's, until some steps after their end. Two thirds act at random.
fn compare_episodes(gpu: &'static Gpu, task: &CalculatorStages, stage: usize, batch: usize) {
    let first = Stream { purpose: Purpose::OPERANDS, update: 3, episode: u32::MAX - 100 };
    let stream = |b: usize| Stream { episode: first.episode.wrapping_add(b as u32), ..first };
    let mut host = Episodes::new(task, stage, batch);
    let mut rngs: Vec<_> = (0..batch).map(|b| Philox::stream(9, stream(b))).collect();
    let mut running: Vec<usize> = (0..batch).collect();
    host.reset(&running, &mut rngs).expect("no fault");
    let mut gpu_episodes = GpuEpisodes::new(gpu, task).expect("there is room");
    let contexts = gpu_episodes.reset(stage, batch, 9, first).expect("there is room");
    assert_eq!(contexts.len(), host.observations().tokens(0).len() * batch);
    for b in 0..batch {
        let shown: Vec<_> = contexts.iter().skip(b).step_by(batch).copied().collect();
        assert_eq!(shown, host.observations().tokens(b), "stage {stage}, episode {b}");
    }
    let shortest = task.graph(stage).shortest_programs().remove(0);
    let mut random = Philox::stream(10, first);
    let tokens = task.action_set().tokens();
    for at in 0..HORIZON + 2 {
        // Every third episode follows the shortest program, half of them up to its last step.
        let actions: Vec<_> = (0..batch)
            .map(|b| match shortest.get(at) {
                Some(&action) if b % 3 == 0 && (b % 2 == 0 || at + 1 < shortest.len()) => action as u32,
                _ => random.below(tokens.len() as u32),
            })
            .collect();
        let results = gpu_episodes.step(&actions).expect("it works");
        host.step(&running, &Actions::Discrete(actions.clone()), &mut rngs).expect("no fault");
        let want = host.transitions();
        for (b, got) in results.iter().enumerate() {
            let what = format!("stage {stage}, episode {b}, step {at}");
            let reward = if running.contains(&b) { want.rewards[b] } else { 0.0 };
            assert_eq!((got.reward.to_bits(), got.done), (reward.to_bits(), want.is_done(b)), "{what}");
            assert_eq!(got.token, tokens[actions[b] as usize], "{what}");
            assert!(!running.contains(&b) || want.observations.tokens(b) == [got.token], "{what}");
        }
        running.retain(|&b| !want.is_done(b));
    }
    let solved = &host.transitions().solved;
    assert_eq!(gpu_episodes.solved().as_ref(), Ok(solved));
    assert!(batch < 10 || solved.contains(&true) && solved.contains(&false));
}

#[test]
fn episodes_match_the_host() {
    let Some(gpu) = gpu_or_rerun("calculator::episodes_match_the_host") else { return };
    // Rewards whose sums need rounding.
    let odd = Rewards { correct: 0.7, milestone: 0.1, step: -0.03 };
    for task in [CalculatorStages::default(), CalculatorStages::new(ActionSet::Tokens, odd)] {
        for stage in 0..3 {
            for batch in [1, 255, 300] {
                compare_episodes(gpu, &task, stage, batch);
            }
        }
    }
}

#[test]
fn step_invalid_action_is_named() {
    let Some(gpu) = gpu_or_rerun("calculator::step_invalid_action_is_named") else { return };
    let mut gpu_episodes = GpuEpisodes::new(gpu, &CalculatorStages::default()).expect("there is room");
    let first = Stream { purpose: Purpose::OPERANDS, update: 0, episode: 0 };
    gpu_episodes.reset(0, 2, 1, first).expect("there is room");
    let step = std::panic::AssertUnwindSafe(|| gpu_episodes.step(&[2, 6]));
    let payload = std::panic::catch_unwind(step).expect_err("there are six");
    assert_eq!(payload.downcast_ref::<String>().expect("words"), "calculator_step: index 6 is outside [6]");
}

/// Compares with `rl`'s rule, except for numbers so close to a border that the last bit of e^x decides.
fn check_categorical<T: Real>(gpu: &'static Gpu, near: f64) {
    let mut random = Philox::stream(12, Stream { purpose: Purpose::ACTIONS, update: 0, episode: 0 });
    for [rows, actions] in [[300, 6], [257, 18], [5, 33]] {
        let mut log_probs = Vec::new();
        for _ in 0..rows {
            let logits: Vec<f64> = (0..actions).map(|_| 2.0 * random.normal()).collect();
            let mass = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
            log_probs.extend(logits.iter().map(|x| T::from_f64(x - mass)));
        }
        let u: Vec<f64> = (0..rows).map(|_| random.uniform_f64()).collect();
        let device_of_gpu = Device::Cuda(gpu);
        let x = Tensor::new([rows, actions], log_probs.clone()).to(device_of_gpu).expect("there is room");
        let numbers = Tensor::new([rows], u.clone()).to(device_of_gpu).expect("there is room");
        let mut y = Tensor::new([rows], vec![77_u32; rows]).to(device_of_gpu).expect("there is room");
        gpu.categorical(x.view(), numbers.view(), y.view_mut());
        for ((row, &u), got) in log_probs.chunks(actions).zip(&u).zip(y.to_vec()) {
            let want = draw(row, u);
            let border = row[..=want.min(got) as usize].iter().map(|x| x.value().exp()).sum::<f64>();
            assert!(got == want || (u - border).abs() < near, "{got}, not {want}, by {u}");
        }
    }
}

#[test]
fn categorical_matches_the_host() {
    let Some(gpu) = gpu_or_rerun("calculator::categorical_matches_the_host") else { return };
    check_categorical::<f32>(gpu, 1e-5);
    check_categorical::<f64>(gpu, 1e-13);
}
