//! How sure the exact match of several runs is: estimates and their intervals, by stage and over all of them.

use std::fmt;

use rl::tasks::STAGES;
use serde::Serialize;

use crate::folder::outcome::Timed;
use crate::output::table::{Table, share};
use crate::stats::estimate::{iqm, mean, median, median_of_task_means, range};
use crate::stats::profile::{Level, PERFECT, profile};
use crate::stats::{Bootstrap, Interval, Scores, Unit};

/// Where the performance profile is looked at.
const THRESHOLDS: [f64; 4] = [0.5, 0.9, 0.99, PERFECT];

/// The exact match of some runs. A run that failed has no test, and counts as 0 in every stage: leaving it out would
/// praise whatever fails often.
///
/// Source: R. Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021; see
/// [`stats`](crate::stats).
#[derive(Debug, Serialize)]
pub(crate) struct Exact {
    runs: usize,
    /// Runs that failed.
    failed: usize,
    /// Resamples of each interval.
    resamples: u32,
    /// How often an interval should cover the truth.
    confidence: f64,
    /// Of each stage.
    stages: Vec<Estimates>,
    /// Of all stages together, each drawn apart: the stratified bootstrap of rliable.
    all: Estimates,
    /// The same with whole runs drawn, since the stages of a run rise and fall together.
    whole_runs: Estimates,
}

#[derive(Debug, Serialize)]
struct Estimates {
    iqm: Interval,
    median: Interval,
    mean: Interval,
    /// The median of rliable; of one stage it is the mean.
    median_of_stage_means: Interval,
    least: f64,
    most: f64,
    profile: Vec<Level>,
}

impl Estimates {
    fn of(scores: &Scores, unit: Unit) -> Self {
        let bootstrap = Bootstrap { unit, ..Bootstrap::default() };
        let of = |statistic: fn(&[f64]) -> f64| bootstrap.interval(scores, |scores| statistic(scores.all()));
        let (least, most) = range(scores.all());
        Self {
            iqm: of(iqm),
            median: of(median),
            mean: of(mean),
            median_of_stage_means: bootstrap.interval(scores, median_of_task_means),
            least,
            most,
            profile: profile(scores, &THRESHOLDS, &bootstrap),
        }
    }
}

impl Exact {
    /// Of the test of these runs, of which there must be one.
    pub(crate) fn of(runs: &[Timed]) -> Self {
        let exact = |run: &Timed, stage: usize| run.outcome.stages.get(stage).map_or(0.0, |stage| stage.exact);
        let rows: Vec<[f64; STAGES]> = runs.iter().map(|run| std::array::from_fn(|stage| exact(run, stage))).collect();
        let scores = Scores::new(&rows).expect("there is a run, and shares are finite");
        let Bootstrap { resamples, confidence, .. } = Bootstrap::default();
        Self {
            runs: runs.len(),
            failed: runs.iter().filter(|run| run.outcome.failed).count(),
            resamples,
            confidence,
            stages: (0..STAGES).map(|stage| Estimates::of(&scores.task(stage), Unit::Score)).collect(),
            all: Estimates::of(&scores, Unit::Score),
            whole_runs: Estimates::of(&scores, Unit::Run),
        }
    }

    /// A row for each estimate.
    pub(crate) fn table(&self) -> Table {
        let names = (0..STAGES).map(|stage| format!("exact {stage}"));
        let names = names.chain(["all stages", "all, by whole runs"].map(String::from));
        let mut table = Table::new(["runs".to_owned()].into_iter().chain(names));
        let mut row = |name: String, cell: &dyn Fn(&Estimates) -> String| {
            let columns = self.stages.iter().chain([&self.all, &self.whole_runs]);
            table.row([name].into_iter().chain(columns.map(cell)));
        };
        row("interquartile mean".into(), &|of| of.iqm.show(share));
        row("median".into(), &|of| of.median.show(share));
        row("mean".into(), &|of| of.mean.show(share));
        row("range".into(), &|of| format!("{} to {}", share(of.least), share(of.most)));
        for (i, threshold) in THRESHOLDS.into_iter().enumerate() {
            let name = if threshold == PERFECT { "share at 1".into() } else { format!("share above {threshold}") };
            row(name, &|of| of.profile[i].share.show(share));
        }
        table
    }

