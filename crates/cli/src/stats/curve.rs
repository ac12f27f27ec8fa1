//! Learning curves: a statistic over several runs at each update.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Bootstrap, Interval, Scores};

/// Measurements of one run: (update, value) pairs with increasing updates.
pub(crate) type Series = Vec<(usize, f64)>;

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Point {
    /// The update.
    pub(crate) update: usize,
    /// The statistic over the runs at this update, with its interval.
    #[serde(flatten)]
    pub(crate) value: Interval,
}

/// Computes a statistic over all runs, with its interval, at each update for which any run has a value.
///
/// Between its updates, and after its last one, a run keeps its last value, because an ended run keeps its final agent. If
/// ended runs were left out, the curve would fall whenever a good run ends early, because only slower runs would remain.
/// Before its first value a run has no value, so the curve begins where every run has one.
///
/// The interval is pointwise. All points use the same resamples, so a bend of the band comes from the runs and not from
/// new random draws.
///
/// # Errors
/// If there are no runs, a run has no values, its updates do not increase, or a value is not finite.
pub(crate) fn aggregate_curve(
    runs: &[Series],
    statistic: impl Fn(&[f64]) -> f64 + Sync,
    bootstrap: &Bootstrap,
) -> Result<Vec<Point>, String> {
    for (run, series) in runs.iter().enumerate() {
        if let Some(pair) = series.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(format!("run {run} has update {} after {}; expected a later one", pair[1].0, pair[0].0));
        }
    }
    let starts = runs.iter().enumerate().map(|(run, series)| match series.first() {
        Some(&(update, _)) => Ok(update),
        None => Err(format!("run {run} has no values; expected at least one")),
    });
    let start =
        starts.collect::<Result<Vec<_>, _>>()?.into_iter().max().ok_or("there are no runs; expected at least one")?;
    let updates: BTreeSet<usize> = runs.iter().flatten().map(|&(update, _)| update).collect();
    let point = |&update: &usize| {
        let row = |series: &Series| [value_at(series, update)];
        let scores = Scores::new(&runs.iter().map(row).collect::<Vec<_>>());
        let scores = scores.map_err(|error| format!("at update {update} {error}"))?;
        Ok(Point { update, value: bootstrap.interval(&scores, |scores| statistic(scores.all())) })
    };
    updates.range(start..).map(point).collect()
}

/// Returns the last value at or before `update`, which must not be before the first value.
fn value_at(series: &[(usize, f64)], update: usize) -> f64 {
    series[series.partition_point(|&(other, _)| other <= update) - 1].1
}

#[cfg(test)]
mod tests {
    use super::super::estimate::mean;
    use super::*;

    fn means(runs: &[Series]) -> Result<Vec<(usize, f64)>, String> {
        let points = aggregate_curve(runs, mean, &Bootstrap::default())?;
        Ok(points.into_iter().map(|point| (point.update, point.value.estimate)).collect())
    }

    #[test]
    fn aggregate_curve_ended_run_keeps_last_value() {
        let runs = [vec![(10, 0.5), (20, 1.0)], vec![(10, 0.0), (20, 0.0), (30, 0.25), (40, 0.5)]];
        assert_eq!(means(&runs), Ok(vec![(10, 0.25), (20, 0.5), (30, 0.625), (40, 0.75)]));
    }

    #[test]
    fn aggregate_curve_begins_where_all_runs_have_values() {
        assert_eq!(means(&[vec![(1, 0.0), (4, 1.0)], vec![(3, 1.0)]]), Ok(vec![(3, 0.5), (4, 1.0)]));
    }

    /// Every update resamples the same runs, so shifted values have a shifted band.
    #[test]
    fn aggregate_curve_points_share_resamples() {
        let runs: Vec<_> = (0..8).map(|run| vec![(1, f64::from(run)), (2, f64::from(run + 64))]).collect();
        let points = aggregate_curve(&runs, mean, &Bootstrap::default()).expect("a curve");
        let [a, b] = [points[0].value, points[1].value];
        assert!(a.low < a.estimate && a.estimate < a.high);
        assert_eq!([a.estimate + 64.0, a.low + 64.0, a.high + 64.0], [b.estimate, b.low, b.high]);
    }

    #[test]
    fn aggregate_curve_invalid_series_is_error() {
        let cases: [(&[Series], &str); 4] = [
            (&[], "there are no runs"),
            (&[vec![(1, 0.0)], vec![]], "run 1 has no values"),
            (&[vec![(1, 0.0), (1, 0.0)]], "run 0 has update 1 after 1"),
            (&[vec![(1, 0.0), (2, f64::NAN)]], "at update 2 run 0 has the score NaN"),
        ];
        for (runs, why) in cases {
            let error = means(runs).expect_err(why);
            assert!(error.contains(why), "{error}");
        }
    }
}
