//! Settings that a GPU does not support, and a GPU that fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gpu_train::{GpuLearner, GpuTrainError};
use rl::config::{Config, GruVariant, MemoryKind, OptimizerKind};
use rl::rollout::Undecided;
use rl::tasks::CalculatorStages;
use rl::{Cause, NotFinite, TrainError};
use tensor::{CudaError, catch_cuda_error};

use super::{advance, device, gpu_run, host_run, rerun_emulated, run_on_gpu, run_state, small_config};

/// A change of the settings.
type Change = fn(&mut Config);

fn refusal(config: &Config) -> GpuTrainError {
    match GpuLearner::<f64>::run(config, 7, device()) {
        Ok(_) => panic!("it was taken: {config:?}"),
        Err(refused) => refused,
    }
}

#[test]
fn unsupported_settings_are_named() {
    let Some(()) = run_on_gpu("failures::unsupported_settings_are_named") else { return };
    let changes: [(&str, Change); 10] = [
        ("width = 40 is supported on the CPU only: a GPU takes multiples of 32, up to 128; ", |c| c.width = 40),
        ("width = 256 is supported on the CPU only: a GPU takes multiples of 32, up to 128; ", |c| c.width = 256),
        ("gru = reset-before is supported on the CPU only: a GPU takes reset-after; ", |c| {
            c.gru = GruVariant::ResetBefore
        }),
        ("optimizer = sgd is supported on the CPU only: a GPU takes adam or adamw; ", |c| {
            c.optimizer = OptimizerKind::Sgd
        }),
        ("optimizer = rmsprop is supported on the CPU only", |c| c.optimizer = OptimizerKind::RmsProp),
        ("memory = none is supported on the CPU only: a GPU takes gru; ", |c| c.memory = MemoryKind::None),
        ("segment = 8 is supported on the CPU only: a GPU takes 0; ", |c| c.segment = 8),
        ("normalize_observations = true is supported on the CPU only: a GPU takes false; ", |c| {
            c.normalize_observations = true
        }),
        ("normalize_rewards = true is supported on the CPU only: a GPU takes false; ", |c| c.normalize_rewards = true),
        ("imitate = 3 is supported on the CPU only: a GPU takes 0; change it, or compute on the CPU", |c| {
            c.imitate = 3
        }),
    ];
    for (words, change) in changes {
        let mut config = small_config();
        change(&mut config);
        let refused = refusal(&config).to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
}

/// `run` takes the task by its type only. A GPU is never asked to train another one.
#[test]
fn run_calculator_trains_by_its_type_and_is_refused_without() {
    let Some(()) = run_on_gpu("failures::run_calculator_trains_by_its_type_and_is_refused_without") else { return };
    let (config, task) = (small_config(), CalculatorStages::default());
    let mut run = gpu_train::run::<f32, _>(&task, Some(&task), &config, 7, device()).expect("a GPU trains it");
    assert_eq!(advance(&mut run).metrics, advance(&mut gpu_run::<f32>(&config)).metrics);
    let refused = gpu_train::run::<f32, _>(&task, None, &config, 7, device()).map(drop).expect_err("another type");
    assert_eq!(refused, GpuTrainError::Task { name: "calculator-stages".into() });
}

/// On a small GPU, the error comes before any allocation. It names the largest batch that fits, and that batch does fit.
#[test]
fn batch_too_large_names_the_largest_that_fits() {
    const NAME: &str = "failures::batch_too_large_names_the_largest_that_fits";
    if let Some(outcome) = rerun_emulated(NAME, &[("GRADUS_EMULATOR_MEMORY", "8000000")]) {
        let taken = outcome.log.iter().find(|line| line.starts_with("alloc")).expect("the batch that fits allocates");
        assert!(!outcome.log.iter().any(|line| line.starts_with("alloc failed")), "{taken}");
    }
    if !emulator::is_emulated() {
        return;
    }
    let with_batch = |batch| Config { batch, ..small_config() };
    let error = refusal(&with_batch(100_000));
    let GpuTrainError::Gpu(CudaError::OutOfMemory { asked, free, fits: Some(fits), .. }) = &error else {
        panic!("{error}")
    };
    assert!(asked > free, "{error}");
    let fitting: usize = fits.strip_suffix(" episodes in a batch").expect("it says so").parse().expect("a number");
    assert!(error.to_string().contains(&format!("at most {fits} would fit")), "{error}");
    assert!(matches!(refusal(&with_batch(fitting + 1)), GpuTrainError::Gpu(CudaError::OutOfMemory { .. })));
    let run = GpuLearner::<f64>::run(&with_batch(fitting), 7, device());
    assert!(run.is_ok() && fitting > 100, "{fits}");
    drop(run);
    // If even the validation does not fit, no batch does.
    let error = refusal(&Config { validation_episodes: 1 << 20, ..small_config() });
    assert!(matches!(error, GpuTrainError::Gpu(CudaError::OutOfMemory { fits: None, .. })), "{error}");
}

/// The GPU is lost in the third update, at its fifth kernel: after two updates of eleven kernels each, and a validation of two.
#[test]
fn lost_gpu_names_the_update() {
    rerun_emulated("failures::lost_gpu_names_the_update", &[("GRADUS_EMULATOR_FAIL_LAUNCH", "29")]);
    if !emulator::is_emulated() {
        return;
    }
    let mut run = gpu_run::<f32>(&small_config());
    (0..2).for_each(|_| drop(advance(&mut run)));
    let before = (run_state(&run), run.state());
    for _ in 0..2 {
        let error = catch_cuda_error(|| run.advance_up_to(2)).expect_err("the GPU is lost");
        let words = error.to_string();
        assert!(matches!(error, CudaError::Failed { .. }), "{words}");
        assert!(words.contains("in update 3: ") || words.contains("the GPU failed: "), "{words}");
        assert!(before == (run_state(&run), run.state()), "the host's state is unchanged");
        println!("{words}");
    }
}

/// With separate launches, the error names the kernel too.
#[test]
fn lost_gpu_at_a_launch_names_the_kernel() {
    rerun_emulated("failures::lost_gpu_at_a_launch_names_the_kernel", &[("GRADUS_EMULATOR_FAIL_LAUNCH", "29")]);
    if !emulator::is_emulated() {
        return;
    }
    let mut run = gpu_run::<f32>(&small_config());
    run.learner.update_mut().set_graph_replay(false);
    (0..2).for_each(|_| drop(advance(&mut run)));
    let words = catch_cuda_error(|| run.advance()).expect_err("the GPU is lost").to_string();
    assert!(words.starts_with("the GPU failed: running the kernel bptt_states, in update 3: "), "{words}");
}

#[test]
fn not_finite_update_is_reported_as_on_the_host() {
    let Some(()) = run_on_gpu("failures::not_finite_update_is_reported_as_on_the_host") else { return };
    let config = Config { value_coefficient: 3e38, ..small_config() }; // f32 represents it, but the norm of the gradient overflows
    let mut run = gpu_run::<f32>(&config);
    let before = run_state(&run);
    let expected = host_run::<f32>(&config).advance().expect_err("it overflows");
    assert!(matches!(expected, TrainError::NotFinite(_)), "{expected}");
    for _ in 0..2 {
        let error = run.advance().expect_err("it overflows");
        let on_gpu = run.learner.update_mut().read_state().expect("it works");
        assert!(on_gpu == before, "the state on the GPU changed");
        assert_eq!(error, expected);
        assert_eq!((run_state(&run), run.updates), (before.clone(), 0));
    }
}

fn not_finite(error: TrainError) -> NotFinite {
    let TrainError::NotFinite(error) = error else { panic!("{error}") };
    error
}

/// One step makes the parameters so large that the states are NaN. The update itself is finite.
#[test]
fn undecided_validation_is_reported_as_on_the_host() {
    let Some(()) = run_on_gpu("failures::undecided_validation_is_reported_as_on_the_host") else { return };
    let config = Config { rate: 3e38, beta1: 0.0, epsilon: 1e-8, validate_every: 1, ..small_config() };
    let [on_host, on_gpu] = [host_run::<f32>(&config).advance(), gpu_run::<f32>(&config).advance()]
        .map(|done| not_finite(done.expect_err("no action can be chosen")));
    let decision = Undecided { stage: 0, episode: 0, step: 0, action: 0 };
    assert_eq!((on_host.update, on_host.cause), (1, Cause::Decision(decision)), "{on_host}");
    assert_eq!((on_gpu.update, on_gpu.cause), (on_host.update, on_host.cause), "{on_gpu}");
}

/// The kernels count in 32 bits; larger numbers would wrap to 0.
#[test]
fn counts_beyond_32_bits_are_refused() {
    let Some(()) = run_on_gpu("failures::counts_beyond_32_bits_are_refused") else { return };
    let mut run = gpu_run::<f32>(&small_config());
    let before = run_state(&run);
    let mut refused = |steps: u64, updates: usize| {
        let moments = run.learner.host.optimizer.moments().map(|(_, moment)| moment.clone()).collect();
        run.learner.host.optimizer.restore(steps, moments);
        run.updates = updates;
        let payload = catch_unwind(AssertUnwindSafe(|| run.advance())).expect_err("it is refused");
        *payload.downcast::<String>().expect("words")
    };
    let most = u32::MAX as usize;
    assert_eq!(refused(most as u64, 0), "steps of the optimiser: 4294967296, and a GPU counts up to 4294967295");
    assert_eq!(refused(0, most), "update: 4294967296, and a GPU counts up to 4294967295");
    assert_eq!(run_state(&run), before);
    let mut on_gpu = gpu_run::<f32>(&small_config()).learner;
    let many = catch_unwind(AssertUnwindSafe(|| on_gpu.update(0, &[22, 0, 0], 1 << 32).is_ok()));
    let words = *many.expect_err("it is refused").downcast::<String>().expect("words");
    assert_eq!(words, "updates at once: 4294967296, and a GPU counts up to 4294967295");
}
