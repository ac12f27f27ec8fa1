//! Statistics of the scores of several runs: estimates with confidence intervals, for each stage and all stages.

use std::fmt;

use serde::Serialize;

use crate::folder::outcome::TimedOutcome;
use crate::output::table::{Table, format_share};
use crate::score::Score;
use crate::stats::estimate::{iqm, mean, median, median_of_task_means, range};
use crate::stats::profile::{PERFECT, ProfilePoint, performance_profile};
use crate::stats::{Bootstrap, Interval, ResampleUnit, Scores};

/// The thresholds of the performance profile.
const THRESHOLDS: [f64; 4] = [0.5, 0.9, 0.99, PERFECT];

/// The scores of several runs. A failed run has no test. Its exact match counts as 0 in every stage: leaving it out would
/// favour configurations that fail often. Rewards have no such number, so there it is left out.
///
/// Source: R. Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021; see
/// [`stats`](crate::stats).
#[derive(Debug, Serialize)]
pub(crate) struct ScoreStats {
    #[serde(skip)]
    score: Score,
    runs: usize,
    /// The number of failed runs.
    failed: usize,
    /// Bootstrap resamples of each interval.
    resamples: u32,
    /// The nominal coverage of the intervals.
    confidence: f64,
    /// The estimates of each stage.
    stages: Vec<Estimates>,
    /// The estimates over all stages. Each stage is resampled independently: the stratified bootstrap of rliable.
    all: Estimates,
    /// The same estimates when whole runs are resampled, because the stages of a run are correlated.
    whole_runs: Estimates,
}

#[derive(Debug, Serialize)]
struct Estimates {
    iqm: Interval,
    median: Interval,
    mean: Interval,
    /// The median over stages of the mean over runs, as rliable defines the median. For one stage it is the mean.
    median_of_stage_means: Interval,
    least: f64,
    most: f64,
    /// The shares of scores above [`THRESHOLDS`], for the exact match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profile: Vec<ProfilePoint>,
}

impl Estimates {
    fn compute(scores: &Scores, score: Score, unit: ResampleUnit) -> Self {
        let bootstrap = Bootstrap { unit, ..Bootstrap::default() };
        let estimate = |statistic: fn(&[f64]) -> f64| bootstrap.interval(scores, |scores| statistic(scores.all()));
        let (least, most) = range(scores.all());
        Self {
            iqm: estimate(iqm),
            median: estimate(median),
            mean: estimate(mean),
            median_of_stage_means: bootstrap.interval(scores, median_of_task_means),
            least,
            most,
            profile: match score {
                Score::ExactMatch => performance_profile(scores, &THRESHOLDS, &bootstrap),
                Score::Reward => Vec::new(),
            },
        }
    }
}

impl ScoreStats {
    /// Computes the statistics of the final tests of these runs of a task with this many stages. Returns `None` if no run has
    /// a score.
    pub(crate) fn from_runs(runs: &[TimedOutcome], score: Score, stages: usize) -> Option<Self> {
        let rows: Vec<Vec<f64>> = runs.iter().filter_map(|run| run.outcome.scores(score, stages)).collect();
        let scores = Scores::new(&rows).ok()?;
        let Bootstrap { resamples, confidence, .. } = Bootstrap::default();
        Some(Self {
            score,
            runs: runs.len(),
            failed: runs.iter().filter(|run| run.outcome.failed).count(),
            resamples,
            confidence,
            stages: (0..stages)
                .map(|stage| Estimates::compute(&scores.task(stage), score, ResampleUnit::Score))
                .collect(),
            all: Estimates::compute(&scores, score, ResampleUnit::Score),
            whole_runs: Estimates::compute(&scores, score, ResampleUnit::Run),
        })
    }

