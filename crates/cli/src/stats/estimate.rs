//! One number for many scores.

use super::Scores;

/// The interquartile mean: the mean of what is left when a quarter of the scores is cut off at each end.
///
/// As robust against a few odd runs as the median, and surer with few of them. Of n scores ⌊n/4⌋ are cut at each end, so
/// where four does not divide n rather more than half is left, and of fewer than four scores this is the mean.
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
    mean(kept).clamp(kept[0], kept[kept.len() - 1]) // rounding must not carry it past equal numbers
}

/// The score in the middle; of an even number of scores the mean of the two in the middle.
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

/// The median over the tasks of the mean over the runs: rliable's `aggregate_median`.
///
/// Made for dozens of tasks. Of three it is the mean of the task in the middle and ignores the others; of one task it is
/// the mean.
pub(crate) fn median_of_task_means(scores: &Scores) -> f64 {
    median(&scores.by_task().map(mean).collect::<Vec<_>>())
}

/// The mean. Over all runs and tasks it is rliable's `aggregate_mean`, since every task has as many runs.
pub(crate) fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// The least and the greatest score.
///
/// It has no interval: what is drawn again from the scores never lies beyond them.
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
    assert!(!scores.is_empty(), "no scores have no middle, and no ends");
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
    fn estimates_are_those_of_rliable() {
        for (name, case) in golden::matrices() {
            let scores = case.scores();
            close(&format!("iqm of {name}"), iqm(scores.all()), case.iqm.estimate);
            close(&format!("mean of {name}"), mean(scores.all()), case.mean.estimate);
            close(&format!("median of {name}"), median_of_task_means(&scores), case.median_of_task_means.estimate);
        }
    }

    /// n = 1 to 8: the eighth of 1, 2, 4, 8, … that are left.
    #[test]
    fn a_quarter_is_cut_rounded_down() {
        let powers: Vec<f64> = (0..8).map(|i| f64::from(1 << i)).collect();
        let want = [1.0, 1.5, 7.0 / 3.0, 3.0, 14.0 / 3.0, 7.5, 12.4, 15.0];
        for (n, want) in (1..).zip(want) {
            close(&format!("{n} scores"), iqm(&powers[..n]), want);
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 8.0]), 3.0);
        assert_eq!(range(&[4.0, 1.0, 2.0, 8.0]), (1.0, 8.0));
    }

    #[test]
    #[should_panic(expected = "no scores")]
    fn nothing_has_no_middle() {
        iqm(&[]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn robust_estimates_lie_between_the_ends_and_know_no_order(
            scores in prop::collection::vec(-2.0..2.0, 1..30),
            equal in -2.0..2.0,
        ) {
            let (least, most) = range(&scores);
            let reversed: Vec<f64> = scores.iter().rev().copied().collect();
            for estimate in [iqm, median] {
                prop_assert!((least..=most).contains(&estimate(&scores)));
                prop_assert_eq!(estimate(&scores), estimate(&reversed));
                prop_assert_eq!(estimate(&vec![equal; scores.len()]), equal);
            }
        }

        /// Half of the scores may be anything as long as no end gets more than a quarter of them.
        #[test]
        fn the_mean_between_the_quartiles_ignores_the_ends(middle in prop::collection::vec(0.0..1.0, 8), far in 1.0..1e9_f64) {
            let ends = [-far, -1.0, -2.0 * far, -far, far, 2.0, 3.0 * far, far];
            let scores = [&middle[..], &ends].concat();
            prop_assert!((iqm(&scores) - mean(&middle)).abs() < 1e-15);
        }
    }
}
