//! What an update is about.

use alloc::vec::Vec;

/// All that an update needs to know.
#[derive(Clone, Debug)]
pub struct Description {
    /// How large everything is.
    pub sizes: Sizes,
    /// Where the parameters are.
    pub offsets: Offsets,
    /// The task.
    pub tables: Tables,
    /// What a decision is worth.
    pub judging: Judging,
    /// The gradient's norm at most.
    pub clip: f64,
    /// What a step does.
    pub rule: AdamRule,
    /// α.
    pub rate: Schedule,
    /// β, the weight of the entropy.
    pub entropy: Schedule,
    /// The seed of all streams of random numbers.
    pub seed: u64,
    /// The purpose of the streams of a trial.
    pub trial_purpose: u32,
}

/// How large everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// H, the hidden units: a multiple of 32, up to 1024 bytes of them.
    pub hidden: usize,
    /// V, the tokens: the ten digits, the one that ends a context, and others.
    pub vocabulary: usize,
    /// A, the actions: up to 32.
    pub actions: usize,
    /// The stages: up to 8.
    pub stages: usize,
    /// B, the episodes of an update.
    pub batch: usize,
    /// Into how many parts the batch is cut where gradients are summed. It decides what is added to what, and so the last bits.
    pub chunks: usize,
    /// The parameters.
    pub parameters: usize,
    /// The episodes of a trial, over all stages; 0 for no trials.
    pub trial: usize,
    /// Of how many updates the metrics are kept.
    pub ring: usize,
}

/// Where each of the parameters begins in their flat buffer, all of which they fill.
#[derive(Clone, Copy, Debug)]
pub struct Offsets {
    /// Tokens' embeddings, \[V,H\].
    pub emb: usize,
    /// Stages' embeddings, \[stages,H\].
    pub stage: usize,
    /// The GRU's input weights, \[3H,H\].
    pub w_ih: usize,
    /// Its recurrent weights, \[3H,H\].
    pub w_hh: usize,
    /// Its input bias, \[3H\].
    pub b_ih: usize,
    /// Its recurrent bias, \[3H\].
    pub b_hh: usize,
    /// The weights of the actions, \[A,H\].
    pub w_pi: usize,
    /// Their bias, \[A\].
    pub b_pi: usize,
    /// The weights of the value, \[H\].
    pub w_v: usize,
    /// Its bias.
    pub b_v: usize,
}

/// A task whose steps are look-ups: for each stage the states that a program can be in, 0 failed, 1 solved, 2 at the start.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The number, within its stage, of the state after each action in each state of all stages.
    pub next: Vec<u16>,
    /// How far each of these states is from the goal.
    pub distance: Vec<u16>,
    /// Where the states of each stage begin.
    pub base: Vec<u32>,
    /// How many operands each stage shows: 7 at most.
    pub operands: Vec<u32>,
    /// The token that is read after each action.
    pub tokens: Vec<u32>,
    /// The actions after which an episode is broken off.
    pub horizon: usize,
    /// Paid for a solution.
    pub correct: f64,
    /// Paid for each step by which the goal has come nearer than ever before.
    pub milestone: f64,
    /// Paid for each action.
    pub step: f64,
}

impl Tables {
    /// S, the steps of the longest episode: a token is read in each, and the last one of the context decides.
    pub fn steps(&self) -> usize {
        self.operands.iter().max().map_or(0, |&most| most as usize) + self.horizon
    }
}

/// What a decision is worth.
#[derive(Clone, Copy, Debug)]
pub struct Judging {
    /// γ, the discount.
    pub gamma: f64,
    /// λ of generalised advantages, if there are no steps.
    pub lambda: f64,
    /// Rewards that are added before the critic is asked; 0 for generalised advantages.
    pub steps: u32,
    /// Whether advantages are shifted and scaled over the batch.
    pub normalize: bool,
    /// c_v, the weight of the critic's error.
    pub value_coefficient: f64,
}

/// Adam's constants.
#[derive(Clone, Copy, Debug)]
pub struct AdamRule {
    /// β₁
    pub beta1: f64,
    /// β₂
    pub beta2: f64,
    /// ε
    pub epsilon: f64,
    /// λ, the weight decay.
    pub decay: f64,
    /// Whether λ shrinks the parameters instead of adding to the gradient.
    pub decoupled: bool,
}

/// A number that follows from that of the update.
#[derive(Clone, Copy, Debug)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// Along a straight line.
    Linear {
        /// At update 0.
        from: f64,
        /// From update `over` on.
        to: f64,
        /// How many updates it takes.
        over: u32,
    },
    /// Along half a cosine.
    Cosine {
        /// At update 0.
        from: f64,
        /// From update `over` on.
        to: f64,
        /// How many updates it takes.
        over: u32,
    },
}
