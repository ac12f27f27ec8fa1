//! The record of the episodes of an update or an evaluation on a GPU.

/// The steps of episodes, time-major: index `t·episodes + b` is step t of episode b. Steps outside of an episode's begin and
/// end are unspecified.
#[derive(Clone, Debug)]
pub struct EpisodeRecord {
    /// B, the number of episodes.
    pub episodes: usize,
    /// The step of each episode's first decision.
    pub begin: Vec<u32>,
    /// The step after each episode's last decision.
    pub end: Vec<u32>,
    /// True for each episode that was solved.
    pub solved: Vec<bool>,
    /// The token that was read in each step, from step 0 on.
    pub tokens: Vec<u32>,
    /// The action of each step; in an evaluation, [`UNDECIDED`](Self::UNDECIDED) if log-probabilities were NaN.
    pub actions: Vec<u32>,
    /// The reward of each step.
    pub rewards: Vec<f64>,
}

impl EpisodeRecord {
    /// Stands for an action that the policy could not choose. The episode continues with an arbitrary action, and its later
    /// steps are meaningless.
    pub const UNDECIDED: u32 = u32::MAX;
}
