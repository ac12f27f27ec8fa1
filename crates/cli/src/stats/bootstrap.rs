//! Intervals by drawing the runs again.

use std::fmt;

use serde::Serialize;
use tensor::par;
use tensor::philox::{Philox, Purpose, Stream};

use super::scores::{Scores, Unit};

/// What the draws are for: the first purpose that the engine leaves to others.
const RESAMPLES: Purpose = Purpose(256);

/// The bootstrap with percentile intervals.
///
/// A resample has as many runs as there are, drawn from them with replacement. The interval lies between two quantiles of
/// the statistic over the resamples; a quantile is linear between its neighbours, as numpy's `percentile` is. The same
/// settings and scores give the same bytes, on any number of threads.
///
/// The interval says how much other seeds might change the estimate, on the same tasks. With one run, or with equal
/// scores, every resample is the same, and the interval is the estimate itself: that is no certainty, but the lack of any
/// knowledge. It need not hold the estimate where the statistic is skewed, and it is narrow: for the mean of N runs by
/// a factor of about √((N − 1)/N).
///
/// Source: section 4 of the paper; rliable's `get_interval_estimates`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bootstrap {
    /// The number of resamples.
    pub(crate) resamples: u32,
    /// How often the interval should cover the truth.
    pub(crate) confidence: f64,
    /// What is drawn.
    pub(crate) unit: Unit,
    /// The seed of the draws.
    pub(crate) seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, confidence: 0.95, unit: Unit::Score, seed: 0 }
    }
}

/// An estimate, and what it might have been with other runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// The statistic of the runs there are.
    pub(crate) estimate: f64,
    /// The lower end.
    pub(crate) low: f64,
    /// The upper end.
    pub(crate) high: f64,
}

impl Interval {
    /// In words, such as `0.973 [0.950, 0.991]`.
    pub(crate) fn show(self, number: impl Fn(f64) -> String) -> String {
        format!("{} [{}, {}]", number(self.estimate), number(self.low), number(self.high))
    }
}

/// To three places, or to as many as asked for.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = f.precision().unwrap_or(3);
        f.write_str(&self.show(|x| format!("{x:.places$}")))
    }
}

impl Bootstrap {
    /// A statistic and its interval.
    ///
    /// # Panics
    /// If there are no resamples, or the confidence is not between 0 and 1.
    #[track_caller]
    pub(crate) fn interval(&self, scores: &Scores, statistic: impl Fn(&Scores) -> f64 + Sync) -> Interval {
        self.of([scores], |[scores]| vec![statistic(scores)])[0]
    }

    /// Several statistics of the same resamples, each with its interval.
    ///
    /// # Panics
    /// As [`interval`](Self::interval), and if the statistics are not always as many.
    #[track_caller]
    pub(crate) fn intervals(&self, scores: &Scores, statistics: impl Fn(&Scores) -> Vec<f64> + Sync) -> Vec<Interval> {
        self.of([scores], |[scores]| statistics(scores))
    }

    /// Of several sets of runs, each drawn again independently of the others.
    ///
    /// # Panics
    /// As [`intervals`](Self::intervals).
    #[track_caller]
    pub(crate) fn of<const N: usize>(
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

    /// The draws of one resample of one set of runs.
    fn stream(&self, resample: usize, set: usize) -> Philox {
        Philox::stream(self.seed, Stream { purpose: RESAMPLES, update: resample as u32, episode: set as u32 })
    }
}

/// The number below which a share `q` of the sorted numbers lies: linear between the two nearest, the first at 0 and the
/// last at 1.
///
/// Source: definition 7 of R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages" (1996).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::super::estimate::{iqm, mean, median, median_of_task_means};
    use super::super::golden;
    use super::*;

