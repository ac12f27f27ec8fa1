//! The performance profile: the share of scores above each threshold.

use serde::Serialize;

use super::{Bootstrap, Interval, Scores};

/// The greatest number below 1: the threshold that only a perfect score exceeds.
///
/// A profile counts scores strictly *above* a threshold, so at threshold 1 it would be 0 for scores of at most 1.
pub(crate) const PERFECT: f64 = 1.0_f64.next_down();

/// A point of a performance profile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct ProfilePoint {
    /// The threshold τ.
    pub(crate) threshold: f64,
    /// The share of the scores, over all runs and tasks, that are greater than τ.
    pub(crate) share: Interval,
}

/// Computes the performance profile at these thresholds: F̂(τ) = (the number of scores > τ) / (runs · tasks).
///
/// Each share has its own interval, so the band is pointwise.
///
/// Source: section 4 of the paper, the run-score distribution; rliable's `create_performance_profile`, which counts
/// scores strictly above τ.
pub(crate) fn performance_profile(scores: &Scores, thresholds: &[f64], bootstrap: &Bootstrap) -> Vec<ProfilePoint> {
    let shares = |scores: &Scores| thresholds.iter().map(|&threshold| share_above(scores.all(), threshold)).collect();
    let levels = thresholds.iter().zip(bootstrap.intervals(scores, shares));
    levels.map(|(&threshold, share)| ProfilePoint { threshold, share }).collect()
}

fn share_above(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|&&score| score > threshold).count() as f64 / scores.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn performance_profile_matches_rliable() {
        let bootstrap = Bootstrap { resamples: golden::RESAMPLES, ..Bootstrap::default() };
        let thresholds = golden::thresholds();
        assert!(thresholds.contains(&PERFECT) && thresholds.contains(&1.0));
        for (name, case) in golden::matrices() {
            let found = performance_profile(&case.scores(), &thresholds, &bootstrap);
            assert_eq!(found.len(), case.profile.len());
            found.into_iter().zip(&case.profile).for_each(|(found, want)| want.assert_holds(name, found.share));
        }
    }

    #[test]
    fn performance_profile_excludes_scores_at_threshold() {
        let scores = Scores::new(&[[0.5, 1.0], [PERFECT, 1.0]]).expect("a matrix");
        let levels = performance_profile(&scores, &[0.5, PERFECT, 1.0], &Bootstrap::default());
        assert_eq!(levels.iter().map(|level| level.share.estimate).collect::<Vec<_>>(), [0.75, 0.5, 0.0]);
    }
}
