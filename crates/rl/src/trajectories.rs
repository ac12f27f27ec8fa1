//! What episodes did: the record that acting leaves, and that judging and learning read.

use alloc::vec::Vec;

use tensor::Tensor;

/// What B episodes of one stage did, in time-major order: entry `t·B + i` is step t of episode i.
#[derive(Clone, Debug, Default)]
pub struct Trajectories {
    /// Their stage.
    pub stage: usize,
    /// B.
    pub episodes: usize,
    /// T, the length of the longest.
    pub steps: usize,
    /// The tokens that were shown, \[L,B\].
    pub contexts: Vec<u32>,
    /// What was done, \[T,B\].
    pub actions: Vec<u32>,
    /// The token of each action, \[T,B\].
    pub tokens: Vec<u32>,
    /// What it earned, \[T,B\].
    pub rewards: Vec<f64>,
    /// What the critic expected before it, \[T,B\].
    pub values: Vec<f64>,
    /// Whether the episode was still going on, \[T,B\]: steps after its end count for nothing.
    pub valid: Vec<bool>,
    /// Whether it ended in an exact match, \[B\].
    pub solved: Vec<bool>,
}

impl Trajectories {
    /// The number of steps that count.
    pub fn valid_steps(&self) -> usize {
        self.valid.iter().filter(|&&valid| valid).count()
    }

    /// The steps that count, as positions t·B + i in rising order, \[N\].
    pub fn counted_steps(&self) -> Tensor<u32> {
        let counted: Vec<u32> = (0..).zip(&self.valid).filter(|(_, valid)| **valid).map(|(k, _)| k).collect();
        Tensor::new([counted.len()], counted)
    }

    /// The sum of the rewards of all steps that count.
    pub fn total_reward(&self) -> f64 {
        self.rewards.iter().zip(&self.valid).filter(|(_, valid)| **valid).map(|(reward, _)| reward).sum()
    }

    /// The actions of episode `i`, up to its end.
    pub fn program(&self, i: usize) -> Vec<u32> {
        let steps = (0..self.steps).map(|t| t * self.episodes + i);
        steps.filter(|&k| self.valid[k]).map(|k| self.actions[k]).collect()
    }

    /// The contexts as a tensor \[L,B\].
    pub fn contexts(&self) -> Tensor<u32> {
        by_step(&self.contexts, self.episodes)
    }

    /// The actions as a tensor \[T,B\].
    pub fn actions(&self) -> Tensor<u32> {
        by_step(&self.actions, self.episodes)
    }

    /// The actions' tokens as a tensor \[T,B\].
    pub fn tokens(&self) -> Tensor<u32> {
        by_step(&self.tokens, self.episodes)
    }
}

fn by_step(flat: &[u32], episodes: usize) -> Tensor<u32> {
    Tensor::new([flat.len() / episodes.max(1), episodes], flat.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_reward_nan_behind_an_end_adds_nothing() {
        let played = Trajectories {
            episodes: 2,
            steps: 2,
            rewards: alloc::vec![1.0, 2.0, 4.0, f64::NAN],
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        assert_eq!((played.total_reward(), played.counted_steps().to_vec()), (7.0, alloc::vec![0, 1, 2]));
    }
}
