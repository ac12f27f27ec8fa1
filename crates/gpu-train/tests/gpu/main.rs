//! Whole updates on a GPU, emulated where there is none: against the host's, replayed against launched, stopped and resumed, and on
//! a GPU that is too small or fails; and the calculator's episodes alone.
//!
//! Each test starts itself again under an emulator, which a C++ compiler makes; where there is none, it says so. On a machine with
//! a GPU, `GRADUS_TEST_GPU=1 cargo test -p gpu-train --features cuda --test gpu` runs them there, but for those that need the
//! emulator's faults.
#![forbid(unsafe_code)]

mod calculator;
mod failures;
mod graph;
mod masked;
mod parity;
mod planted;
mod resume;
mod sanitized;
mod sizes;

use emulator::{Built, Emulator, Options, Outcome, Variant, is_on_gpu};
use gpu_train::GpuLearner;
use rl::config::Config;
use rl::train::{Learn, Report, Run};
use tensor::{Device, Real};

/// The hidden units of these tests: the fewest that kernels are compiled for, as the emulator is slow.
const WIDTH: usize = 32;

/// Runs the test of this name again under an emulator, unless it runs on a GPU already. What it did there, if it was run.
#[track_caller]
fn again(test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    under(&options(WIDTH, 6), test, environment)
}

/// Returns `Some` if this test runs on a GPU. Otherwise runs the test of this name again under an emulator, and returns `None`.
#[track_caller]
fn run_on_gpu(test: &str) -> Option<()> {
    again(test, &[]);
    is_on_gpu().then_some(())
}

/// Runs the test with kernels of another network.
#[track_caller]
fn under(options: &Options, test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    let outcome = emulated(options)?.rerun(test, environment);
    assert!(outcome.success, "{outcome}");
    Some(outcome)
}

/// An emulator, unless a GPU is at hand; without a compiler, it is said.
fn emulated(options: &Options) -> Option<Built> {
    if is_on_gpu() { None } else { Emulator::at_hand(options) }
}

/// The kernels of an update of this network.
fn options(hidden: usize, actions: usize) -> Options {
    Options {
        modules: Some(["map", "token_table", "a2c", "update"].map(String::from).to_vec()),
        variants: Variant::of_network(hidden, actions, 18),
        ..Options::default()
    }
}

/// As on a machine with a GPU: all of this program on one, in one process that does not know of an emulator.
#[test]
fn all_of_this_runs_on_a_gpu() {
    let networks = [(WIDTH, 6), (96, 18), (128, 6), (256, 6)];
    let variants =
        networks.into_iter().flat_map(|(hidden, actions)| Variant::of_network(hidden, actions, 18)).collect();
    let mut all = Options { variants, ..options(WIDTH, 6) };
    all.modules.iter_mut().for_each(|modules| modules.extend(["calculator", "categorical"].map(String::from)));
    let Some(built) = emulated(&all) else { return };
    let mut all = built.command(std::env::current_exe().expect("this program runs"));
    all.env_remove("GRADUS_EMULATOR").env("GRADUS_TEST_GPU", "1");
    let outcome = built.run(all, &[]);
    assert!(outcome.success && outcome.log.len() > 1000, "{outcome}");
}

/// A run that an emulator can bear: all stages, and a curriculum that moves at every second update.
fn small() -> Config {
    Config {
        width: WIDTH,
        batch: 22,
        chunk: 5,
        curriculum: rl::config::Curriculum::Gate,
        unlock: 0.0, // at each validation, one more
        validate_every: 2,
        validation_episodes: 3,
        max_updates: 100,
        entropy_updates: 5,
        epsilon: 1e-3, // so that gradients that are nothing but rounding move nothing
        ..Config::default()
    }
}

fn device() -> Device {
    Device::cuda(0).expect("there is a GPU")
}

/// A run on the GPU.
fn there<T: Real>(config: &Config) -> Run<T, GpuLearner<T>> {
    GpuLearner::run(config, 7, device()).unwrap_or_else(|refused| panic!("{refused}"))
}

/// Parameters and moments.
fn state<T: Real, L: Learn<T>>(run: &Run<T, L>) -> [Vec<T>; 3] {
    let mut moments = run.learner.host().optimizer.moments().map(|(_, moment)| moment.to_vec());
    [run.learner.host().params.flat().to_vec(), moments.next().expect("m"), moments.next().expect("v")]
}

fn advance<T: Real, L: Learn<T>>(run: &mut Run<T, L>) -> Report {
    run.advance().unwrap_or_else(|error| panic!("{error}"))
}
