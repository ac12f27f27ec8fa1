//! The scores that compare configurations: those of each stage in the final test, and over the course of training.

use crate::folder::metrics::StageStats;
use crate::folder::{RunRecord, RunSet, ValidationLine};
use crate::score::Score;
use crate::stats::profile::{PERFECT, ProfilePoint, performance_profile};
use crate::stats::{Bootstrap, ResampleUnit, Scores};

/// Returns the scores of the finished runs in the final test. A failed run has no test. Its exact match counts as 0 in every
/// stage: its agent cannot be used, so it solved nothing. It has no reward and is left out.
pub(super) fn test_scores(runs: &RunSet) -> Option<Scores> {
    let stages = |run: &RunRecord| run.outcome.as_ref()?.scores(runs.task.score, runs.task.stages());
    Scores::new(&runs.runs.iter().filter_map(stages).collect::<Vec<_>>()).ok()
}

/// Returns the score at validations, averaged over all updates up to `horizon`: the normalized area under the learning
/// curve, a measure of sample efficiency. Before the first validation an exact match is 0, and a reward that of the first. After
/// the last validation the score is constant.
pub(super) fn training_scores(runs: &RunSet, horizon: usize) -> Option<Scores> {
    let stages = |run: &RunRecord| -> Vec<f64> {
        (0..runs.task.stages()).map(|stage| mean_score(run, stage, horizon, runs.task.score)).collect()
    };
    Scores::new(&runs.runs.iter().map(stages).collect::<Vec<_>>()).ok()
}

fn mean_score(run: &RunRecord, stage: usize, horizon: usize, score: Score) -> f64 {
    let of_line = |line: &ValidationLine| line.stages.iter().find(|s| s.stage == stage).map(StageStats::score);
    let mut steps: Vec<_> = run.validations.iter().filter_map(|line| Some((line.validation, of_line(line)?))).collect();
    if let (Score::Reward, Some((from, _))) = (score, steps.first_mut()) {
        *from = 0;
    }
    let ends = steps.iter().skip(1).map(|&(update, _)| update).chain([horizon]);
    let area: f64 = steps.iter().zip(ends).map(|(&(from, score), to)| score * to.saturating_sub(from) as f64).sum();
    area / horizon.max(1) as f64
}

/// Returns a bootstrap that resamples whole runs, because the stages of a run are correlated.
pub(super) fn bootstrap() -> Bootstrap {
    Bootstrap { unit: ResampleUnit::Run, ..Bootstrap::default() }
}

/// Computes the performance profile at thresholds dense enough for a step curve. Only a perfect score exceeds the last
/// threshold.
pub(super) fn profile_levels(scores: &Scores) -> Vec<ProfilePoint> {
    let thresholds: Vec<f64> = (0..THRESHOLDS).map(|k| f64::from(k) / f64::from(THRESHOLDS)).chain([PERFECT]).collect();
    performance_profile(scores, &thresholds, &bootstrap())
}

const THRESHOLDS: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::final_test::StageTest;
    use rl::tasks::STAGES;

    fn validation(update: usize, exact: f64) -> ValidationLine {
        let stats = |stage| StageStats { stage, exact: Some(exact), reward: 3.0, ..StageStats::default() };
        ValidationLine { validation: update, stages: (0..STAGES).map(stats).collect() }
    }

    #[test]
    fn mean_score_exact_match_starts_at_0_and_holds_last_value() {
        let validations = vec![validation(10, 0.5), validation(20, 1.0)];
        let run = RunRecord { validations, ..RunRecord::default() };
        assert_eq!(mean_score(&run, 0, 40, Score::ExactMatch), (0.0 * 10.0 + 0.5 * 10.0 + 1.0 * 20.0) / 40.0);
        assert_eq!(mean_score(&run, 2, 20, Score::ExactMatch), 0.25);
        assert_eq!(mean_score(&RunRecord::default(), 0, 0, Score::ExactMatch), 0.0);
    }

    #[test]
    fn test_scores_count_failed_run_as_0_and_skip_unfinished_run() {
        let stage = |stage| StageTest { stage, exact: Some(1.0), ..StageTest::default() };
        let outcome = |failed, stages| crate::folder::outcome::Outcome { failed, stages, ..Default::default() };
        let finished = |outcome| RunRecord { outcome: Some(outcome), ..RunRecord::default() };
        let solved = finished(outcome(false, (0..STAGES).map(stage).collect()));
        let runs = vec![solved, finished(outcome(true, Vec::new())), RunRecord::default()];
        let scores = test_scores(&super::super::sample::run_set(runs)).expect("two runs have finished");
        assert_eq!(scores.task(1).all(), [1.0, 0.0]);
        assert_eq!(test_scores(&super::super::sample::run_set(vec![RunRecord::default()])), None);
    }
}
