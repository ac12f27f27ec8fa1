//! Bootstrap confidence intervals: the statistic is recomputed on resampled runs.

use std::fmt;

use serde::Serialize;
use tensor::par;
use tensor::philox::{Philox, Purpose, Stream};

use super::scores::{ResampleUnit, Scores};

/// The random stream of resampling: the first purpose number that the engine does not use itself.
const RESAMPLE_PURPOSE: Purpose = Purpose(256);

/// The percentile bootstrap.
///
/// A resample of N runs is N runs drawn with replacement. The interval lies between two quantiles of the statistic over
/// all resamples. Quantiles are interpolated linearly, as in numpy's `percentile`. The same settings and scores give the
/// same bytes, on any number of threads.
///
/// The interval shows how much other seeds might change the estimate, on the same tasks. With one run, or with equal
/// scores, all resamples are equal and the interval is the estimate itself: this means no information, not certainty. If
/// the statistic is skewed, the interval need not contain the estimate. Intervals are too narrow: for the mean of N runs
/// by a factor of about √((N − 1)/N).
///
/// Source: section 4 of the paper; rliable's `get_interval_estimates`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bootstrap {
    /// The number of resamples.
    pub(crate) resamples: u32,
    /// The nominal coverage of the interval, between 0 and 1.
    pub(crate) confidence: f64,
    /// The unit that is resampled.
    pub(crate) unit: ResampleUnit,
    /// The seed of the random draws.
    pub(crate) seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, confidence: 0.95, unit: ResampleUnit::Score, seed: 0 }
    }
}

/// An estimate with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// The statistic of the observed runs.
    pub(crate) estimate: f64,
    /// The lower end.
    pub(crate) low: f64,
    /// The upper end.
    pub(crate) high: f64,
}

impl Interval {
    /// Formats as `0.973 [0.950, 0.991]`, with `number` for each of the three numbers.
    pub(crate) fn format_with(self, number: impl Fn(f64) -> String) -> String {
        format!("{} [{}, {}]", number(self.estimate), number(self.low), number(self.high))
    }
}

/// Formats to three decimals, or to the given precision.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().unwrap_or(3);
        f.write_str(&self.format_with(|x| format!("{x:.places$}")))
    }
}

impl Bootstrap {
    /// Computes a statistic and its interval.
    ///
    /// # Panics
    /// If there are no resamples, or the confidence is not between 0 and 1.
    #[track_caller]
    pub(crate) fn interval(&self, scores: &Scores, statistic: impl Fn(&Scores) -> f64 + Sync) -> Interval {
        self.resample_sets([scores], |[scores]| vec![statistic(scores)])[0]
    }

    /// Computes several statistics on the same resamples, each with its interval.
    ///
    /// # Panics
    /// Like [`interval`](Self::interval), and if the number of statistics varies.
    #[track_caller]
    pub(crate) fn intervals(&self, scores: &Scores, statistics: impl Fn(&Scores) -> Vec<f64> + Sync) -> Vec<Interval> {
        self.resample_sets([scores], |[scores]| statistics(scores))
    }

    /// Computes statistics of several sets of runs. Each set is resampled independently of the others.
    ///
    /// # Panics
    /// Like [`intervals`](Self::intervals).
    #[track_caller]
    pub(crate) fn resample_sets<const N: usize>(
        &self,
        scores: [&Scores; N],
        statistics: impl Fn([&Scores; N]) -> Vec<f64> + Sync,
    ) -> Vec<Interval> {
        assert!(self.resamples > 0, "Bootstrap: no resamples, expected at least one");
        let tail = (1.0 - self.confidence) / 2.0;
        assert!(tail > 0.0 && tail < 0.5, "Bootstrap: confidence {}, expected between 0 and 1", self.confidence);
        let mut found = vec![Vec::new(); self.resamples as usize];
        par::for_each(&mut found, |i, values| {
            let drawn: [Scores; N] =
                std::array::from_fn(|set| scores[set].resample(self.unit, &mut self.stream(i, set)));
            *values = statistics(drawn.each_ref());
        });
        let interval = |(i, estimate)| {
            let mut values: Vec<f64> = found.iter().map(|values| values[i]).collect();
            values.sort_unstable_by(f64::total_cmp);
            Interval { estimate, low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) }
        };
        statistics(scores).into_iter().enumerate().map(interval).collect()
    }

    /// Returns the random stream of one resample of one set of runs.
    fn stream(&self, resample: usize, set: usize) -> Philox {
        Philox::stream(self.seed, Stream { purpose: RESAMPLE_PURPOSE, update: resample as u32, episode: set as u32 })
    }
}

