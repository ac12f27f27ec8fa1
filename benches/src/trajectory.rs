//! The first updates of a run, whole: sampling, loss, both passes, clipping, the optimiser.
//!
//! What they should give is recorded in `golden/losses.tsv`, computed in `f64` by the example `losses`: a run in `f32` has to
//! follow it to [`TOLERANCE`], which it does as long as it draws the same actions.

use nn::Optimizer;
use rl::a2c::Metrics;
use rl::config::Config;
use rl::train::Run;
use tensor::Real;
use tutorial::run::{TutorialConfig, TutorialRun};

/// Updates from the initial parameters; the optimiser's memory matters from the second.
pub const UPDATES: usize = 4;
/// Of the largest loss of the trajectory, in `f32`. One action drawn otherwise moves a loss by some 1/B of its size.
pub const TOLERANCE: f64 = 1e-4;
/// The seed of these runs.
pub const SEED: u64 = 42;
const RECORDED: &str = include_str!("../golden/losses.tsv");

/// What is trained, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The task, `calculator` or `tutorial`.
    pub task: &'static str,
    /// d, the width of the network.
    pub width: usize,
    /// B, episodes in an update.
    pub batch: usize,
}

/// Those that are timed and recorded; the default one first.
pub const SETTINGS: [Setting; 5] = [
    Setting { task: "calculator", width: 96, batch: 192 },
    Setting { task: "calculator", width: 32, batch: 48 },
    Setting { task: "calculator", width: 96, batch: 48 },
    Setting { task: "calculator", width: 192, batch: 192 },
    Setting { task: "tutorial", width: 96, batch: 192 },
];

impl Setting {
    /// Its name in benchmarks and in the record.
    pub fn name(&self) -> String {
        format!("{}/d{}b{}", self.task, self.width, self.batch)
    }

    /// The settings of a run on `calculator`.
    pub fn config(&self) -> Config {
        Config { width: self.width, batch: self.batch, validate_every: usize::MAX, ..Config::default() }
    }

    /// The first [`UPDATES`] updates, from the beginning at every call; tapes are kept from call to call.
    pub fn trajectory<T: Real>(&self) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
        let Self { task, width, batch } = *self;
        if task == "tutorial" {
            return tutorial::<T>(&TutorialConfig { width, batch, ..never_validated() });
        }
        calculator::<T>(&self.config())
    }

    /// The recorded number of steps, and the losses.
    ///
    /// # Panics
    /// If there are none.
    pub fn recorded(&self) -> (u64, Vec<f64>) {
        let name = self.name();
        let row = RECORDED.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix('\t'));
        let row =
            row.unwrap_or_else(|| panic!("{name} is not in golden/losses.tsv; the example `losses` makes it again"));
        let mut numbers = row.split('\t').map(|number| number.parse().expect("golden/losses.tsv holds numbers"));
        let steps: f64 = numbers.next().expect("a row has numbers");
        (steps as u64, numbers.collect())
    }
}

fn never_validated() -> TutorialConfig {
    TutorialConfig { validate_every: usize::MAX, ..TutorialConfig::default() }
}

fn calculator<T: Real>(config: &Config) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
    let mut run = Run::<T>::new(config, SEED);
    let (start, rule) = (run.learner.params.flat().clone(), run.learner.optimizer.rule());
    Box::new(move || {
        *run.learner.params.flat_mut() = start.clone();
        run.learner.optimizer = Optimizer::new(rule, &run.learner.params);
        run.updates = 0;
        (0..UPDATES).map(|_| run.advance().expect("finite numbers").metrics).collect()
    })
}

fn tutorial<T: Real>(config: &TutorialConfig) -> Box<dyn FnMut() -> Vec<Metrics> + Send> {
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

    /// The smallest one here; the benchmark verifies all.
    #[test]
    fn a_run_follows_the_record() {
        let setting = &SETTINGS[1];
        let (_, recorded) = setting.recorded();
        verify("f64", &losses::<f64>(setting), &recorded, 1e-10);
        verify("f32", &losses::<f32>(setting), &recorded, TOLERANCE);
    }

    #[test]
    fn a_second_call_begins_at_the_beginning() {
        let mut trajectory = SETTINGS[1].trajectory::<f32>();
        assert_eq!(trajectory(), trajectory());
    }

    #[test]
    fn all_settings_are_recorded() {
        let lengths = SETTINGS.map(|setting| setting.recorded().1.len());
        assert_eq!(lengths, [UPDATES; SETTINGS.len()]);
    }
}
