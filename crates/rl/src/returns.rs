//! Advantage estimation: GAE and n-step returns.

use alloc::vec::Vec;

use crate::trajectories::Trajectories;

/// The method that estimates advantages from the rewards and the critic's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AdvantageEstimator {
    /// Generalised advantage estimation with parameter λ. λ = 1 uses the whole return; λ = 0 uses one step.
    ///
    /// Source: J. Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation"
    /// (2016), equation 16.
    Gae(f64),
    /// n-step returns: the rewards of n steps, then the critic's value.
    ///
    /// Source: V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016), section 4, A3C.
    NStep(usize),
}

/// Advantages and the critic's targets, \[T,B\] as in [`Trajectories`]; zero at invalid steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advantages {
    /// Â: the estimated return minus the critic's value.
    pub advantages: Vec<f64>,
    /// G, the regression targets of the critic: Â + V.
    pub targets: Vec<f64>,
}

/// Computes advantages and targets of the steps of `played` with discount γ = `gamma`. The value after the end of a row is
/// [`Trajectories::bootstrap`]: 0 if the episode terminated, and the critic's value if it was truncated or the segment ended.
pub fn compute_advantages(played: &Trajectories, gamma: f64, estimator: AdvantageEstimator) -> Advantages {
    let mut estimates = Advantages::default();
    estimates.compute(played, gamma, estimator, |reward| reward);
    estimates
}

