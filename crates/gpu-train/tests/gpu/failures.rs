//! What a GPU does not take, and a GPU that fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gpu_train::{GpuLearner, Refused};
use rl::config::{Config, GruVariant, OptimizerKind};
use rl::rollout::Undecided;
use rl::train::Run;
use rl::{Cause, NotFinite};
use tensor::{CudaError, catch_cuda};

use super::{advance, again, device, run_on_gpu, small, state, there};

/// What makes settings into others.
type Change = fn(&mut Config);

fn refused(config: &Config) -> Refused {
    match GpuLearner::<f64>::run(config, 7, device()) {
        Ok(_) => panic!("it was taken: {config:?}"),
        Err(refused) => refused,
    }
}

#[test]
fn settings_for_the_host_alone_are_named() {
    let Some(()) = run_on_gpu("failures::settings_for_the_host_alone_are_named") else { return };
    let changes: [(&str, Change); 6] = [
        ("width = 40 is for the CPU alone: a GPU takes multiples of 32, up to 128; ", |c| c.width = 40),
        ("width = 256 is for the CPU alone: a GPU takes multiples of 32, up to 128; ", |c| c.width = 256),
        ("gru = reset-before is for the CPU alone: a GPU takes reset-after; ", |c| c.gru = GruVariant::ResetBefore),
        ("optimizer = sgd is for the CPU alone: a GPU takes adam or adamw; ", |c| c.optimizer = OptimizerKind::Sgd),
        ("optimizer = rmsprop is for the CPU alone", |c| c.optimizer = OptimizerKind::RmsProp),
        ("imitate = 3 is for the CPU alone: a GPU takes 0; change it, or compute on the CPU", |c| c.imitate = 3),
    ];
    for (words, change) in changes {
        let mut config = small();
        change(&mut config);
        let refused = refused(&config).to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
}

/// The GPU has little memory: the batch that would fit is named before any is taken, and it does fit.
#[test]
fn a_batch_that_does_not_fit() {
    const NAME: &str = "failures::a_batch_that_does_not_fit";
    if let Some(outcome) = again(NAME, &[("GRADUS_EMULATOR_MEMORY", "8000000")]) {
        let taken = outcome.log.iter().find(|line| line.starts_with("alloc")).expect("what fits is taken");
        assert!(!outcome.log.iter().any(|line| line.starts_with("alloc failed")), "{taken}");
    }
    if !emulator::inside() {
        return;
    }
    let of = |batch| Config { batch, ..small() };
    let error = refused(&of(100_000));
    let Refused::Gpu(CudaError::Memory { asked, free, fits: Some(fits), .. }) = &error else { panic!("{error}") };
    assert!(asked > free, "{error}");
    let fitting: usize = fits.strip_suffix(" episodes in a batch").expect("it says so").parse().expect("a number");
    assert!(error.to_string().contains(&format!("at most {fits} would fit")), "{error}");
    assert!(matches!(refused(&of(fitting + 1)), Refused::Gpu(CudaError::Memory { .. })));
    let run = GpuLearner::<f64>::run(&of(fitting), 7, device());
    assert!(run.is_ok() && fitting > 100, "{fits}");
    drop(run);
    // Where even the validation does not fit, no batch does.
    let error = refused(&Config { validation_episodes: 1 << 20, ..small() });
    assert!(matches!(error, Refused::Gpu(CudaError::Memory { fits: None, .. })), "{error}");
}

/// The GPU is lost in the third update, at its fifth kernel: after two updates of eleven kernels each, and a validation of two.
#[test]
fn a_gpu_that_disappears() {
    again("failures::a_gpu_that_disappears", &[("GRADUS_EMULATOR_FAIL_LAUNCH", "29")]);
    if !emulator::inside() {
        return;
    }
    let mut run = there::<f32>(&small());
    (0..2).for_each(|_| drop(advance(&mut run)));
    let before = (state(&run), run.state());
    for _ in 0..2 {
        let error = catch_cuda(|| run.advance_by(2)).expect_err("the GPU is lost");
        let words = error.to_string();
        assert!(matches!(error, CudaError::Failed { .. }), "{words}");
        assert!(words.contains("in update 3: ") || words.contains("the GPU failed: "), "{words}");
        assert!(before == (state(&run), run.state()), "what is on the host is as it was");
        println!("{words}");
    }
}

/// The same where each kernel is launched: the kernel is named too.
#[test]
fn a_gpu_that_disappears_at_a_launch() {
    again("failures::a_gpu_that_disappears_at_a_launch", &[("GRADUS_EMULATOR_FAIL_LAUNCH", "29")]);
    if !emulator::inside() {
        return;
    }
    let mut run = there::<f32>(&small());
    run.learner.inside().replay(false);
    (0..2).for_each(|_| drop(advance(&mut run)));
    let words = catch_cuda(|| run.advance()).expect_err("the GPU is lost").to_string();
    assert!(words.starts_with("the GPU failed: running the kernel bptt_states, in update 3: "), "{words}");
}

#[test]
fn what_is_not_finite_is_told_as_on_the_host() {
    let Some(()) = run_on_gpu("failures::what_is_not_finite_is_told_as_on_the_host") else { return };
    let config = Config { value_coefficient: 3e38, ..small() }; // f32 holds it, but not the norm of the gradient
    let mut run = there::<f32>(&config);
    let before = state(&run);
    let expected: NotFinite = Run::<f32>::new(&config, 7).advance().expect_err("it overflows");
    for _ in 0..2 {
        let error = run.advance().expect_err("it overflows");
        let there = run.learner.inside().state().expect("it works");
        assert!(there == before, "what is on the GPU moved");
        assert_eq!(error, expected);
        assert_eq!((state(&run), run.updates), (before.clone(), 0));
    }
}

/// One step takes the parameters so far that the states are NaN. The update itself is finite.
#[test]
fn validation_that_cannot_be_decided_is_told_as_on_the_host() {
    let Some(()) = run_on_gpu("failures::validation_that_cannot_be_decided_is_told_as_on_the_host") else { return };
    let config = Config { rate: 3e38, beta1: 0.0, epsilon: 1e-8, validate_every: 1, ..small() };
    let here = Run::<f32>::new(&config, 7).advance().map(drop).expect_err("no action can be chosen");
    let there = there::<f32>(&config).advance().map(drop).expect_err("no action can be chosen");
    let decision = Undecided { stage: 0, episode: 0, step: 0, action: 0 };
    assert_eq!((here.update, here.cause), (1, Cause::Decision(decision)), "{here}");
    assert_eq!((there.update, there.cause), (here.update, here.cause), "{there}");
}

/// The kernels count in 32 bits: more would begin again at 0.
#[test]
fn counts_beyond_32_bits_are_refused() {
    let Some(()) = run_on_gpu("failures::counts_beyond_32_bits_are_refused") else { return };
    let mut run = there::<f32>(&small());
    let before = state(&run);
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
    assert_eq!(state(&run), before);
    let mut there = there::<f32>(&small()).learner;
    let many = catch_unwind(AssertUnwindSafe(|| there.update(0, &[22, 0, 0], 1 << 32).is_ok()));
    let words = *many.expect_err("it is refused").downcast::<String>().expect("words");
    assert_eq!(words, "updates at once: 4294967296, and a GPU counts up to 4294967295");
}
