//! Tests of whole updates on a GPU, real or emulated: compared with the host's, replayed and launched, stopped and resumed, and
//! on a GPU that is too small or fails. The calculator's episodes are also tested alone.
//!
//! Each test reruns itself under an emulator, which a C++ compiler builds; without a compiler it prints a message. On a machine
//! with a GPU, `GRADUS_TEST_GPU=1 cargo test -p gradus-gpu-train --features cuda --test gpu` runs the tests on the GPU, except
//! those that need the emulator's faults.
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
use rl::env::Task;
use rl::tasks::CalculatorStages;
use rl::train::{Learn, Report, Run};
use tensor::{Device, Real};

/// The hidden size of these tests: the smallest that kernels support, because the emulator is slow.
const WIDTH: usize = 32;

/// Reruns the test of this name under an emulator, unless it already runs on a GPU. Returns the outcome, if it was rerun.
#[track_caller]
fn rerun_emulated(test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    rerun_with(&options(WIDTH, 6), test, environment)
}

/// Returns `Some` if this test runs on a GPU. Otherwise reruns the test of this name under an emulator, and returns `None`.
#[track_caller]
fn run_on_gpu(test: &str) -> Option<()> {
    rerun_emulated(test, &[]);
    is_on_gpu().then_some(())
}

/// As [`rerun_emulated`], with these build options, such as those of another network.
#[track_caller]
fn rerun_with(options: &Options, test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    let outcome = emulated(options)?.rerun(test, environment);
    assert!(outcome.success, "{outcome}");
    Some(outcome)
}

/// Builds an emulator, unless this test runs on a GPU. Prints a message if there is no compiler.
fn emulated(options: &Options) -> Option<Built> {
    if is_on_gpu() { None } else { Emulator::build_or_skip(options) }
}

/// The build options for the kernels of an update of this network.
fn options(hidden_size: usize, actions: usize) -> Options {
    Options {
        modules: Some(["map", "token_table", "a2c", "update"].map(String::from).to_vec()),
        variants: Variant::for_network(hidden_size, actions, 18),
        ..Options::default()
    }
}

/// Runs this whole program as on a machine with a GPU: in one process that does not know of an emulator.
#[test]
fn whole_program_runs_as_on_a_gpu() {
    let networks = [(WIDTH, 6), (96, 18), (128, 6), (256, 6)];
    let variants = networks
        .into_iter()
        .flat_map(|(hidden_size, actions)| Variant::for_network(hidden_size, actions, 18))
        .collect();
    let mut all = Options { variants, ..options(WIDTH, 6) };
    all.modules.iter_mut().for_each(|modules| modules.extend(["calculator", "categorical"].map(String::from)));
    let Some(built) = emulated(&all) else { return };
    let mut all = built.command(std::env::current_exe().expect("this program runs"));
    all.env_remove("GRADUS_EMULATOR").env("GRADUS_TEST_GPU", "1");
    let outcome = built.run(all, &[]);
    assert!(outcome.success && outcome.log.len() > 1000, "{outcome}");
}

/// Settings small enough for an emulator: all stages, and a curriculum that advances at every second update.
fn small_config() -> Config {
    Config {
        width: WIDTH,
        batch: 22,
        chunk: 5,
        curriculum: rl::config::Curriculum::Gate,
        unlock: 0.0, // each validation unlocks one stage
        validate_every: 2,
        validation_episodes: 3,
        max_updates: 100,
        entropy_updates: 5,
        epsilon: 1e-3, // so that gradients of rounding errors change nothing
        ..Config::default()
    }
}

fn device() -> Device {
    Device::cuda(0).expect("there is a GPU")
}

/// A run of `calculator-stages` on the GPU.
type GpuRun<T> = Run<T, CalculatorStages, GpuLearner<T>>;

/// Creates a run on the GPU.
fn gpu_run<T: Real>(config: &Config) -> GpuRun<T> {
    GpuLearner::run(config, 7, device()).unwrap_or_else(|refused| panic!("{refused}"))
}

/// Creates the same run on the host.
fn host_run<T: Real>(config: &Config) -> Run<T, CalculatorStages> {
    Run::new(config.calculator_stages(), config, 7)
}

/// Returns parameters and moments.
fn run_state<T: Real, L: Learn<T>>(run: &Run<T, CalculatorStages, L>) -> [Vec<T>; 3] {
    let mut moments = run.learner.host().optimizer.moments().map(|(_, moment)| moment.to_vec());
    [run.learner.host().params.flat().to_vec(), moments.next().expect("m"), moments.next().expect("v")]
}

fn advance<T: Real, K: Task, L: Learn<T>>(run: &mut Run<T, K, L>) -> Report {
    run.advance().unwrap_or_else(|error| panic!("{error}"))
}
