//! The episodes of an update or a trial on a GPU.

/// The steps of episodes, time-major: `s·episodes + b` is step s of episode b. Steps outside of its begin and end are unspecified.
#[derive(Clone, Debug)]
pub struct Played {
    /// B.
    pub episodes: usize,
    /// The step of each episode's first decision.
    pub begin: Vec<u32>,
    /// The step after each episode's last decision.
    pub end: Vec<u32>,
    /// True for each episode that was solved.
    pub solved: Vec<bool>,
    /// The token that was read in each step, from the first on.
    pub tokens: Vec<u32>,
    /// The action of each step; in a trial, [`UNDECIDED`](Self::UNDECIDED) where log-probabilities were NaN.
    pub actions: Vec<u32>,
    /// The reward of each step.
    pub rewards: Vec<f64>,
}

impl Played {
    /// Stands for an action that could not be chosen. The episode goes on with another action, and its steps mean nothing from there on.
    pub const UNDECIDED: u32 = u32::MAX;
}
