//! The state of a run that the display shows, updated from its metrics lines. Its memory use is bounded.

use std::time::Duration;

use rl::config::Config;

use super::pace::Pace;
use super::sparkline::Sparkline;
use crate::folder::{Line, TailEvent, UpdateLine, ValidationLine};
use crate::input::task_name;

/// The task of a run, and the conditions that end its training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RunLimits {
    /// The name of the task.
    pub(crate) task: &'static str,
    /// The maximum number of updates.
    pub(crate) max_updates: usize,
    /// The condition that may end training earlier.
    pub(crate) stop_condition: StopCondition,
}

/// The condition that ends training early; `rl::train` defines it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct StopCondition {
    /// The number of consecutive perfect validations that is required.
    pub(crate) patience: usize,
    /// The minimum number of updates: exploration ends there.
    pub(crate) exploration_updates: usize,
}

impl RunLimits {
    /// Returns the limits of runs with these settings.
    pub(crate) fn from_config(config: &Config) -> Self {
        let stop_condition = StopCondition { patience: config.patience, exploration_updates: config.entropy_updates };
        Self { task: task_name::NAME, max_updates: config.max_updates, stop_condition }
    }
}

/// The progress of a run, as the display shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunProgress {
    /// The seed.
    pub(crate) seed: u64,
    /// The limits of the run.
    pub(crate) limits: RunLimits,
    /// The number of the last update.
    pub(crate) update: usize,
    /// The highest stage that the last update trained.
    pub(crate) stage: usize,
    /// The training steps so far.
    pub(crate) steps: u64,
    /// The mean return per episode of recent updates.
    pub(crate) reward: Sparkline,
    /// The policy entropy of recent updates.
    pub(crate) entropy: Sparkline,
    /// The gradient norm of recent updates.
    pub(crate) grad_norm: Sparkline,
    /// The exact match of each stage at recent validations.
    pub(crate) exact: Vec<Sparkline>,
    /// The number of consecutive perfect validations.
    pub(crate) perfect: usize,
    /// The time when this process started the run; `None` for a watched run.
    pub(super) started: Option<Duration>,
    pace: Pace,
}

impl RunProgress {
    /// Creates the progress of a run without metrics.
    pub(crate) fn new(seed: u64, limits: RunLimits) -> Self {
        Self { seed, limits, ..Self::default() }
    }

    /// Applies an event of the metrics file.
    pub(crate) fn apply(&mut self, news: &TailEvent) {
        match news {
            TailEvent::Restarted => *self = Self { started: self.started, ..Self::new(self.seed, self.limits) },
            TailEvent::Line(Line::Update(line)) => self.record_update(line),
            TailEvent::Line(Line::Validation(line)) => self.record_validation(line),
        }
    }

    /// Records the metrics of an update.
    pub(crate) fn record_update(&mut self, line: &UpdateLine) {
        (self.update, self.stage) = (line.update, line.stage());
        self.steps = self.steps.saturating_add(line.steps);
        self.reward.push(line.reward);
        self.entropy.push(line.entropy);
        self.grad_norm.push(line.grad_norm);
    }

    /// Records the results of a validation.
    pub(crate) fn record_validation(&mut self, line: &ValidationLine) {
        self.exact.resize_with(line.stages.len(), Sparkline::default);
        self.exact.iter_mut().zip(&line.stages).for_each(|(curve, stage)| curve.push(stage.exact));
        let perfect = line.stages.iter().all(|stage| stage.exact == 1.0);
        self.perfect = if perfect { self.perfect + 1 } else { 0 };
    }

    /// Records the time of the metrics recorded so far.
    pub(crate) fn record_time(&mut self, now: Duration) {
        self.pace.record(now, self.update, self.steps);
    }

    /// Returns the exact match of each stage at the last validation.
    pub(crate) fn last_exact_matches(&self) -> impl Iterator<Item = f64> {
        self.exact.iter().filter_map(Sparkline::last)
    }

    /// Returns the recent number of training steps per second.
    pub(crate) fn steps_per_second(&self) -> Option<f64> {
        self.pace.steps_per_second()
    }

