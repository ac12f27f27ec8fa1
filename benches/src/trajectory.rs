//! The first complete updates of a training run: rollout, loss, forward and backward pass, clipping, optimiser step.
//!
//! The expected losses are in `golden/losses.tsv`. The example `losses` computed them in `f64`. A run in `f32` must match
//! them within [`TOLERANCE`], which holds as long as it draws the same actions.

use nn::Optimizer;
use rl::a2c::Metrics;
use rl::config::Config;
use rl::train::Run;
use tensor::Real;
use tutorial::run::{TutorialConfig, TutorialRun};

/// The number of updates from the initial parameters. The optimiser's moments matter from the second on.
pub const UPDATES: usize = 4;
/// The tolerance in `f32`, relative to the largest loss of the trajectory. One different action moves a loss by about 1/B
/// of its size.
pub const TOLERANCE: f64 = 1e-4;
/// The seed of these runs.
pub const SEED: u64 = 42;
const RECORDED: &str = include_str!("../golden/losses.tsv");

/// A task and the sizes of its network and batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name in the records: `calculator`, which is the task `calculator-stages`, or `tutorial`.
    pub task: &'static str,
    /// H, the hidden size: the setting `width`.
    pub width: usize,
    /// B, the episodes per update.
    pub batch: usize,
}

/// The settings that are timed and recorded. The first is the default.
pub const SETTINGS: [Setting; 5] = [
    Setting { task: "calculator", width: 96, batch: 192 },
    Setting { task: "calculator", width: 32, batch: 48 },
    Setting { task: "calculator", width: 96, batch: 48 },
    Setting { task: "calculator", width: 192, batch: 192 },
    Setting { task: "tutorial", width: 96, batch: 192 },
];

impl Setting {
    /// Returns the name in benchmarks and in the record.
    pub fn name(&self) -> String {
        format!("{}/d{}b{}", self.task, self.width, self.batch)
    }

    /// Returns the configuration of a run on `calculator-stages`.
    pub fn config(&self) -> Config {
        Config { width: self.width, batch: self.batch, validate_every: usize::MAX, ..Config::default() }
    }

    /// Returns a closure that runs the first [`UPDATES`] updates.
    ///
    /// Every call starts again from the initial parameters. Tapes are reused between calls.
    pub fn trajectory<T: Real>(&self) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
        let Self { task, width, batch } = *self;
        if task == "tutorial" {
            let config = TutorialConfig { width, batch, validate_every: usize::MAX, ..TutorialConfig::default() };
            return tutorial_trajectory::<T>(&config);
        }
        calculator_trajectory::<T>(&self.config())
    }

    /// Returns the recorded number of steps and the recorded losses.
    ///
    /// # Panics
    /// If the record has no row for this setting.
    pub fn recorded(&self) -> (u64, Vec<f64>) {
        let name = self.name();
        let row = RECORDED.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix('\t'));
        let row =
            row.unwrap_or_else(|| panic!("{name} is not in golden/losses.tsv; the example `losses` writes that file"));
        let mut numbers = row.split('\t').map(|number| number.parse().expect("golden/losses.tsv holds numbers"));
        let steps: f64 = numbers.next().expect("a row has numbers");
        (steps as u64, numbers.collect())
    }
}

fn calculator_trajectory<T: Real>(config: &Config) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
    let mut run = Run::<T, _>::new(config.calculator_stages(), config, SEED);
    let (start, rule) = (run.learner.params.flat().clone(), run.learner.optimizer.rule());
    Box::new(move || {
        *run.learner.params.flat_mut() = start.clone();
        run.learner.optimizer = Optimizer::new(rule, &run.learner.params);
        run.updates = 0;
        (0..UPDATES).map(|_| run.advance().expect("finite numbers").metrics).collect()
    })
}

fn tutorial_trajectory<T: Real>(config: &TutorialConfig) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
    let mut run = TutorialRun::<T>::new(config, SEED);
    let (start, rule) = (run.params.flat().clone(), run.optimizer.rule());
    Box::new(move || {
        *run.params.flat_mut() = start.clone();
        run.optimizer = Optimizer::new(rule, &run.params);
        run.updates = 0;
        (0..UPDATES).map(|_| run.advance().expect("finite numbers").metrics).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify;

    fn losses<T: Real>(setting: &Setting) -> Vec<f64> {
        setting.trajectory::<T>()().iter().map(|metrics| metrics.loss).collect()
    }

    /// The smallest setting. The benchmark verifies all of them.
    #[test]
    fn trajectory_losses_match_the_record() {
        let setting = &SETTINGS[1];
        let (_, recorded) = setting.recorded();
        verify("f64", &losses::<f64>(setting), &recorded, 1e-10);
        verify("f32", &losses::<f32>(setting), &recorded, TOLERANCE);
    }

    #[test]
    fn trajectory_second_call_starts_again() {
        let mut trajectory = SETTINGS[1].trajectory::<f32>();
        assert_eq!(trajectory(), trajectory());
    }

    #[test]
    fn settings_are_all_recorded() {
        let lengths = SETTINGS.map(|setting| setting.recorded().1.len());
        assert_eq!(lengths, [UPDATES; SETTINGS.len()]);
    }
}