    /// Returns a table with one row per estimate.
    pub(crate) fn table(&self) -> Table {
        let several = self.stages.len() > 1;
        let names = (0..self.stages.len()).map(|stage| format!("{} {stage}", self.score.short_name()));
        let names = names.chain(["all stages", "all, whole runs"].map(String::from).into_iter().filter(|_| several));
        let mut table = Table::new(["runs".to_owned()].into_iter().chain(names));
        let mut row = |name: String, cell: &dyn Fn(&Estimates) -> String| {
            let all = [&self.all, &self.whole_runs].into_iter().filter(|_| several);
            let columns = self.stages.iter().chain(all);
            table.row([name].into_iter().chain(columns.map(cell)));
        };
        let format = |x| self.score.format(x);
        row("interquartile mean".into(), &|estimates| estimates.iqm.format_with(format));
        row("median".into(), &|estimates| estimates.median.format_with(format));
        row("mean".into(), &|estimates| estimates.mean.format_with(format));
        row("range".into(), &|estimates| format!("{} to {}", format(estimates.least), format(estimates.most)));
        for (i, threshold) in THRESHOLDS.into_iter().enumerate().take(self.all.profile.len()) {
            let name = if threshold == PERFECT { "share at 1".into() } else { format!("share above {threshold}") };
            row(name, &|estimates| estimates.profile[i].share.format_with(format_share));
        }
        table
    }

    /// The footnotes of the table.
    pub(crate) fn notes(&self) -> Vec<String> {
        let Self { score, runs, failed, resamples, confidence, .. } = self;
        let percent = confidence * 100.0;
        let profile = if self.all.profile.is_empty() { "" } else { "The shares are the performance profile. " };
        let mut notes = vec![format!(
            "[low, high] is a {percent} % percentile bootstrap confidence interval from {resamples} resamples. Runs are \
             resampled in each stage independently (stratified bootstrap). \"all, whole runs\" resamples each run with all its \
             stages, because the stages of a run are correlated. {profile}Method: Agarwal et \
             al., \"Deep Reinforcement Learning at the Edge of the Statistical Precipice\", NeurIPS 2021."
        )];
        if *failed > 0 {
            let how = if *score == Score::ExactMatch { "count as 0" } else { "have no reward and are left out" };
            notes.push(format!("{failed} of {runs} runs failed; failed runs {how}."));
        }
        if self.runs_are_identical() {
            let rate = 100.0 * other_outcomes_bound(*runs, *confidence);
            notes.push(format!(
                "All runs have the same scores, so all resamples are identical. Even so, up to {rate:.1} % of all seeds may \
                 score differently ({percent} % upper confidence bound)."
            ));
        }
        notes
    }

    /// Returns true if all runs have the same score in every stage.
    fn runs_are_identical(&self) -> bool {
        self.stages.iter().all(|stage| stage.least == stage.most)
    }
}

/// The table with its footnotes.
impl fmt::Display for ScoreStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.table(), self.notes().join("\n"))
    }
}

