//! What a display knows about a run: what its lines said, in memory that does not grow.

use std::time::Duration;

use rl::config::Config;

use super::curve::Curve;
use super::pace::Pace;
use crate::folder::{Line, News, UpdateLine, ValidationLine};
use crate::input::task_name;

/// What a run is on its way to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Goal {
    /// The name of its task.
    pub(crate) task: &'static str,
    /// The most updates.
    pub(crate) limit: usize,
    /// The rule that may end the run earlier.
    pub(crate) rule: Rule,
}

/// The rule that ends a run: `rl::train` states it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rule {
    /// So many perfect validations in a row …
    pub(crate) patience: usize,
    /// … and so many updates, until exploration is over.
    pub(crate) explore: usize,
}

impl Goal {
    /// Of runs with these settings.
    pub(crate) fn of(config: &Config) -> Self {
        let rule = Rule { patience: config.patience, explore: config.entropy_updates };
        Self { task: task_name::NAME, limit: config.max_updates, rule }
    }
}

/// What a display knows about a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    /// The seed.
    pub(crate) seed: u64,
    /// What it is on its way to.
    pub(crate) goal: Goal,
    /// The last update's number.
    pub(crate) update: usize,
    /// The highest stage that it trained.
    pub(crate) stage: usize,
    /// Training steps so far.
    pub(crate) steps: u64,
    /// The mean sum of an episode's rewards, of the last updates.
    pub(crate) reward: Curve,
    /// The entropy of theirs.
    pub(crate) entropy: Curve,
    /// The gradient's norm of theirs.
    pub(crate) grad_norm: Curve,
    /// The exact match of each stage at the last validations.
    pub(crate) exact: Vec<Curve>,
    /// Perfect validations in a row.
    pub(crate) perfect: usize,
    /// When the display began, if the run began with it.
    pub(super) began: Option<Duration>,
    pace: Pace,
}

impl Board {
    /// Of a run that has said nothing yet.
    pub(crate) fn new(seed: u64, goal: Goal) -> Self {
        Self { seed, goal, ..Self::default() }
    }

    /// Takes what is new in the metrics.
    pub(crate) fn take(&mut self, news: &News) {
        match news {
            News::Anew => *self = Self { began: self.began, ..Self::new(self.seed, self.goal) },
            News::Line(Line::Update(line)) => self.update(line),
            News::Line(Line::Validation(line)) => self.validation(line),
        }
    }

    /// Takes what an update did.
    pub(crate) fn update(&mut self, line: &UpdateLine) {
        (self.update, self.stage) = (line.update, line.stage());
        self.steps = self.steps.saturating_add(line.steps);
        self.reward.push(line.reward);
        self.entropy.push(line.entropy);
        self.grad_norm.push(line.grad_norm);
    }

    /// Takes what a validation found.
    pub(crate) fn validation(&mut self, line: &ValidationLine) {
        self.exact.resize_with(line.stages.len(), Curve::default);
        self.exact.iter_mut().zip(&line.stages).for_each(|(curve, stage)| curve.push(stage.exact));
        let perfect = line.stages.iter().all(|stage| stage.exact == 1.0);
        self.perfect = if perfect { self.perfect + 1 } else { 0 };
    }

    /// Notes when the lines so far were there.
    pub(crate) fn clock(&mut self, now: Duration) {
        self.pace.note(now, self.update, self.steps);
    }

    /// The exact match of each stage at the last validation.
    pub(crate) fn exact(&self) -> impl Iterator<Item = f64> {
        self.exact.iter().filter_map(Curve::last)
    }

    /// Training steps in a second, lately.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.pace.steps()
    }

    /// Seconds to the last update that there may be.
    pub(super) fn left(&self, now: Duration) -> Option<f64> {
        self.pace.left(self.goal.limit.saturating_sub(self.update), now)
    }

    /// Whether training is over.
    pub(super) fn is_trained(&self) -> bool {
        let Goal { limit, rule: Rule { patience, explore }, .. } = self.goal;
        self.update >= limit || self.perfect >= patience && self.update >= explore
    }

    /// The share of the updates that were made.
    pub(super) fn done(&self) -> f64 {
        (self.update as f64 / self.goal.limit.max(1) as f64).min(1.0)
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

    fn board(text: &str) -> Board {
        let mut board = Board::new(3, Goal { task: "calculator", limit: 8, rule: Rule { patience: 2, explore: 4 } });
        metrics::parse(text.as_bytes()).expect("lines").into_iter().for_each(|line| board.take(&News::Line(line)));
        board
    }

    #[test]
    fn a_board_says_what_the_lines_say() {
        let board = board(LINES);
        assert_eq!((board.seed, board.update, board.stage, board.steps), (3, 2, 0, 500));
        let last = [&board.reward, &board.entropy, &board.grad_norm].map(Curve::last);
        assert_eq!(last, [Some(0.75), Some(1.25), Some(0.5)]);
        assert_eq!(board.exact().collect::<Vec<_>>(), [1.0, 0.5]);
        assert_eq!((board.done(), board.perfect), (0.25, 0));
    }

    #[test]
    fn perfect_validations_are_counted_as_the_rule_counts_them() {
        let (perfect, other) = (LINES.replace("\"exact\":0.5", "\"exact\":1.0"), LINES);
        assert_eq!(board(&perfect.repeat(2)).perfect, 2);
        assert_eq!(board(&[&perfect, other, &perfect].concat()).perfect, 1);
        assert_eq!(board(&[&perfect, other].concat()).perfect, 0);
        assert!(!board(&perfect.repeat(2)).is_trained(), "it explores");
        let late = perfect.replace("\"update\":2", "\"update\":4");
        assert!(board(&late.repeat(2)).is_trained() && !board(&late).is_trained());
        assert!(board(&other.replace("\"update\":2", "\"update\":8")).is_trained());
    }

    #[test]
    fn goals_come_from_the_settings() {
        let config = Config { max_updates: 7, patience: 2, entropy_updates: 5, ..Config::default() };
        let rule = Rule { patience: 2, explore: 5 };
        assert_eq!(Goal::of(&config), Goal { task: "calculator", limit: 7, rule });
    }
}
