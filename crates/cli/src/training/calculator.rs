//! Runs of `calculator`, for the command line.

use nn::Params;
use rl::NotFinite;
use rl::config::Config;
use rl::rollout::Until;
use rl::train::{End, Run};
use serde_json::json;

use super::{Parts, Training, Update};
use crate::task::TaskName;

impl Training for Run<f32> {
    type Config = Config;

    const TASK: TaskName = TaskName::Calculator;
    const UNTIL: Until = Until::Done;
    const REWARD: Option<&'static str> = None;

    fn new(config: &Config, seed: u64) -> Self {
        Self::new(config, seed)
    }

    fn parts(&self) -> Parts<'_> {
        let Self { task, learner, seed, updates, steps, .. } = self;
        let (policy, params, optimizer) = (&learner.policy, &learner.params, &learner.optimizer);
        Parts { task, policy, params, optimizer, seed: *seed, updates: *updates, steps: *steps }
    }

    fn params_mut(&mut self) -> &mut Params<f32> {
        &mut self.learner.params
    }

    fn limit(&self) -> usize {
        self.config.max_updates
    }

    fn end(&self) -> Option<&'static str> {
        self.end().map(|end| match end {
            End::Solved => "solved by its rule",
            End::OutOfUpdates => "out of updates",
        })
    }

    fn advance(&mut self) -> Result<Update, NotFinite> {
        let report = self.advance()?;
        let m = &report.metrics;
        let (episodes, solved): (Vec<_>, Vec<_>) = m.stages.iter().copied().unzip();
        let metrics = json!({
            "update": report.update,
            "rate": report.rate,
            "entropy_coefficient": report.entropy_coefficient,
            "unlocked": report.unlocked,
            "loss": m.loss,
            "policy_loss": m.policy_loss,
            "value_loss": m.value_loss,
            "entropy": m.entropy,
            "grad_norm": m.grad_norm,
            "reward": m.reward,
            "steps": m.steps,
            "episodes": episodes,
            "solved": solved,
        });
        Ok(Update {
            number: report.update,
            stage: m.stages.iter().rposition(|&(episodes, _)| episodes > 0).unwrap_or(0),
            reward: m.reward,
            entropy: m.entropy,
            metrics,
            validation: report.validation,
        })
    }

    fn test_episodes(config: &Config) -> usize {
        config.test_episodes
    }
}