/// Returns the quantile `q` of sorted numbers: interpolated linearly, the first number at 0 and the last at 1.
///
/// Source: definition 7 of R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages" (1996).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::super::estimate::{iqm, mean, median, median_of_task_means};
    use super::super::golden;
    use super::*;

    #[test]
    fn intervals_match_rliable() {
        let bootstrap = Bootstrap { resamples: golden::RESAMPLES, ..Bootstrap::default() };
        for (name, case) in golden::matrices() {
            let statistics = |scores: &Scores| {
                let all = scores.all();
                vec![iqm(all), mean(all), median_of_task_means(scores)]
            };
            let want = [&case.iqm, &case.mean, &case.median_of_task_means];
            let found = bootstrap.intervals(&case.scores(), statistics);
            assert_eq!(found.len(), want.len());
            found.into_iter().zip(want).for_each(|(found, want)| want.assert_holds(name, found));
        }
    }

    #[test]
    fn quantile_is_linear_between_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.25, 0.375, 0.9, 1.0].map(|q| quantile(&sorted, q)), [1.0, 2.0, 3.0, 12.8, 16.0]);
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
    }

    #[test]
    fn interval_of_one_run_or_equal_scores_is_a_point() {
        for rows in [&[[0.1, 0.7]][..], &[[0.1, 0.1]; 9]] {
            let scores = Scores::new(rows).expect("a matrix");
            let Interval { estimate, low, high } = Bootstrap::default().interval(&scores, |s| iqm(s.all()));
            assert_eq!([estimate; 2], [low, high]);
        }
    }

    #[test]
    fn interval_depends_on_seed_and_not_on_threads() {
        let scores =
            Scores::new(&(0..9).map(|i| [f64::from(i * i), f64::from(i)]).collect::<Vec<_>>()).expect("a matrix");
        let interval = |seed| Bootstrap { seed, ..Bootstrap::default() }.interval(&scores, |s| mean(s.all()));
        let with_threads = |threads| par::with_threads(threads, || interval(0)).expect("threads");
        assert_eq!(with_threads(1), with_threads(3));
        assert_ne!(interval(0), interval(1));
        assert_eq!(interval(0).estimate, interval(1).estimate);
    }

    #[test]
    fn interval_display_has_three_decimals() {
        let interval = Interval { estimate: 0.9731, low: 0.95, high: 0.9999 };
        assert_eq!(interval.to_string(), "0.973 [0.950, 1.000]");
        assert_eq!(format!("{interval:.1}"), "1.0 [0.9, 1.0]");
        assert_eq!(interval.format_with(crate::output::table::format_share), "0.973 [0.950, 0.999]");
    }

    #[test]
    #[should_panic(expected = "confidence 95, expected between 0 and 1")]
    fn interval_confidence_in_percent_panics() {
        let scores = Scores::new(&[[1.0]]).expect("a matrix");
        Bootstrap { confidence: 95.0, ..Bootstrap::default() }.interval(&scores, |s| mean(s.all()));
    }

    /// Counts in how many of 400 experiments the interval covers the true value 0. An experiment has 20 runs of three
    /// tasks. The task means are −`apart`, 0 and `apart`. Each score has standard normal noise, and each run as a whole
    /// has normal noise with standard deviation `run_deviation`.
    fn count_covering(unit: ResampleUnit, apart: f64, run_deviation: f64, statistic: Statistic) -> usize {
        let bootstrap = Bootstrap { resamples: 200, unit, ..Bootstrap::default() };
        let experiment = |update| {
            let mut rng = Philox::stream(1, Stream { purpose: Purpose::TEST, update, episode: 0 });
            let rows = [(); 20].map(|()| {
                let run = run_deviation * rng.normal();
                [-apart, 0.0, apart].map(|centre| centre + run + rng.normal())
            });
            let scores = Scores::new(&rows).expect("a matrix");
            bootstrap.interval(&scores, |scores| statistic(scores.all()))
        };
        (0..400).map(experiment).filter(|interval| interval.low <= 0.0 && 0.0 <= interval.high).count()
    }

    type Statistic = fn(&[f64]) -> f64;

    const STATISTICS: [(&str, Statistic); 3] = [("mean", mean), ("IQM", iqm), ("median", median)];

    /// Five standard deviations around the expected number of covering intervals out of 400, each of 20 runs. Intervals
    /// have √(19/20) of the correct width, so they cover with 2Φ(1.96·√(19/20)) − 1 = 94.4 %. The expected number is
    /// 377.5 and its standard deviation √(400·0.944·0.056) = 4.6.
    const COVERS: std::ops::RangeInclusive<usize> = 354..=399;

    /// If resampling mixed the tasks, intervals of tasks far apart would always cover.
    #[test]
    fn intervals_cover_at_nominal_rate() {
        for (apart, (name, statistic)) in [0.0, 3.0].into_iter().flat_map(|apart| STATISTICS.map(|s| (apart, s))) {
            let covered = count_covering(ResampleUnit::Score, apart, 0.0, statistic);
            assert!(COVERS.contains(&covered), "{name}, {apart} apart: {covered} of 400");
        }
    }

    /// With correlated scores within a run, only resampling whole runs gives intervals that are wide enough.
    #[test]
    fn intervals_of_correlated_scores_cover_only_with_whole_runs() {
        for (name, statistic) in STATISTICS {
            let [apart, together] =
                [ResampleUnit::Score, ResampleUnit::Run].map(|unit| count_covering(unit, 0.0, 3.0, statistic));
            assert!(apart < 330 && COVERS.contains(&together), "{name}: {apart} and {together} of 400");
        }
    }
}
