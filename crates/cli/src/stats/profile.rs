//! The performance profile: which share of the scores is above a threshold.

use serde::Serialize;

use super::{Bootstrap, Interval, Scores};

/// The threshold that only a full score is above: the greatest number below 1.
///
/// A profile counts scores *above* a threshold, so at 1 itself it is 0 where 1 is the best there is.
pub(crate) const PERFECT: f64 = 1.0_f64.next_down();

/// A point of a performance profile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Level {
    /// The threshold τ.
    pub(crate) threshold: f64,
    /// The share of the scores of all runs and tasks that are greater than τ.
    pub(crate) share: Interval,
}

/// The performance profile at these thresholds: F̂(τ) = (the number of scores > τ) / (runs · tasks).
///
/// Each share has an interval of its own: the band they make holds point by point.
///
/// Source: section 4 of the paper, the run-score distribution; rliable's `create_performance_profile`, which counts
/// scores strictly above τ.
pub(crate) fn profile(scores: &Scores, thresholds: &[f64], bootstrap: &Bootstrap) -> Vec<Level> {
    let shares = |scores: &Scores| thresholds.iter().map(|&threshold| share_above(scores.all(), threshold)).collect();
    let levels = thresholds.iter().zip(bootstrap.intervals(scores, shares));
    levels.map(|(&threshold, share)| Level { threshold, share }).collect()
}

fn share_above(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|&&score| score > threshold).count() as f64 / scores.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn profiles_are_those_of_rliable() {
        let bootstrap = Bootstrap { resamples: golden::RESAMPLES, ..Bootstrap::default() };
        let thresholds = golden::thresholds();
        assert!(thresholds.contains(&PERFECT) && thresholds.contains(&1.0));
        for (name, case) in golden::matrices() {
            let found = profile(&case.scores(), &thresholds, &bootstrap);
            assert_eq!(found.len(), case.profile.len());
            found.into_iter().zip(&case.profile).for_each(|(found, want)| want.assert_holds(name, found.share));
        }
    }

    #[test]
    fn a_score_at_the_threshold_is_not_above_it() {
        let scores = Scores::new(&[[0.5, 1.0], [PERFECT, 1.0]]).expect("a matrix");
        let levels = profile(&scores, &[0.5, PERFECT, 1.0], &Bootstrap::default());
        assert_eq!(levels.iter().map(|level| level.share.estimate).collect::<Vec<_>>(), [0.75, 0.5, 0.0]);
    }
}
