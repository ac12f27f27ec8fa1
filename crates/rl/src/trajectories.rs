//! Trajectories: the record of played episodes. Rollouts write it; advantage estimation and the loss read it.

use alloc::vec::Vec;

use tensor::Tensor;

/// The record of B episodes of one stage, in time-major order: entry `t·B + i` is step t of episode i.
#[derive(Clone, Debug, Default)]
pub struct Trajectories {
    /// The stage of the episodes.
    pub stage: usize,
    /// B, the number of episodes.
    pub episodes: usize,
    /// T, the length of the longest episode.
    pub steps: usize,
    /// The tokens of the contexts, \[L,B\].
    pub contexts: Vec<u32>,
    /// The actions, \[T,B\].
    pub actions: Vec<u32>,
    /// The token of each action, \[T,B\].
    pub tokens: Vec<u32>,
    /// The reward of each action, \[T,B\].
    pub rewards: Vec<f64>,
    /// V, the critic's value of the state before each action, \[T,B\].
    pub values: Vec<f64>,
    /// The mask of valid steps, \[T,B\]: false after the end of an episode. Invalid steps are ignored.
    pub valid: Vec<bool>,
    /// True for each episode that ended in an exact match, \[B\].
    pub solved: Vec<bool>,
}

impl Trajectories {
    /// Counts the valid steps.
    pub fn valid_step_count(&self) -> usize {
        self.valid.iter().filter(|&&valid| valid).count()
    }

    /// The indices t·B + i of the valid steps in ascending order, \[N\].
    pub fn valid_step_indices(&self) -> Tensor<u32> {
        let indices: Vec<u32> = (0..).zip(&self.valid).filter(|(_, valid)| **valid).map(|(k, _)| k).collect();
        Tensor::new([indices.len()], indices)
    }

    /// The sum of the rewards of all valid steps.
    pub fn total_reward(&self) -> f64 {
        self.rewards.iter().zip(&self.valid).filter(|(_, valid)| **valid).map(|(reward, _)| reward).sum()
    }

    /// The program of episode `i`: its actions up to its end.
    pub fn program(&self, i: usize) -> Vec<u32> {
        let steps = (0..self.steps).map(|t| t * self.episodes + i);
        steps.filter(|&k| self.valid[k]).map(|k| self.actions[k]).collect()
    }

    /// The contexts as a tensor \[L,B\].
    pub fn contexts(&self) -> Tensor<u32> {
        reshape_time_major(&self.contexts, self.episodes)
    }

    /// The actions as a tensor \[T,B\].
    pub fn actions(&self) -> Tensor<u32> {
        reshape_time_major(&self.actions, self.episodes)
    }

    /// The actions' tokens as a tensor \[T,B\].
    pub fn tokens(&self) -> Tensor<u32> {
        reshape_time_major(&self.tokens, self.episodes)
    }
}

/// Reshapes a time-major list to \[T,B\].
fn reshape_time_major(flat: &[u32], episodes: usize) -> Tensor<u32> {
    Tensor::new([flat.len() / episodes.max(1), episodes], flat.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_reward_nan_after_the_end_adds_nothing() {
        let played = Trajectories {
            episodes: 2,
            steps: 2,
            rewards: alloc::vec![1.0, 2.0, 4.0, f64::NAN],
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        assert_eq!((played.total_reward(), played.valid_step_indices().to_vec()), (7.0, alloc::vec![0, 1, 2]));
    }
}
