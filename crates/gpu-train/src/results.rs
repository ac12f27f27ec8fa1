//! The episodes of an update or a trial on a GPU.

/// What episodes did, time-major: `s·episodes + b` is step s of episode b. What is not between its begin and its end may be
/// anything.
#[derive(Clone, Debug)]
pub struct Played {
    /// B.
    pub episodes: usize,
    /// The step of each episode's first decision, and the one after its last.
    pub begin: Vec<u32>,
    /// See `begin`.
    pub end: Vec<u32>,
    /// Which were solved.
    pub solved: Vec<bool>,
    /// What was read in each step, from the first on.
    pub tokens: Vec<u32>,
    /// What was decided then; in a trial, [`UNDECIDED`](Self::UNDECIDED) where log-probabilities were NaN.
    pub actions: Vec<u32>,
    /// What that earned.
    pub rewards: Vec<f64>,
}

impl Played {
    /// Stands for an action that could not be chosen. The episode goes on with another one, and means nothing from there on.
    pub const UNDECIDED: u32 = u32::MAX;
}