/// Returns an upper confidence bound for the share p of seeds that score differently, if all n `runs` score the same:
/// (1 − p)ⁿ = 1 − confidence.
///
/// Source: C. J. Clopper, E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
/// Binomial" (1934), for 0 of n.
fn other_outcomes_bound(runs: usize, confidence: f64) -> f64 {
    1.0 - (1.0 - confidence).powf(1.0 / runs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::outcome::Outcome;
    use crate::run::final_test::StageTest;
    use rl::tasks::STAGES;

    fn run(exact: [f64; STAGES]) -> TimedOutcome {
        let test = |stage| StageTest { stage, exact: Some(exact[stage]), ..StageTest::default() };
        let stages = (0..STAGES).map(test).collect();
        TimedOutcome { outcome: Outcome { stages, ..Outcome::default() }, seconds: 0.0 }
    }

    fn stats(runs: &[TimedOutcome]) -> ScoreStats {
        ScoreStats::from_runs(runs, Score::ExactMatch, STAGES).expect("scores")
    }

    fn failed() -> TimedOutcome {
        TimedOutcome { outcome: Outcome { failed: true, ..Outcome::default() }, seconds: 0.0 }
    }

    #[test]
    fn exact_match_stats_summarise_each_stage_and_all_stages() {
        let runs: Vec<_> = (0..8).map(|i| run([1.0, 0.9375, if i < 2 { 0.0 } else { 1.0 }])).collect();
        let exact = stats(&runs);
        let estimates =
            exact.stages.iter().map(|stage| [stage.iqm.estimate, stage.median.estimate, stage.mean.estimate]);
        assert_eq!(estimates.collect::<Vec<_>>(), [[1.0; 3], [0.9375; 3], [1.0, 1.0, 0.75]]);
        assert_eq!((exact.stages[2].least, exact.stages[2].most), (0.0, 1.0));
        let above: Vec<f64> = exact.all.profile.iter().map(|level| level.share.estimate).collect();
        assert_eq!(above, [22.0 / 24.0, 22.0 / 24.0, 14.0 / 24.0, 14.0 / 24.0]);
        let text = exact.to_string();
        for part in
            ["| range              |", " 0.000 to 1.000 |", "share at 1", "0.583 [", "a 95 % percentile", "from 2000"]
        {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(!text.contains("identical") && !text.contains("failed"), "{text}");
    }

    /// Every run solves all stages or none. Resampling whole runs then gives the wider interval.
    #[test]
    fn whole_runs_correlated_stages_have_wider_interval() {
        let runs: Vec<_> = (0..20).map(|i| run([if i < 5 { 0.0 } else { 1.0 }; STAGES])).collect();
        let ScoreStats { all, whole_runs, .. } = stats(&runs);
        let width = |estimates: &Estimates| estimates.mean.high - estimates.mean.low;
        assert!(width(&whole_runs) > 1.5 * width(&all), "{:?} and {:?}", all.mean, whole_runs.mean);
        assert_eq!(whole_runs.mean.estimate, all.mean.estimate);
    }

    #[test]
    fn exact_match_stats_failed_run_counts_as_0() {
        let exact = stats(&[run([1.0; STAGES]), failed()]);
        assert_eq!((exact.all.mean.estimate, exact.all.least), (0.5, 0.0));
        assert!(exact.to_string().ends_with("1 of 2 runs failed; failed runs count as 0."));
    }

    #[test]
    fn notes_identical_runs_state_upper_bound() {
        let text = |runs: usize| stats(&(0..runs).map(|_| run([1.0; STAGES])).collect::<Vec<_>>()).to_string();
        let bound = "up to 13.9 % of all seeds may score differently (95 % upper confidence bound).";
        assert!(text(20).ends_with(bound), "{}", text(20));
        assert!(text(1).contains("up to 95.0 %") && text(1).contains("1.000 [1.000, 1.000]"), "{}", text(1));
        let chance = |runs: usize| (1.0 - other_outcomes_bound(runs, 0.95)).powi(runs as i32);
        assert!([1, 3, 20].into_iter().all(|runs| (chance(runs) - 0.05).abs() < 1e-12));
    }

    /// Rewards are numbers of any sign. A failed run has none, and there is no share of perfect ones.
    #[test]
    fn rewards_of_one_stage_have_no_profile_and_failed_runs_are_left_out() {
        let run = |reward| {
            let stages = vec![StageTest { reward, ..StageTest::default() }];
            TimedOutcome { outcome: Outcome { stages, ..Outcome::default() }, seconds: 0.0 }
        };
        let runs = [run(-4.0), run(2.0), failed()];
        let stats = ScoreStats::from_runs(&runs, Score::Reward, 1).expect("scores");
        assert_eq!((stats.all.mean.estimate, stats.all.least, stats.all.profile.len()), (-1.0, -4.0, 0));
        let text = stats.to_string();
        assert!(text.contains("reward 0") && text.contains("-4.000 to 2.000"), "{text}");
        assert!(!text.contains("exact") && !text.contains("share") && !text.contains("all stages |"), "{text}");
        assert!(text.ends_with("1 of 3 runs failed; failed runs have no reward and are left out."), "{text}");
        assert!(ScoreStats::from_runs(&runs[2..], Score::Reward, 1).is_none());
    }
}
