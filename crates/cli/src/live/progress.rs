//! The state of a run that the display shows, updated from its metrics lines. Its memory use is bounded.

use std::time::Duration;

use rl::config::Config;
use rl::env::Spec;

use super::pace::Pace;
use super::sparkline::Sparkline;
use crate::folder::{Line, TailEvent, UpdateLine, ValidationLine};
use crate::score::Score;

/// The task of a run, and the conditions that end its training.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RunLimits {
    /// The name of the task.
    pub(crate) task: String,
    /// The score of the task.
    pub(crate) score: Score,
    /// The maximum number of updates.
    pub(crate) max_updates: usize,
    /// The condition that may end training earlier, if the task has success.
    pub(crate) stop_condition: Option<StopCondition>,
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
    /// Returns the limits of runs of a task with these settings.
    pub(crate) fn new(spec: &Spec, config: &Config) -> Self {
        let stop_condition =
            StopCondition { patience: config.patience, exploration_updates: config.exploration_updates() };
        Self {
            task: spec.name.clone(),
            score: Score::new(spec),
            max_updates: config.max_updates,
            stop_condition: spec.has_success.then_some(stop_condition),
        }
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
    /// The highest stage that the first update trained.
    first_stage: Option<usize>,
    /// The highest stage of the update before the last validation.
    validated_stage: Option<usize>,
    /// The stage, if it has changed between the last two validations.
    pub(crate) new_stage: Option<usize>,
    /// The training steps so far.
    pub(crate) steps: u64,
    /// The mean return per episode of recent updates.
    pub(crate) reward: Sparkline,
    /// The policy entropy of recent updates.
    pub(crate) entropy: Sparkline,
    /// The gradient norm of recent updates.
    pub(crate) grad_norm: Sparkline,
    /// The score of each stage at recent validations.
    pub(crate) scores: Vec<Sparkline>,
    /// The number of consecutive perfect validations.
    pub(crate) perfect: usize,
    /// The reason of the end, if the run has ended.
    end: Option<&'static str>,
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
            TailEvent::Restarted => *self = Self { started: self.started, ..Self::new(self.seed, self.limits.clone()) },
            TailEvent::Line(Line::Update(line)) => self.record_update(line),
            TailEvent::Line(Line::Validation(line)) => self.record_validation(line),
        }
    }

    /// Records the metrics of an update.
    pub(crate) fn record_update(&mut self, line: &UpdateLine) {
        (self.update, self.stage) = (line.update, line.stage());
        self.first_stage.get_or_insert(self.stage);
        self.steps = self.steps.saturating_add(line.steps);
        self.reward.push(line.reward);
        self.entropy.push(line.entropy);
        self.grad_norm.push(line.grad_norm);
    }

    /// Records the results of a validation.
    pub(crate) fn record_validation(&mut self, line: &ValidationLine) {
        self.scores.resize_with(line.stages.len(), Sparkline::default);
        self.scores.iter_mut().zip(&line.stages).for_each(|(curve, stage)| curve.push(stage.score()));
        let last = self.validated_stage.replace(self.stage);
        self.new_stage = last.filter(|&last| last != self.stage).map(|_| self.stage);
        let perfect = line.stages.iter().all(|stage| stage.exact == Some(1.0));
        self.perfect = if perfect { self.perfect + 1 } else { 0 };
    }

    /// Records that the run has ended, after a failure or not.
    pub(crate) fn record_end(&mut self, failed: bool) {
        self.end = Some(match failed {
            true => "failed",
            false if self.is_solved() => "solved",
            false => "ended",
        });
    }

    /// Describes the end of the run, if it has ended.
    pub(super) fn describe_end(&self) -> Option<String> {
        self.end.map(|end| format!("{end} after {} updates", self.update))
    }

    /// Returns the stage, unless it is that of the first update.
    pub(super) fn later_stage(&self) -> Option<usize> {
        Some(self.stage).filter(|&stage| Some(stage) != self.first_stage)
    }

    /// Records the time of the metrics recorded so far.
    pub(crate) fn record_time(&mut self, now: Duration) {
        self.pace.record(now, self.update, self.steps);
    }

    /// Returns the score of each stage at the last validation.
    pub(crate) fn last_scores(&self) -> impl Iterator<Item = f64> {
        self.scores.iter().filter_map(Sparkline::last)
    }

    /// Returns the recent number of training steps per second.
    pub(crate) fn steps_per_second(&self) -> Option<f64> {
        self.pace.steps_per_second()
    }

    /// Estimates the seconds until `max_updates`.
    pub(super) fn seconds_left(&self, now: Duration) -> Option<f64> {
        self.pace.seconds_left(self.limits.max_updates.saturating_sub(self.update), now)
    }

    /// Returns true if the task is solved: the stop condition ends training.
    fn is_solved(&self) -> bool {
        self.limits.stop_condition.is_some_and(|StopCondition { patience, exploration_updates }| {
            self.perfect >= patience && self.update >= exploration_updates
        })
    }

    /// Returns true if training has ended.
    pub(super) fn is_trained(&self) -> bool {
        self.update >= self.limits.max_updates || self.is_solved()
    }

    /// Returns the share of training that is done: of `max_updates`, or all of it once the task is solved.
    pub(super) fn fraction_done(&self) -> f64 {
        if self.is_trained() { 1.0 } else { self.update as f64 / self.limits.max_updates as f64 }
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

    fn limits(max_updates: usize, stop_condition: StopCondition) -> RunLimits {
        let (task, stop_condition) = ("calculator-stages".to_owned(), Some(stop_condition));
        RunLimits { task, score: Score::ExactMatch, max_updates, stop_condition }
    }

    fn progress(text: &str) -> RunProgress {
        let stop_condition = StopCondition { patience: 2, exploration_updates: 4 };
        let mut progress = RunProgress::new(3, limits(8, stop_condition));
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
        assert_eq!(progress.last_scores().collect::<Vec<_>>(), [1.0, 0.5]);
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
        assert_eq!((progress(&late.repeat(2)).fraction_done(), progress(&late).fraction_done()), (1.0, 0.5));
        assert!(progress(&other.replace("\"update\":2", "\"update\":8")).is_trained());
    }

    #[test]
    fn new_stage_is_reported_once_after_it_has_changed() {
        let mut progress = progress("");
        let reported = [0, 0, 1, 1, 2].map(|stage| {
            let episodes = (0..=stage).map(|_| 1).collect();
            progress.record_update(&UpdateLine { episodes, ..UpdateLine::default() });
            progress.record_validation(&ValidationLine::default());
            (progress.new_stage, progress.later_stage())
        });
        let want = [(None, None), (None, None), (Some(1), Some(1)), (None, Some(1)), (Some(2), Some(2))];
        assert_eq!(reported, want);
    }

    #[test]
    fn describe_end_names_the_reason() {
        let (perfect, other) = (LINES.replace("\"exact\":0.5", "\"exact\":1.0"), LINES);
        let late = perfect.replace("\"update\":2", "\"update\":4");
        let describe = |text: &str, failed: bool| {
            let mut progress = progress(text);
            assert_eq!(progress.describe_end(), None);
            progress.record_end(failed);
            progress.describe_end().expect("it has ended")
        };
        assert_eq!(describe(&late.repeat(2), false), "solved after 4 updates");
        assert_eq!(describe(other, true), "failed after 2 updates");
        assert_eq!(describe(&other.replace("\"update\":2", "\"update\":8"), false), "ended after 8 updates");
    }

    #[test]
    fn run_limits_come_from_config() {
        let config = Config { max_updates: 7, patience: 2, entropy_updates: 5, ..Config::default() };
        let stop_condition = StopCondition { patience: 2, exploration_updates: 5 };
        let spec = rl::tasks::calculator_stages::spec(config.action_set());
        assert_eq!(RunLimits::new(&spec, &config), limits(7, stop_condition));
        let stop_condition = StopCondition { patience: 2, exploration_updates: 0 };
        assert_eq!(RunLimits::new(&spec, &Config { a2c: 0.0, ..config }), limits(7, stop_condition));
    }
}