    /// Estimates the seconds until `max_updates`.
    pub(super) fn seconds_left(&self, now: Duration) -> Option<f64> {
        self.pace.seconds_left(self.limits.max_updates.saturating_sub(self.update), now)
    }

    /// Returns true if training has ended.
    pub(super) fn is_trained(&self) -> bool {
        let RunLimits { max_updates, stop_condition: StopCondition { patience, exploration_updates }, .. } =
            self.limits;
        self.update >= max_updates || self.perfect >= patience && self.update >= exploration_updates
    }

    /// Returns the share of `max_updates` that is done.
    pub(super) fn fraction_done(&self) -> f64 {
        (self.update as f64 / self.limits.max_updates.max(1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::metrics;

    const LINES: &str = concat!(
        r#"{"update":1,"rate":0.1,"entropy_coefficient":0.1,"unlocked":0,"loss":1.0,"policy_loss":1.0,"value_loss":1.0,"#,
        r#""entropy":1.5,"grad_norm":0.25,"reward":-0.5,"steps":300,"episodes":[8,8,0],"solved":[1,0,0]}"#,
        "\n",
        r#"{"validation":1,"stages":[{"stage":0,"exact":1.0,"reward":1.0,"steps":3.0,"programs":1},"#,
        r#"{"stage":1,"exact":0.5,"reward":1.0,"steps":3.0,"programs":1}]}"#,
        "\n",
        r#"{"update":2,"rate":0.1,"entropy_coefficient":0.1,"unlocked":0,"loss":1.0,"policy_loss":1.0,"value_loss":1.0,"#,
        r#""entropy":1.25,"grad_norm":0.5,"reward":0.75,"steps":200,"episodes":[8,0,0],"solved":[1,0,0]}"#,
        "\n",
    );

    fn progress(text: &str) -> RunProgress {
        let stop_condition = StopCondition { patience: 2, exploration_updates: 4 };
        let mut progress = RunProgress::new(3, RunLimits { task: "calculator", max_updates: 8, stop_condition });
        metrics::parse(text.as_bytes())
            .expect("lines")
            .into_iter()
            .for_each(|line| progress.apply(&TailEvent::Line(line)));
        progress
    }

    #[test]
    fn run_progress_records_metrics_lines() {
        let progress = progress(LINES);
        assert_eq!((progress.seed, progress.update, progress.stage, progress.steps), (3, 2, 0, 500));
        let last = [&progress.reward, &progress.entropy, &progress.grad_norm].map(Sparkline::last);
        assert_eq!(last, [Some(0.75), Some(1.25), Some(0.5)]);
        assert_eq!(progress.last_exact_matches().collect::<Vec<_>>(), [1.0, 0.5]);
        assert_eq!((progress.fraction_done(), progress.perfect), (0.25, 0));
    }

    #[test]
    fn is_trained_needs_consecutive_perfect_validations_after_exploration() {
        let (perfect, other) = (LINES.replace("\"exact\":0.5", "\"exact\":1.0"), LINES);
        assert_eq!(progress(&perfect.repeat(2)).perfect, 2);
        assert_eq!(progress(&[&perfect, other, &perfect].concat()).perfect, 1);
        assert_eq!(progress(&[&perfect, other].concat()).perfect, 0);
        assert!(!progress(&perfect.repeat(2)).is_trained(), "it still explores");
        let late = perfect.replace("\"update\":2", "\"update\":4");
        assert!(progress(&late.repeat(2)).is_trained() && !progress(&late).is_trained());
        assert!(progress(&other.replace("\"update\":2", "\"update\":8")).is_trained());
    }

    #[test]
    fn run_limits_come_from_config() {
        let config = Config { max_updates: 7, patience: 2, entropy_updates: 5, ..Config::default() };
        let stop_condition = StopCondition { patience: 2, exploration_updates: 5 };
        assert_eq!(RunLimits::from_config(&config), RunLimits { task: "calculator", max_updates: 7, stop_condition });
    }
}