    /// What to know about the table.
    pub(crate) fn notes(&self) -> Vec<String> {
        let Self { runs, failed, resamples, confidence, .. } = self;
        let percent = confidence * 100.0;
        let mut notes = vec![format!(
            "[…]: the middle {percent} % of {resamples} bootstrap resamples, the runs of each stage drawn apart; by whole runs, \
             a run is drawn with all its stages, which rise and fall together. The shares are the performance profile. After \
             Agarwal et al., \"Deep Reinforcement Learning at the Edge of the Statistical Precipice\", NeurIPS 2021."
        )];
        if *failed > 0 {
            notes.push(format!("{failed} of {runs} runs failed and count as 0 here."));
        }
        if self.alike() {
            let rate = 100.0 * otherwise(*runs, *confidence);
            notes.push(format!(
                "All runs score alike, so no resample differs; even so up to {rate:.1} % of all seeds may do otherwise."
            ));
        }
        notes
    }

    /// Whether the runs score alike, stage by stage.
    fn alike(&self) -> bool {
        self.stages.iter().all(|stage| stage.least == stage.most)
    }
}

/// The table and what to know about it.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.table(), self.notes().join("\n"))
    }
}

/// The greatest share of other outcomes that still leaves `runs` alike with a probability of 1 − `confidence`:
/// (1 − p)ⁿ = 1 − confidence.
///
/// Source: C. J. Clopper, E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
/// Binomial" (1934), for none of n.
fn otherwise(runs: usize, confidence: f64) -> f64 {
    1.0 - (1.0 - confidence).powf(1.0 / runs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::outcome::Outcome;
    use crate::run::final_test::Stage;

    fn run(exact: [f64; STAGES]) -> Timed {
        let stages = exact.map(|exact| Stage { exact, ..Stage::default() }).to_vec();
        Timed { outcome: Outcome { stages, ..Outcome::default() }, seconds: 0.0 }
    }

    fn failed() -> Timed {
        Timed { outcome: Outcome { failed: true, ..Outcome::default() }, seconds: 0.0 }
    }

    #[test]
    fn runs_are_summarised_by_stage_and_over_all() {
        let runs: Vec<_> = (0..8).map(|i| run([1.0, 0.9375, if i < 2 { 0.0 } else { 1.0 }])).collect();
        let exact = Exact::of(&runs);
        let estimates =
            exact.stages.iter().map(|stage| [stage.iqm.estimate, stage.median.estimate, stage.mean.estimate]);
        assert_eq!(estimates.collect::<Vec<_>>(), [[1.0; 3], [0.9375; 3], [1.0, 1.0, 0.75]]);
        assert_eq!((exact.stages[2].least, exact.stages[2].most), (0.0, 1.0));
        let above: Vec<f64> = exact.all.profile.iter().map(|level| level.share.estimate).collect();
        assert_eq!(above, [22.0 / 24.0, 22.0 / 24.0, 14.0 / 24.0, 14.0 / 24.0]);
        let text = exact.to_string();
        for part in ["| range              |", " 0.000 to 1.000 |", "share at 1", "0.583 [", "95 % of 2000"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(!text.contains("alike") && !text.contains("failed"), "{text}");
    }

    /// Stages that are solved together or not at all: whole runs, which are what is drawn, say more doubt.
    #[test]
    fn whole_runs_are_less_sure() {
        let runs: Vec<_> = (0..20).map(|i| run([if i < 5 { 0.0 } else { 1.0 }; STAGES])).collect();
        let Exact { all, whole_runs, .. } = Exact::of(&runs);
        let width = |of: &Estimates| of.mean.high - of.mean.low;
        assert!(width(&whole_runs) > 1.5 * width(&all), "{:?} and {:?}", all.mean, whole_runs.mean);
        assert_eq!(whole_runs.mean.estimate, all.mean.estimate);
    }

    #[test]
    fn a_failed_run_counts_as_nothing_solved() {
        let exact = Exact::of(&[run([1.0; STAGES]), failed()]);
        assert_eq!((exact.all.mean.estimate, exact.all.least), (0.5, 0.0));
        assert!(exact.to_string().ends_with("1 of 2 runs failed and count as 0 here."));
    }

    #[test]
    fn runs_that_are_alike_are_not_certain() {
        let text = |runs: usize| Exact::of(&(0..runs).map(|_| run([1.0; STAGES])).collect::<Vec<_>>()).to_string();
        assert!(text(20).ends_with("up to 13.9 % of all seeds may do otherwise."), "{}", text(20));
        assert!(text(1).contains("up to 95.0 %") && text(1).contains("1.000 [1.000, 1.000]"), "{}", text(1));
        let chance = |runs: usize| (1.0 - otherwise(runs, 0.95)).powi(runs as i32);
        assert!([1, 3, 20].into_iter().all(|runs| (chance(runs) - 0.05).abs() < 1e-12));
    }
}
