//! The specification of an update: sizes, offsets, tables, settings.

use nn::{Schedule, UpdateRule};
use rl::returns::AdvantageEstimator;
use rl::tasks::calculator_stages::{CalculatorStages, HORIZON, Rewards};
use rl::tasks::{STAGES, operand_count};

/// The sizes, offsets, tables and settings of an update.
#[derive(Clone, Debug)]
pub(crate) struct UpdateSpec {
    /// The sizes.
    pub(crate) sizes: Sizes,
    /// The offset of each parameter in the flat buffer, which has no gaps: token embeddings \[V,H\], stage embeddings
    /// \[stages,H\], the GRU's W_ih and W_hh \[3H,H\], b_ih and b_hh \[3H\], the policy head's weights \[A,H\] and bias \[A\],
    /// the value head's weights \[H\] and bias.
    pub(crate) offsets: [usize; 10],
    /// The task.
    pub(crate) tables: Tables,
    /// γ, the discount.
    pub(crate) gamma: f64,
    /// The estimator of the advantages.
    pub(crate) estimator: AdvantageEstimator,
    /// True if advantages are normalised over the batch.
    pub(crate) normalize: bool,
    /// c_v, the coefficient of the value loss.
    pub(crate) value_coefficient: f64,
    /// The maximum norm of the gradient; longer gradients are clipped.
    pub(crate) clip: f64,
    /// The optimiser's rule: Adam.
    pub(crate) rule: UpdateRule,
    /// α, the learning rate.
    pub(crate) rate: Schedule,
    /// β, the entropy coefficient.
    pub(crate) entropy: Schedule,
    /// The seed of all streams of random numbers.
    pub(crate) seed: u64,
    /// The purpose of the random streams of an evaluation.
    pub(crate) eval_purpose: u32,
}

impl UpdateSpec {
    /// T·B, the number of steps of all episodes.
    pub(crate) fn step_slots(&self) -> usize {
        self.tables.steps() * self.sizes.batch
    }

    /// The number of steps of all episodes of an evaluation.
    pub(crate) fn eval_step_slots(&self) -> usize {
        self.tables.steps() * self.sizes.eval_episodes
    }
}

/// The sizes of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// H, the hidden size: a multiple of 32, up to 1024 bytes.
    pub(crate) hidden_size: usize,
    /// V, the vocabulary: the ten digits, the token that ends a context, and others.
    pub(crate) vocabulary: usize,
    /// A, the number of actions, up to 32.
    pub(crate) actions: usize,
    /// The number of stages, up to 8.
    pub(crate) stages: usize,
    /// B, the number of episodes in an update.
    pub(crate) batch: usize,
    /// The number of chunks of the batch. Gradients are summed per chunk, so it fixes the order of additions and the last bits.
    pub(crate) chunks: usize,
    /// The number of parameters.
    pub(crate) parameters: usize,
    /// The number of episodes of an evaluation over all stages; 0 for no evaluations.
    pub(crate) eval_episodes: usize,
    /// The number of updates whose metrics are kept.
    pub(crate) ring: usize,
}

impl Sizes {
    /// P, the number of partial sums of a chunk.
    pub(crate) fn partial_len(&self) -> usize {
        let Self { hidden_size: h, vocabulary: v, actions: a, stages, .. } = *self;
        3 * h * h + 3 * h + 3 * v * h + (a + 1) * (h + 1) + stages * h
    }
}

/// A task whose steps are table look-ups. Each stage has a list of states: 0 is failure, 1 is success, 2 is the start.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// The next state for each state of all stages and each action, numbered within the stage.
    pub(crate) next: Vec<u16>,
    /// The distance of each state from the goal.
    pub(crate) distance: Vec<u16>,
    /// The offset of the states of each stage.
    pub(crate) base: Vec<u32>,
    /// The number of operands in a context of each stage, at most 7.
    pub(crate) operands: Vec<u32>,
    /// The token that is read after each action.
    pub(crate) tokens: Vec<u32>,
    /// The largest number of actions in an episode.
    pub(crate) horizon: usize,
    /// The reward for a solution.
    pub(crate) correct: f64,
    /// The reward for each step by which the distance to the goal falls below its minimum so far.
    pub(crate) milestone: f64,
    /// The reward for each action.
    pub(crate) step: f64,
}

impl Tables {
    /// Extracts the tables of a task.
    pub(crate) fn from_task(task: &CalculatorStages) -> Self {
        let Rewards { correct, milestone, step } = task.rewards();
        let (mut next, mut distance, mut base, mut shown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for stage in 0..STAGES {
            let graph = task.graph(stage);
            base.push(distance.len() as u32);
            shown.push(operand_count(stage) as u32);
            next.extend(graph.next_table());
            distance.extend(graph.distance_table());
        }
        let tokens = task.action_set().tokens().to_vec();
        Self { next, distance, base, operands: shown, tokens, horizon: HORIZON, correct, milestone, step }
    }

    /// T, the steps of the longest episode. Each step reads a token, and the first decision follows the last token of the
    /// context.
    pub(crate) fn steps(&self) -> usize {
        self.operands.iter().max().map_or(0, |&most| most as usize) + self.horizon
    }
}

/// Converts a count to the GPU's 32 bits.
///
/// # Panics
/// If it is too large.
#[track_caller]
pub(crate) fn checked_u32(what: &str, n: u64) -> u32 {
    u32::try_from(n).unwrap_or_else(|_| panic!("{what}: {n}, and a GPU counts up to {}", u32::MAX))
}
