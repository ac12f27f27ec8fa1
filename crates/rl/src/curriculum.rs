//! How a batch is divided among the stages.

use alloc::vec::Vec;

use crate::config::Curriculum;

/// How far training has come: what the curricula look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The exact match of each stage in the last validation; 0 before the first.
    pub exact: Vec<f64>,
    /// Stages 0 to `unlocked` are open.
    pub unlocked: usize,
}

impl Progress {
    /// The beginning: only the first stage is open.
    pub fn new(stages: usize) -> Self {
        Self { exact: alloc::vec![0.0; stages], unlocked: 0 }
    }

    /// Takes note of a validation, and opens the next stage if the highest open one has reached `threshold`.
    pub fn note(&mut self, exact: &[f64], threshold: f64) {
        self.exact.copy_from_slice(exact);
        if self.exact[self.unlocked] >= threshold && self.unlocked + 1 < self.exact.len() {
            self.unlocked += 1;
        }
    }
}

/// The share of the batch that goes to each stage; they add up to 1.
pub fn shares(curriculum: Curriculum, progress: &Progress) -> Vec<f64> {
    let stages = progress.exact.len();
    let half_on_the_last_of = |open: usize, stage: usize| match stage {
        _ if stage >= open => 0.0,
        _ => 0.5 * f64::from(stage + 1 == open) + 0.5 / open as f64,
    };
    let share = |stage: usize| match curriculum {
        Curriculum::Switch => f64::from(stage == progress.unlocked),
        Curriculum::Gate => half_on_the_last_of(progress.unlocked + 1, stage),
        Curriculum::Mix => half_on_the_last_of(stages, stage),
        // In proportion to what is wrong, and a tenth more, so that nothing is forgotten.
        Curriculum::Adapt => {
            let need = |exact: f64| 1.1 - exact;
            need(progress.exact[stage]) / progress.exact.iter().map(|&exact| need(exact)).sum::<f64>()
        }
    };
    (0..stages).map(share).collect()
}

/// `total` episodes in the given shares, by largest remainder; earlier stages first where remainders are equal.
pub fn counts(shares: &[f64], total: usize) -> Vec<usize> {
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

    fn at(unlocked: usize, exact: [f64; 3]) -> Progress {
        Progress { exact: exact.to_vec(), unlocked }
    }

    #[test]
    fn each_curriculum_divides_as_it_says() {
        let progress = at(1, [1.0, 0.5, 0.0]);
        assert_eq!(shares(Curriculum::Switch, &progress), [0.0, 1.0, 0.0]);
        assert_eq!(shares(Curriculum::Gate, &progress), [0.25, 0.75, 0.0]);
        assert_eq!(shares(Curriculum::Mix, &progress), [0.5 / 3.0, 0.5 / 3.0, 0.5 + 0.5 / 3.0]);
        let adapt = shares(Curriculum::Adapt, &progress);
        assert!(adapt[0] > 0.0 && adapt[0] < adapt[1] && adapt[1] < adapt[2]);
    }

    #[test]
    fn shares_add_up() {
        for curriculum in [Curriculum::Switch, Curriculum::Gate, Curriculum::Mix, Curriculum::Adapt] {
            for unlocked in 0..3 {
                let shares = shares(curriculum, &at(unlocked, [1.0, 0.3, 0.0]));
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                for total in [1, 2, 64, 191, 192] {
                    assert_eq!(counts(&shares, total).iter().sum::<usize>(), total);
                }
            }
        }
        assert_eq!(counts(&[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0], 192), [128, 32, 32]);
    }

    #[test]
    fn a_stage_unlocks_at_the_threshold_and_none_after_the_last() {
        let mut progress = Progress::new(3);
        progress.note(&[0.94, 0.0, 0.0], 0.95);
        assert_eq!(progress.unlocked, 0);
        progress.note(&[0.95, 1.0, 0.0], 0.95);
        assert_eq!(progress.unlocked, 1);
        progress.note(&[0.0, 1.0, 1.0], 0.95);
        progress.note(&[0.0, 1.0, 1.0], 0.95);
        assert_eq!(progress.unlocked, 2);
    }
}