impl Advantages {
    /// Replaces these by advantages and targets from rewards that `scale` has changed.
    pub(crate) fn compute(
        &mut self,
        played: &Trajectories,
        gamma: f64,
        estimator: AdvantageEstimator,
        scale: impl Fn(f64) -> f64,
    ) {
        let (size, stride) = (played.valid.len(), played.episodes);
        for numbers in [&mut self.advantages, &mut self.targets] {
            numbers.clear();
            numbers.resize(size, 0.0);
        }
        for i in 0..stride {
            let count = played.steps_of(i).count();
            let place = |n: usize| n * stride + i; // the valid steps of a row are its first ones
            let after = played.bootstrap.get(i).copied().unwrap_or(0.0);
            let value = |n: usize| if n < count { played.values[place(n)] } else { after };
            let reward = |n: usize| scale(played.rewards[place(n)]);
            let advantage = |n: usize, next_advantage: f64| match estimator {
                // Â_t = δ_t + γλ·Â_{t+1}, with δ_t = r_t + γ·V_{t+1} − V_t
                AdvantageEstimator::Gae(lambda) => {
                    reward(n) + gamma * value(n + 1) - value(n) + gamma * lambda * next_advantage
                }
                // Â_t = Σ_{k<N} γᵏ·r_{t+k} + γᴺ·V_{t+N} − V_t
                AdvantageEstimator::NStep(steps) => {
                    let end = (n + steps).min(count);
                    let n_step_return = (n..end).rev().fold(value(end), |sum, m| reward(m) + gamma * sum);
                    n_step_return - value(n)
                }
            };
            let mut next_advantage = 0.0;
            for n in (0..count).rev() {
                next_advantage = advantage(n, next_advantage);
                self.advantages[place(n)] = next_advantage;
                self.targets[place(n)] = next_advantage + value(n);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use tensor::philox::{Philox, Purpose, Stream};

    use super::*;

    /// Two episodes; the first has three steps, the second one.
    fn played() -> Trajectories {
        Trajectories {
            episodes: 2,
            steps: 3,
            rewards: vec![1.0, 5.0, 2.0, 0.0, 4.0, 0.0],
            values: vec![0.5, 1.0, 0.25, 9.0, -0.5, 9.0],
            valid: vec![true, true, true, false, true, false],
            ..Trajectories::default()
        }
    }

    fn assert_close(got: &[f64], want: &[f64]) {
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} is not {want:?}");
    }

    #[test]
    fn gae_lambda_one_is_the_discounted_return() {
        let estimates = compute_advantages(&played(), 0.5, AdvantageEstimator::Gae(1.0));
        assert_close(&estimates.targets, &[1.0 + 0.5 * 2.0 + 0.25 * 4.0, 5.0, 2.0 + 0.5 * 4.0, 0.0, 4.0, 0.0]);
        assert_close(&estimates.advantages, &[2.5, 4.0, 3.75, 0.0, 4.5, 0.0]);
    }

    #[test]
    fn gae_lambda_zero_is_the_one_step_return() {
        let one = compute_advantages(&played(), 0.5, AdvantageEstimator::NStep(1));
        assert_eq!(one, compute_advantages(&played(), 0.5, AdvantageEstimator::Gae(0.0)));
        assert_close(&one.targets, &[1.0 + 0.5 * 0.25, 5.0, 2.0 + 0.5 * -0.5, 0.0, 4.0, 0.0]);
    }

    #[test]
    fn n_step_longer_than_the_episode_is_the_whole_return() {
        let (far, whole) = (
            compute_advantages(&played(), 0.9, AdvantageEstimator::NStep(99)),
            compute_advantages(&played(), 0.9, AdvantageEstimator::Gae(1.0)),
        );
        assert_close(&far.advantages, &whole.advantages);
    }

    /// Equation 16 as an explicit sum; the code computes it by recursion.
    #[test]
    fn gae_is_the_discounted_sum_of_td_errors() {
        let (gamma, lambda) = (0.9_f64, 0.7);
        let delta = [1.0 + gamma * 0.25 - 0.5, 2.0 + gamma * -0.5 - 0.25, 4.0 + 0.5];
        let sum = |t: usize| (t..3).map(|k| (gamma * lambda).powi((k - t) as i32) * delta[k]).sum::<f64>();
        let estimates = compute_advantages(&played(), gamma, AdvantageEstimator::Gae(lambda));
        assert_close(
            &[estimates.advantages[0], estimates.advantages[2], estimates.advantages[4]],
            &[sum(0), sum(1), sum(2)],
        );
    }

    /// A random batch of episodes of different lengths, of which every other one is truncated. Invalid steps hold random numbers as well.
    fn random_trajectories(rng: &mut Philox) -> Trajectories {
        let (episodes, steps) = (1 + rng.below(4) as usize, 1 + rng.below(9) as usize);
        let lengths: Vec<usize> = (0..episodes).map(|_| 1 + rng.below(steps as u32) as usize).collect();
        let mut numbers = || (0..steps * episodes).map(|_| rng.normal()).collect();
        Trajectories {
            episodes,
            steps,
            rewards: numbers(),
            values: numbers(),
            valid: (0..steps * episodes).map(|k| k / episodes < lengths[k % episodes]).collect(),
            bootstrap: (0..episodes).map(|i| if i % 2 == 0 { rng.normal() } else { 0.0 }).collect(),
            ..Trajectories::default()
        }
    }

    /// Â_t by its definition as a sum. For λ it is the average of the n-step errors with weights (1 − λ)·λⁿ⁻¹. The last
    /// n-step error, which reaches the end of the episode, has all the remaining weight.
    fn advantages_by_definition(played: &Trajectories, gamma: f64, estimator: AdvantageEstimator) -> Vec<f64> {
        let mut out = vec![0.0; played.valid.len()];
        for (k, out) in out.iter_mut().enumerate().filter(|(k, _)| played.valid[*k]) {
            let (t, i) = (k / played.episodes, k % played.episodes);
            let length = (0..played.steps).filter(|t| played.valid[t * played.episodes + i]).count();
            let at = |x: &[f64], t: usize| if t < length { x[t * played.episodes + i] } else { 0.0 };
            let value = |t: usize| if t < length { at(&played.values, t) } else { played.bootstrap[i] };
            let discount = |m: usize| (0..m).fold(1.0, |power, _| power * gamma);
            let n_step_error = |n: usize| {
                let rewards: f64 = (0..n).map(|m| discount(m) * at(&played.rewards, t + m)).sum();
                rewards + discount(n.min(length - t)) * value(t + n) - value(t)
            };
            *out = match estimator {
                AdvantageEstimator::NStep(n) => n_step_error(n),
                AdvantageEstimator::Gae(lambda) => {
                    let (mut sum, mut weight) = (0.0, 1.0);
                    for n in 1..length - t {
                        sum += (1.0 - lambda) * weight * n_step_error(n);
                        weight *= lambda;
                    }
                    sum + weight * n_step_error(length - t)
                }
            };
        }
        out
    }

    #[test]
    fn compute_advantages_random_hyper_parameters_match_the_definition() {
        let mut rng = Philox::stream(5, Stream { purpose: Purpose::REPLAY, update: 0, episode: 0 });
        for _ in 0..300 {
            let (played, gamma, lambda) = (random_trajectories(&mut rng), rng.uniform_f64(), rng.uniform_f64());
            let estimators =
                (1..=10).map(AdvantageEstimator::NStep).chain([lambda, 0.0, 1.0].map(AdvantageEstimator::Gae));
            for (estimator, gamma) in estimators.flat_map(|estimator| [(estimator, gamma), (estimator, 1.0)]) {
                let (estimates, want) = (
                    compute_advantages(&played, gamma, estimator),
                    advantages_by_definition(&played, gamma, estimator),
                );
                for (k, want) in want.iter().enumerate() {
                    let (advantage, target) = (estimates.advantages[k], estimates.targets[k]);
                    assert!((advantage - want).abs() < 1e-12, "{estimator:?} γ = {gamma}: {advantage} is not {want}");
                    let value = if played.valid[k] { played.values[k] } else { 0.0 };
                    assert!((target - want - value).abs() < 1e-12, "{estimator:?} γ = {gamma}: target {target}");
                }
            }
        }
    }

    #[test]
    fn compute_advantages_numbers_after_the_end_change_nothing() {
        let mut poisoned = played();
        (poisoned.rewards[3], poisoned.values[5]) = (f64::NAN, f64::INFINITY);
        assert_eq!(
            compute_advantages(&poisoned, 0.9, AdvantageEstimator::Gae(0.5)),
            compute_advantages(&played(), 0.9, AdvantageEstimator::Gae(0.5))
        );
    }

    /// The first episode is truncated where the critic's value is 8; the second terminates.
    #[test]
    fn compute_advantages_truncated_row_is_bootstrapped_and_terminated_row_is_not() {
        let truncated = Trajectories { bootstrap: vec![8.0, 0.0], ..played() };
        for estimator in
            [0.0, 0.5, 1.0].map(AdvantageEstimator::Gae).into_iter().chain([1, 2, 9].map(AdvantageEstimator::NStep))
        {
            let (with, without) = (
                compute_advantages(&truncated, 0.5, estimator).advantages,
                compute_advantages(&played(), 0.5, estimator).advantages,
            );
            // γ·λ of the last step's difference γ·8 for each step before; n steps see it only in reach.
            let weight = |before: usize| match estimator {
                AdvantageEstimator::Gae(lambda) => (0.5 * lambda).powi(before as i32) * 4.0,
                AdvantageEstimator::NStep(n) => {
                    if before < n {
                        0.5_f64.powi(before as i32) * 4.0
                    } else {
                        0.0
                    }
                }
            };
            let differences: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
            assert_close(&differences, &[weight(2), 0.0, weight(1), 0.0, weight(0), 0.0]);
        }
    }
}
