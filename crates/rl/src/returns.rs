//! Judging: what each step was worth.

use alloc::vec;
use alloc::vec::Vec;

use crate::trajectories::Trajectories;

/// How the worth of a step is estimated from the rewards and the critic's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimator {
    /// Generalised advantages with parameter λ: λ = 1 is the return to the end, λ = 0 one step.
    ///
    /// Source: J. Schulman et al., "High-Dimensional Continuous Control Using Generalized Advantage Estimation"
    /// (2016), equation 16.
    Gae(f64),
    /// n steps of reward, then the critic's value.
    ///
    /// Source: V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016), section 4, A3C.
    Steps(usize),
}

/// Advantages and the critic's targets, \[T,B\] as in [`Trajectories`]; zero where a step does not count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Â: how much better the step was than the critic expected.
    pub advantages: Vec<f64>,
    /// What the critic should have said: Â + V.
    pub targets: Vec<f64>,
}

/// Judges the steps of `played` with discount γ. An episode's end is worth nothing more, whether it was reached or
/// broken off: the step limit is part of the task.
pub fn judge(played: &Trajectories, gamma: f64, estimator: Estimator) -> Judged {
    let size = played.valid.len();
    let mut judged = Judged { advantages: vec![0.0; size], targets: vec![0.0; size] };
    for i in 0..played.episodes {
        let steps: Vec<usize> =
            (0..played.steps).map(|t| t * played.episodes + i).filter(|&k| played.valid[k]).collect();
        let value = |n: usize| steps.get(n).map_or(0.0, |&k| played.values[k]);
        let advantage = |n: usize, later: f64| match estimator {
            // Â_t = δ_t + γλ·Â_{t+1}, with δ_t = r_t + γ·V_{t+1} − V_t
            Estimator::Gae(lambda) => {
                played.rewards[steps[n]] + gamma * value(n + 1) - value(n) + gamma * lambda * later
            }
            // Â_t = Σ_{k<N} γᵏ·r_{t+k} + γᴺ·V_{t+N} − V_t
            Estimator::Steps(count) => {
                let end = (n + count).min(steps.len());
                let ahead = (n..end).rev().fold(value(end), |sum, m| played.rewards[steps[m]] + gamma * sum);
                ahead - value(n)
            }
        };
        let mut later = 0.0;
        for n in (0..steps.len()).rev() {
            later = advantage(n, later);
            judged.advantages[steps[n]] = later;
            judged.targets[steps[n]] = later + value(n);
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use tensor::philox::{Philox, Purpose, Stream};

    use super::*;

    /// Two episodes, of three steps and of one.
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

    fn close(got: &[f64], want: &[f64]) {
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} is not {want:?}");
    }

    #[test]
    fn lambda_one_is_the_discounted_return() {
        let judged = judge(&played(), 0.5, Estimator::Gae(1.0));
        close(&judged.targets, &[1.0 + 0.5 * 2.0 + 0.25 * 4.0, 5.0, 2.0 + 0.5 * 4.0, 0.0, 4.0, 0.0]);
        close(&judged.advantages, &[2.5, 4.0, 3.75, 0.0, 4.5, 0.0]);
    }

    #[test]
    fn lambda_zero_and_one_step_are_the_same() {
        let one = judge(&played(), 0.5, Estimator::Steps(1));
        assert_eq!(one, judge(&played(), 0.5, Estimator::Gae(0.0)));
        close(&one.targets, &[1.0 + 0.5 * 0.25, 5.0, 2.0 + 0.5 * -0.5, 0.0, 4.0, 0.0]);
    }

    #[test]
    fn more_steps_than_there_are_reach_the_end() {
        let (far, whole) = (judge(&played(), 0.9, Estimator::Steps(99)), judge(&played(), 0.9, Estimator::Gae(1.0)));
        close(&far.advantages, &whole.advantages);
    }

    /// Equation 16 written out as the sum that the recursion replaces.
    #[test]
    fn gae_is_the_discounted_sum_of_errors() {
        let (gamma, lambda) = (0.9_f64, 0.7);
        let delta = [1.0 + gamma * 0.25 - 0.5, 2.0 + gamma * -0.5 - 0.25, 4.0 + 0.5];
        let sum = |t: usize| (t..3).map(|k| (gamma * lambda).powi((k - t) as i32) * delta[k]).sum::<f64>();
        let judged = judge(&played(), gamma, Estimator::Gae(lambda));
        close(&[judged.advantages[0], judged.advantages[2], judged.advantages[4]], &[sum(0), sum(1), sum(2)]);
    }

    /// A batch of episodes of different lengths, with numbers in every place, those behind an end included.
    fn drawn(rng: &mut Philox) -> Trajectories {
        let (episodes, steps) = (1 + rng.below(4) as usize, 1 + rng.below(9) as usize);
        let lengths: Vec<usize> = (0..episodes).map(|_| 1 + rng.below(steps as u32) as usize).collect();
        let mut numbers = || (0..steps * episodes).map(|_| rng.normal()).collect();
        Trajectories {
            episodes,
            steps,
            rewards: numbers(),
            values: numbers(),
            valid: (0..steps * episodes).map(|k| k / episodes < lengths[k % episodes]).collect(),
            ..Trajectories::default()
        }
    }

    /// Â_t by its definition as a sum: the n-step errors, and for λ their average with weights (1 − λ)·λⁿ⁻¹, of which the
    /// last, which reaches the end, has all that remains.
    fn by_definition(played: &Trajectories, gamma: f64, estimator: Estimator) -> Vec<f64> {
        let mut out = vec![0.0; played.valid.len()];
        for (k, out) in out.iter_mut().enumerate().filter(|(k, _)| played.valid[*k]) {
            let (t, i) = (k / played.episodes, k % played.episodes);
            let length = (0..played.steps).filter(|t| played.valid[t * played.episodes + i]).count();
            let at = |x: &[f64], t: usize| if t < length { x[t * played.episodes + i] } else { 0.0 };
            let discount = |m: usize| (0..m).fold(1.0, |power, _| power * gamma);
            let ahead = |n: usize| {
                let earned: f64 = (0..n).map(|m| discount(m) * at(&played.rewards, t + m)).sum();
                earned + discount(n) * at(&played.values, t + n) - at(&played.values, t)
            };
            *out = match estimator {
                Estimator::Steps(n) => ahead(n),
                Estimator::Gae(lambda) => {
                    let (mut sum, mut weight) = (0.0, 1.0);
                    for n in 1..length - t {
                        sum += (1.0 - lambda) * weight * ahead(n);
                        weight *= lambda;
                    }
                    sum + weight * ahead(length - t)
                }
            };
        }
        out
    }

    #[test]
    fn advantages_generated_hyper_parameters_follow_the_definition() {
        let mut rng = Philox::stream(5, Stream { purpose: Purpose::REPLAY, update: 0, episode: 0 });
        for _ in 0..300 {
            let (played, gamma, lambda) = (drawn(&mut rng), rng.uniform_f64(), rng.uniform_f64());
            let estimators = (1..=10).map(Estimator::Steps).chain([lambda, 0.0, 1.0].map(Estimator::Gae));
            for (estimator, gamma) in estimators.flat_map(|estimator| [(estimator, gamma), (estimator, 1.0)]) {
                let (judged, want) = (judge(&played, gamma, estimator), by_definition(&played, gamma, estimator));
                for (k, want) in want.iter().enumerate() {
                    let (advantage, target) = (judged.advantages[k], judged.targets[k]);
                    assert!((advantage - want).abs() < 1e-12, "{estimator:?} γ = {gamma}: {advantage} is not {want}");
                    let value = if played.valid[k] { played.values[k] } else { 0.0 };
                    assert!((target - want - value).abs() < 1e-12, "{estimator:?} γ = {gamma}: target {target}");
                }
            }
        }
    }

    #[test]
    fn what_follows_the_end_changes_nothing() {
        let mut poisoned = played();
        (poisoned.rewards[3], poisoned.values[5]) = (f64::NAN, f64::INFINITY);
        assert_eq!(judge(&poisoned, 0.9, Estimator::Gae(0.5)), judge(&played(), 0.9, Estimator::Gae(0.5)));
    }
}
