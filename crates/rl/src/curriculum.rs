//! Curricula: the division of a batch among the stages.

use alloc::vec::Vec;

use crate::config::Curriculum;

/// The progress of training, which the curricula depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The exact match of each stage in the last validation; 0 before the first.
    pub exact: Vec<f64>,
    /// The highest unlocked stage; all stages below it are unlocked as well.
    pub unlocked: usize,
}

impl Progress {
    /// The progress before training: only stage 0 is unlocked.
    pub fn new(stages: usize) -> Self {
        Self { exact: alloc::vec![0.0; stages], unlocked: 0 }
    }

    /// Records the exact match of each stage. Unlocks the next stage if the highest unlocked one has reached `threshold`.
    pub fn record_validation(&mut self, exact: &[f64], threshold: f64) {
        self.exact.copy_from_slice(exact);
        if self.exact[self.unlocked] >= threshold && self.unlocked + 1 < self.exact.len() {
            self.unlocked += 1;
        }
    }
}

/// Computes the share of each stage in the batch. The shares add up to 1.
pub fn compute_shares(curriculum: Curriculum, progress: &Progress) -> Vec<f64> {
    let stages = progress.exact.len();
    let half_on_last = |open: usize, stage: usize| match stage {
        _ if stage >= open => 0.0,
        _ => 0.5 * f64::from(stage + 1 == open) + 0.5 / open as f64,
    };
    let share = |stage: usize| match curriculum {
        Curriculum::Switch => f64::from(stage == progress.unlocked),
        Curriculum::Gate => half_on_last(progress.unlocked + 1, stage),
        Curriculum::Mix => half_on_last(stages, stage),
        // In proportion to the error rate plus 0.1, so that every stage keeps a share and none is forgotten.
        Curriculum::Adapt => {
            let need = |exact: f64| 1.1 - exact;
            need(progress.exact[stage]) / progress.exact.iter().map(|&exact| need(exact)).sum::<f64>()
        }
    };
    (0..stages).map(share).collect()
}

/// Allocates `total` episodes to the stages by the largest-remainder method. If remainders are equal, the earlier stage
/// comes first.
pub fn allocate_episodes(shares: &[f64], total: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = shares.iter().map(|share| (share * total as f64) as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let remainder = |stage: usize| shares[stage] * total as f64 - counts[stage] as f64;
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    let missing = total - counts.iter().sum::<usize>();
    for stage in order.into_iter().cycle().take(missing) {
        counts[stage] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress_at(unlocked: usize, exact: [f64; 3]) -> Progress {
        Progress { exact: exact.to_vec(), unlocked }
    }

    #[test]
    fn compute_shares_of_each_curriculum_are_as_documented() {
        let progress = progress_at(1, [1.0, 0.5, 0.0]);
        assert_eq!(compute_shares(Curriculum::Switch, &progress), [0.0, 1.0, 0.0]);
        assert_eq!(compute_shares(Curriculum::Gate, &progress), [0.25, 0.75, 0.0]);
        assert_eq!(compute_shares(Curriculum::Mix, &progress), [0.5 / 3.0, 0.5 / 3.0, 0.5 + 0.5 / 3.0]);
        let adapt = compute_shares(Curriculum::Adapt, &progress);
        assert!(adapt[0] > 0.0 && adapt[0] < adapt[1] && adapt[1] < adapt[2]);
    }

    #[test]
    fn shares_add_up_to_one_and_episodes_to_the_total() {
        for curriculum in [Curriculum::Switch, Curriculum::Gate, Curriculum::Mix, Curriculum::Adapt] {
            for unlocked in 0..3 {
                let shares = compute_shares(curriculum, &progress_at(unlocked, [1.0, 0.3, 0.0]));
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                for total in [1, 2, 64, 191, 192] {
                    assert_eq!(allocate_episodes(&shares, total).iter().sum::<usize>(), total);
                }
            }
        }
        assert_eq!(allocate_episodes(&[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0], 192), [128, 32, 32]);
    }

    #[test]
    fn record_validation_at_the_threshold_unlocks_up_to_the_last_stage() {
        let mut progress = Progress::new(3);
        progress.record_validation(&[0.94, 0.0, 0.0], 0.95);
        assert_eq!(progress.unlocked, 0);
        progress.record_validation(&[0.95, 1.0, 0.0], 0.95);
        assert_eq!(progress.unlocked, 1);
        progress.record_validation(&[0.0, 1.0, 1.0], 0.95);
        progress.record_validation(&[0.0, 1.0, 1.0], 0.95);
        assert_eq!(progress.unlocked, 2);
    }
}
