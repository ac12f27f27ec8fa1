//! Training on a GPU: whole updates and the greedy validation run there, without the host.
//!
//! After every few updates, parameters, moments and counters are copied to the host. So checkpoints, tests and resuming do not
//! depend on the device, and a run may continue on another device. Both devices use the same random numbers, and their results
//! differ only by rounding. A run on a GPU is reproducible to the bit. It takes the same actions as a run on the host
//! until a rounding difference changes one of them.
//!
//! `kernels/README.md` describes the kernels: the token table, the rollout, the advantages, the loss, backpropagation through
//! time, the norm, clipping, and the step of Adam. All state that changes from update to update is in the GPU's memory: the
//! update's number, the rates that follow from it, and the episodes of each stage. So the launches of all updates are the same.
//! They are recorded once, as a graph, and replayed.
//!
//! Reading order: `learner` (the learner of a run), `spec` (sizes, tables and settings of an update), `checks` (their
//! consistency), `update` (an update, as a trait), `kernels` (the kernels by name), `buffers` (the GPU memory of an update),
//! `operands` (the structs that kernels share with the host), `launches` (the launches of all kernels, the only unsafe code),
//! `gpu_update` (the update on a GPU), `episode_record` (the episodes of an update), `readback` (copies of results to the
//! host), and `episodes` (the calculator's episodes alone).
//!
//! ```no_run
//! use gpu_train::GpuLearner;
//! use rl::config::Config;
//! use tensor::Device;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let gpu = Device::cuda(0)?;
//!     let mut run = GpuLearner::<f32>::run(&Config::default(), 0, gpu)?;
//!     while run.stop_reason().is_none() {
//!         run.advance_up_to(10)?; // at most ten updates, up to the next validation
//!     }
//!     println!("{:?}", run.test()?);
//!     Ok(())
//! }
//! ```
#![deny(unsafe_code)] // only `launches` allows it

mod episode_record;
mod error;
mod learner;
#[cfg_attr(not(feature = "cuda"), allow(dead_code))]
mod spec;
mod update;

#[cfg(feature = "cuda")]
mod buffers;
#[cfg(feature = "cuda")]
mod checks;
#[cfg(feature = "cuda")]
mod episodes;
#[cfg(feature = "cuda")]
mod gpu_update;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod launches;
#[cfg(feature = "cuda")]
mod operands;
#[cfg(feature = "cuda")]
mod readback;

use rl::config::Config;
use rl::env::{Spec, Task};
use rl::policy::Policy;
use rl::tasks::CalculatorStages;
use rl::train::Learn;
use tensor::{Device, Real};

pub use episode_record::EpisodeRecord;
#[cfg(feature = "cuda")]
pub use episodes::{GpuEpisodes, GpuStep};
pub use error::GpuTrainError;
pub use learner::GpuLearner;
pub use update::Update;

/// A run whose learner depends on the device and is chosen at run time.
pub type Run<T, K> = rl::train::Run<T, K, Box<dyn Learn<T, Model = Policy>>>;

/// Creates a run on a device, before the first update. The host trains any task. A GPU trains `calculator-stages`, which is `task` by
/// its type, or `None` if `task` is another one. Whole updates and validations run there.
///
/// # Errors
/// If the GPU does not support the task or a setting, the batch does not fit there, or the GPU fails.
///
/// # Panics
/// As [`rl::train::Run::new`].
pub fn run<T: Real, K: Task>(
    task: K,
    calculator: Option<&CalculatorStages>,
    config: &Config,
    seed: u64,
    device: Device,
) -> Result<Run<T, K>, GpuTrainError> {
    let create = |task| rl::train::Run::new(task, config, seed);
    if let Device::Host = device {
        return create(task).with_learner(|_, learner| Ok(Box::new(learner) as _));
    }
    let calculator = check_supported::<T>(&task.spec(), calculator, config)?;
    create(task)
        .with_learner(|_, learner| Ok(Box::new(GpuLearner::new(device, config, calculator, learner, seed)?) as _))
}

/// Checks that a GPU can train the task with these settings. Returns the task by its type.
fn check_supported<'a, T: Real>(
    spec: &Spec,
    calculator: Option<&'a CalculatorStages>,
    config: &Config,
) -> Result<&'a CalculatorStages, GpuTrainError> {
    let calculator = calculator.ok_or_else(|| GpuTrainError::Task { name: spec.name.clone() })?;
    learner::check_settings::<T>(config)?;
    Ok(calculator)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rl::config::{Actions, MemoryKind};
    use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Step};
    use tensor::philox::Philox;

    use super::*;

    /// Rewards a number near 0.5, for ever.
    struct Endless;

    impl Task for Endless {
        fn spec(&self) -> Spec {
            Spec::new("endless", Space::vector(2), ActionSpace::continuous(1), 5)
        }

        fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
            env::vector(episodes, || Endless)
        }
    }

    impl SingleEnv for Endless {
        fn reset(&mut self, _: &mut Philox) {}

        fn observe(&self, mut out: Observer<'_>) {
            out.vector(&[1.0, -1.0]);
        }

        fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
            Step::reward(-(action.continuous()[0] - 0.5).powi(2))
        }
    }

    fn tiny() -> Config {
        Config { width: 4, batch: 3, validate_every: 1, validation_episodes: 1, ..Config::default() }
    }

    #[test]
    fn run_host_trains_a_task_and_settings_that_a_gpu_refuses() {
        let config = Config {
            memory: MemoryKind::None,
            segment: 2,
            normalize_observations: true,
            normalize_rewards: true,
            ..tiny()
        };
        let mut run = run::<f32, _>(Endless, None, &config, 1, Device::Host).expect("the host trains any task");
        for _ in 0..2 {
            let report = run.advance().expect("finite numbers");
            assert_eq!((report.metrics.steps, report.validation.map(|stages| stages.len())), (6, Some(1)));
        }
    }

    #[test]
    fn run_host_ignores_the_type_of_the_task() {
        let (task, config) = (CalculatorStages::default(), tiny());
        let by_type = run::<f32, _>(&task, Some(&task), &config, 1, Device::Host).expect("the host").advance();
        let by_trait =
            run::<f32, _>(Arc::new(task.clone()), None, &config, 1, Device::Host).expect("the host").advance();
        assert_eq!(by_type.expect("finite").metrics, by_trait.expect("finite").metrics);
    }

    #[test]
    fn check_supported_other_task_is_refused_by_name() {
        let refused = check_supported::<f32>(&Endless.spec(), None, &Config::default()).expect_err("another task");
        assert_eq!(refused, GpuTrainError::Task { name: "endless".into() });
        let words = "a GPU trains only the task calculator-stages, not endless; compute on the CPU (--device cpu)";
        assert_eq!(refused.to_string(), words);
    }

    #[test]
    fn check_supported_calculator_is_taken_unless_a_setting_is_refused() {
        let config = Config { actions: Actions::Tokens, ..Config::default() };
        let task = config.calculator_stages();
        let taken = check_supported::<f32>(&task.spec(), Some(&task), &config).expect("it is supported");
        assert!(std::ptr::eq(taken, &task));
        let refused = check_supported::<f32>(&task.spec(), Some(&task), &Config { segment: 8, ..config });
        let refused = refused.expect_err("segments");
        assert!(matches!(refused, GpuTrainError::Setting { name: "segment", .. }), "{refused}");
    }
}
