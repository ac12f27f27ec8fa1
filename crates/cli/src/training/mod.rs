//! What the command line needs to know about a run, whatever its task.

mod calculator;
mod fisher;
mod state;
mod tutorial;

use gpu_train::Refused;
use nn::{Optimizer, Params};
use rl::NotFinite;
use rl::explain::Explain;
use rl::policy::Policy;
use rl::rollout::Until;
use rl::settings::Settings;
use rl::train::Report;
use serde_json::Value;
use tensor::Device;

use crate::outcome::Timed;
use crate::task::TaskName;

/// A run that goes on update by update.
pub(crate) trait Training: Sized {
    /// Its settings.
    type Config: Settings;

    /// Its task.
    const TASK: TaskName;

    /// When an episode of its evaluations stops.
    const UNTIL: Until;

    /// What the task's source calls the mean reward, if it prints it as a result.
    const REWARD: Option<&'static str>;

    /// Whether its updates run on a card as a whole. Otherwise all kernels do, one by one, if they are a card's.
    const WHOLE_UPDATES: bool;

    /// Before the first update.
    fn new(config: &Self::Config, seed: u64) -> Self;

    /// The same on a device.
    ///
    /// # Errors
    /// If it does not take these settings, has too little memory, or fails.
    fn on(config: &Self::Config, seed: u64, device: Device) -> Result<Self, Refused>;

    /// Bytes that it takes on the host with so many threads, the process aside.
    fn memory(config: &Self::Config, threads: usize) -> u64;

    /// Bytes that playing so many test episodes takes with a run that is loaded, the process aside.
    fn memory_of_evaluation(config: &Self::Config, episodes: usize, threads: usize) -> u64;

    /// Its parts.
    fn parts(&self) -> Parts<'_>;

    /// Its parameters, to be loaded.
    fn params_mut(&mut self) -> &mut Params<f32>;

    /// Its optimiser, to be loaded.
    fn optimizer_mut(&mut self) -> &mut Optimizer<f32>;

    /// Where it stands, parameters and moments aside.
    fn state(&self) -> Value;

    /// Goes on from where a run stood.
    ///
    /// # Errors
    /// If no run of these settings can stand there.
    fn restore(&mut self, state: Value) -> Result<(), String>;

    /// The number of updates after which it ends in any case.
    fn limit(config: &Self::Config) -> usize;

    /// How it ended, if it has.
    fn end(&self) -> Option<&'static str>;

    /// Some updates, `limit` at most, and the validation that follows the last of them if it is time for one.
    fn advance_by(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite>;

    /// Episodes of each stage in the test.
    fn test_episodes(config: &Self::Config) -> usize;

    /// What the runs of several seeds show together, in words and as JSON.
    fn together(_: &Self::Config, _: &[Timed]) -> Option<(String, Value)> {
        None
    }
}

/// The parts of a run that are read from outside.
pub(crate) struct Parts<'a> {
    /// The task.
    pub(crate) task: &'a dyn Explain,
    /// The layers.
    pub(crate) policy: &'a Policy,
    /// Their numbers.
    pub(crate) params: &'a Params<f32>,
    /// What moves them.
    pub(crate) optimizer: &'a Optimizer<f32>,
    /// The seed.
    pub(crate) seed: u64,
    /// Updates so far.
    pub(crate) updates: usize,
    /// Training steps so far.
    pub(crate) steps: u64,
}