    #[test]
    fn intervals_are_those_of_rliable() {
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
    fn a_quantile_is_linear_between_its_neighbours() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.25, 0.375, 0.9, 1.0].map(|q| quantile(&sorted, q)), [1.0, 2.0, 3.0, 12.8, 16.0]);
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
    }

    #[test]
    fn one_run_and_equal_scores_leave_a_point() {
        for rows in [&[[0.1, 0.7]][..], &[[0.1, 0.1]; 9]] {
            let scores = Scores::new(rows).expect("a matrix");
            let Interval { estimate, low, high } = Bootstrap::default().interval(&scores, |s| iqm(s.all()));
            assert_eq!([estimate; 2], [low, high]);
        }
    }

    #[test]
    fn draws_depend_on_the_seed_and_not_on_the_threads() {
        let scores =
            Scores::new(&(0..9).map(|i| [f64::from(i * i), f64::from(i)]).collect::<Vec<_>>()).expect("a matrix");
        let interval = |seed| Bootstrap { seed, ..Bootstrap::default() }.interval(&scores, |s| mean(s.all()));
        let on = |threads| par::with_threads(threads, || interval(0)).expect("threads");
        assert_eq!(on(1), on(3));
        assert_ne!(interval(0), interval(1));
        assert_eq!(interval(0).estimate, interval(1).estimate);
    }

    #[test]
    fn intervals_are_shown_to_three_places() {
        let interval = Interval { estimate: 0.9731, low: 0.95, high: 0.9999 };
        assert_eq!(interval.to_string(), "0.973 [0.950, 1.000]");
        assert_eq!(format!("{interval:.1}"), "1.0 [0.9, 1.0]");
        assert_eq!(interval.show(crate::output::table::share), "0.973 [0.950, 0.999]");
    }

    #[test]
    #[should_panic(expected = "confidence 95, expected between 0 and 1")]
    fn percent_are_no_confidence() {
        let scores = Scores::new(&[[1.0]]).expect("a matrix");
        Bootstrap { confidence: 95.0, ..Bootstrap::default() }.interval(&scores, |s| mean(s.all()));
    }

    /// In how many of 400 experiments the interval covers the truth, 0: 20 runs of three tasks, whose scores are about
    /// −`apart`, 0 and `apart`, with normal deviations of each score and of the run as a whole.
    fn covered(unit: Unit, apart: f64, of_run: f64, statistic: Statistic) -> usize {
        let bootstrap = Bootstrap { resamples: 400, unit, ..Bootstrap::default() };
        let experiment = |update| {
            let mut rng = Philox::stream(1, Stream { purpose: Purpose::TEST, update, episode: 0 });
            let rows = [(); 20].map(|()| {
                let run = of_run * rng.normal();
                [-apart, 0.0, apart].map(|centre| centre + run + rng.normal())
            });
            let scores = Scores::new(&rows).expect("a matrix");
            bootstrap.interval(&scores, |scores| statistic(scores.all()))
        };
        (0..400).map(experiment).filter(|interval| interval.low <= 0.0 && 0.0 <= interval.high).count()
    }

    type Statistic = fn(&[f64]) -> f64;

    const STATISTICS: [(&str, Statistic); 3] = [("mean", mean), ("IQM", iqm), ("median", median)];

    /// Five standard deviations about what 400 intervals of 20 runs cover: √(19/20) of the width that they should have
    /// makes 2Φ(1.96·√(19/20)) − 1 = 94.4 %, or 377.5, and √(400·0.944·0.056) = 4.6.
    const COVERS: std::ops::RangeInclusive<usize> = 354..=399;

    /// With tasks far apart, drawing runs across tasks would cover always.
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_should() {
        for (apart, (name, statistic)) in [0.0, 3.0].into_iter().flat_map(|apart| STATISTICS.map(|s| (apart, s))) {
            let covered = covered(Unit::Score, apart, 0.0, statistic);
            assert!(COVERS.contains(&covered), "{name}, {apart} apart: {covered} of 400");
        }
    }

    /// With scores of a run that rise and fall together, only whole runs make intervals that are wide enough.
    #[test]
    fn scores_of_one_training_are_drawn_together() {
        for (name, statistic) in STATISTICS {
            let [apart, together] = [Unit::Score, Unit::Run].map(|unit| covered(unit, 0.0, 3.0, statistic));
            assert!(apart < 330 && COVERS.contains(&together), "{name}: {apart} and {together} of 400");
        }
    }
}
