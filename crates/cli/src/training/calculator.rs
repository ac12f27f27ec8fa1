//! Runs of `calculator`, for the command line.

use gpu_train::{Refused, Run};
use nn::{Optimizer, Params};
use rl::NotFinite;
use rl::a2c::Learner;
use rl::config::Config;
use rl::learn::Learn;
use rl::rollout::Until;
use rl::train::{End, Report};
use serde_json::Value;
use tensor::Device;

use super::state::{from_value, to_value};
use super::{Parts, Training};
use crate::task::TaskName;

impl Training for Run<f32> {
    type Config = Config;

    const TASK: TaskName = TaskName::Calculator;
    const UNTIL: Until = Until::Done;
    const REWARD: Option<&'static str> = None;

    const WHOLE_UPDATES: bool = true;

    fn new(config: &Config, seed: u64) -> Self {
        gpu_train::run(config, seed, Device::Host).expect("the host takes all settings")
    }

    fn on(config: &Config, seed: u64, device: Device) -> Result<Self, Refused> {
        gpu_train::run(config, seed, device)
    }

    fn memory(config: &Self::Config, threads: usize) -> u64 {
        rl::memory::of_training(config, threads)
    }

    fn memory_of_evaluation(config: &Self::Config, episodes: usize, threads: usize) -> u64 {
        rl::memory::of_evaluation(config, episodes, threads)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { task, learner, seed, updates, steps, .. } = self;
        let Learner { policy, params, optimizer, .. } = learner.host();
        Parts { task, policy, params, optimizer, seed: *seed, updates: *updates, steps: *steps }
    }

    fn params_mut(&mut self) -> &mut Params<f32> {
        &mut self.learner.host_mut().params
    }

    fn optimizer_mut(&mut self) -> &mut Optimizer<f32> {
        &mut self.learner.host_mut().optimizer
    }

    fn state(&self) -> Value {
        to_value(self.state())
    }

    fn restore(&mut self, state: Value) -> Result<(), String> {
        self.restore(from_value(state)?)
    }

    fn limit(config: &Config) -> usize {
        config.max_updates
    }

    fn end(&self) -> Option<&'static str> {
        self.end().map(|end| match end {
            End::Solved => "solved by its rule",
            End::OutOfUpdates => "out of updates",
        })
    }

    fn advance_by(&mut self, limit: usize) -> Result<Vec<Report>, NotFinite> {
        self.advance_by(limit)
    }

    fn test_episodes(config: &Config) -> usize {
        config.test_episodes
    }
}
