//! What configurations are compared by: the exact match of each stage in the test, and over the course of training.

use rl::tasks::STAGES;

use crate::folder::{Record, Runs};
use crate::stats::profile::{Level, PERFECT, profile};
use crate::stats::{Bootstrap, Scores, Unit};

/// A number for each stage.
type Stages = [f64; STAGES];

/// Exact match in the test, of the runs that are over. One that failed has none, and counts as 0 in every stage: what
/// cannot be used has solved nothing.
pub(super) fn tested(runs: &Runs) -> Option<Scores> {
    let stages = |run: &Record| -> Option<Stages> {
        let outcome = run.outcome.as_ref()?;
        Some(std::array::from_fn(|stage| outcome.exact(stage)))
    };
    Scores::new(&runs.runs.iter().filter_map(stages).collect::<Vec<_>>()).ok()
}

/// Exact match at validations, averaged over all updates up to `horizon`: how good, and how soon. It is 0 before the
/// first validation, and after the last it stays as it is.
pub(super) fn over_training(runs: &Runs, horizon: usize) -> Option<Scores> {
    let stages = |run: &Record| -> Stages { std::array::from_fn(|stage| area(run, stage, horizon)) };
    Scores::new(&runs.runs.iter().map(stages).collect::<Vec<_>>()).ok()
}

fn area(run: &Record, stage: usize, horizon: usize) -> f64 {
    let exact = |line: &crate::folder::ValidationLine| line.stages.iter().find(|s| s.stage == stage).map(|s| s.exact);
    let steps: Vec<_> = run.validations.iter().filter_map(|line| Some((line.validation, exact(line)?))).collect();
    let ends = steps.iter().skip(1).map(|&(update, _)| update).chain([horizon]);
    let area: f64 = steps.iter().zip(ends).map(|(&(from, exact), to)| exact * to.saturating_sub(from) as f64).sum();
    area / horizon.max(1) as f64
}

/// How the intervals are made: runs are drawn as wholes, since the stages of one rise and fall together.
pub(super) fn bootstrap() -> Bootstrap {
    Bootstrap { unit: Unit::Run, ..Bootstrap::default() }
}

/// The performance profile, with thresholds close enough for a curve of steps; the last is the one that only a full score
/// is above.
pub(super) fn levels(scores: &Scores) -> Vec<Level> {
    let thresholds: Vec<f64> = (0..THRESHOLDS).map(|k| f64::from(k) / f64::from(THRESHOLDS)).chain([PERFECT]).collect();
    profile(scores, &thresholds, &bootstrap())
}

const THRESHOLDS: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::ValidationLine;
    use crate::run::final_test::Stage;

    fn validation(update: usize, exact: f64) -> ValidationLine {
        let figures = |stage| crate::folder::metrics::StageFigures { stage, exact, ..Default::default() };
        ValidationLine { validation: update, stages: (0..STAGES).map(figures).collect() }
    }

    #[test]
    fn the_area_holds_the_last_value_and_begins_at_nothing() {
        let validations = vec![validation(10, 0.5), validation(20, 1.0)];
        let run = Record { validations, ..Record::default() };
        assert_eq!(area(&run, 0, 40), (0.0 * 10.0 + 0.5 * 10.0 + 1.0 * 20.0) / 40.0);
        assert_eq!(area(&run, 2, 20), 0.25);
        assert_eq!(area(&Record::default(), 0, 0), 0.0);
    }

    #[test]
    fn a_run_that_failed_counts_as_nothing_and_one_that_goes_on_not_at_all() {
        let stage = |stage| Stage { stage, exact: 1.0, ..Stage::default() };
        let outcome = |failed, stages| crate::folder::outcome::Outcome { failed, stages, ..Default::default() };
        let over = |outcome| Record { outcome: Some(outcome), ..Record::default() };
        let solved = over(outcome(false, (0..STAGES).map(stage).collect()));
        let runs = vec![solved, over(outcome(true, Vec::new())), Record::default()];
        let scores = tested(&super::super::sample::runs(runs)).expect("two runs are over");
        assert_eq!(scores.task(1).all(), [1.0, 0.0]);
        assert_eq!(tested(&super::super::sample::runs(vec![Record::default()])), None);
    }
}
