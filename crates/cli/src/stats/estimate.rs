//! Point estimates: interquartile mean, median, mean and range.

use super::Scores;

/// Returns the interquartile mean: the mean of the scores without the lowest and the highest quarter.
///
/// It is as robust against a few outliers as the median, and less uncertain with few runs. Of n scores, ⌊n/4⌋ are cut at
/// each end. If 4 does not divide n, slightly more than half of the scores remain. For n < 4 this is the mean.
///
/// Source: section 4 of the paper; rliable's `aggregate_iqm`, which is scipy's `trim_mean` over all runs and tasks.
///
/// # Panics
/// If there are no scores.
#[track_caller]
pub(crate) fn iqm(scores: &[f64]) -> f64 {
    let sorted = sorted(scores);
    let cut = sorted.len() / 4;
    let kept = &sorted[cut..sorted.len() - cut];
    mean(kept).clamp(kept[0], kept[kept.len() - 1]) // rounding must not move the mean of equal numbers
}

/// Returns the median. For an even number of scores it is the mean of the two middle ones.
///
/// This is not rliable's `aggregate_median`, which is [`median_of_task_means`].
///
/// # Panics
/// If there are no scores.
#[track_caller]
pub(crate) fn median(scores: &[f64]) -> f64 {
    let sorted = sorted(scores);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Returns the median over tasks of the mean over runs: rliable's `aggregate_median`.
///
/// It is meant for dozens of tasks. With three tasks it is the mean of the middle task and ignores the others. With one
/// task it is the mean.
pub(crate) fn median_of_task_means(scores: &Scores) -> f64 {
    median(&scores.by_task().map(mean).collect::<Vec<_>>())
}

/// Returns the mean. Over all runs and tasks it equals rliable's `aggregate_mean`, because every task has equally many
/// runs.
pub(crate) fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// Returns the minimum and the maximum score.
///
/// The range has no bootstrap interval: resampled scores never lie outside it.
///
/// # Panics
/// If there are no scores.
#[track_caller]
pub(crate) fn range(scores: &[f64]) -> (f64, f64) {
    let sorted = sorted(scores);
    (sorted[0], sorted[sorted.len() - 1])
}

#[track_caller]
fn sorted(scores: &[f64]) -> Vec<f64> {
    assert!(!scores.is_empty(), "no scores, expected at least one");
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::super::golden::{self, close};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn estimates_match_rliable() {
        for (name, case) in golden::matrices() {
            let scores = case.scores();
            close(&format!("iqm of {name}"), iqm(scores.all()), case.iqm.estimate);
            close(&format!("mean of {name}"), mean(scores.all()), case.mean.estimate);
            close(&format!("median of {name}"), median_of_task_means(&scores), case.median_of_task_means.estimate);
        }
    }

    /// The first n powers of two, for n = 1 to 8.
    #[test]
    fn iqm_cuts_a_quarter_rounded_down() {
        let powers: Vec<f64> = (0..8).map(|i| f64::from(1 << i)).collect();
        let want = [1.0, 1.5, 7.0 / 3.0, 3.0, 14.0 / 3.0, 7.5, 12.4, 15.0];
        for (n, want) in (1..).zip(want) {
            close(&format!("{n} scores"), iqm(&powers[..n]), want);
        }
    }

    #[test]
    fn median_of_even_count_is_mean_of_middle_two() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 8.0]), 3.0);
        assert_eq!(range(&[4.0, 1.0, 2.0, 8.0]), (1.0, 8.0));
    }

    #[test]
    #[should_panic(expected = "no scores")]
    fn iqm_of_no_scores_panics() {
        iqm(&[]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn iqm_and_median_lie_in_range_and_ignore_order(
            scores in prop::collection::vec(-2.0..2.0, 1..30),
            equal in -2.0..2.0,
        ) {
            let (min, max) = range(&scores);
            let reversed: Vec<f64> = scores.iter().rev().copied().collect();
            for estimate in [iqm, median] {
                prop_assert!((min..=max).contains(&estimate(&scores)));
                prop_assert_eq!(estimate(&scores), estimate(&reversed));
                prop_assert_eq!(estimate(&vec![equal; scores.len()]), equal);
            }
        }

        /// Up to a quarter of the scores at each end may be arbitrary.
        #[test]
        fn iqm_ignores_outliers_at_both_ends(middle in prop::collection::vec(0.0..1.0, 8), far in 1.0..1e9_f64) {
            let ends = [-far, -1.0, -2.0 * far, -far, far, 2.0, 3.0 * far, far];
            let scores = [&middle[..], &ends].concat();
            prop_assert!((iqm(&scores) - mean(&middle)).abs() < 1e-15);
        }
    }
}
