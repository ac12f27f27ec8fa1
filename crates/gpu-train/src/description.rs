//! The description of an update: sizes, offsets, tables, settings.

use nn::{Rule, Schedule};
use rl::env::Task;
use rl::returns::Estimator;
use rl::tasks::calculator::{Calculator, Rewards};
use rl::tasks::operands;

/// The sizes, offsets, tables and settings of an update.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// The sizes.
    pub(crate) sizes: Sizes,
    /// The offset of each parameter in the flat buffer, which they fill: tokens' embeddings \[V,H\], stages' embeddings
    /// \[stages,H\], the GRU's weights W_ih and W_hh \[3H,H\] and biases b_ih and b_hh \[3H\], the actions' weights \[A,H\] and bias
    /// \[A\], the value's weights \[H\] and bias.
    pub(crate) offsets: [usize; 10],
    /// The task.
    pub(crate) tables: Tables,
    /// γ, the discount.
    pub(crate) gamma: f64,
    /// The estimator of advantages.
    pub(crate) estimator: Estimator,
    /// True if advantages are shifted and scaled over the batch.
    pub(crate) normalize: bool,
    /// c_v, the weight of the critic's error.
    pub(crate) value_coefficient: f64,
    /// The largest norm of the gradient. A longer one is clipped.
    pub(crate) clip: f64,
    /// The optimiser's rule: Adam.
    pub(crate) rule: Rule,
    /// α.
    pub(crate) rate: Schedule,
    /// β, the weight of the entropy.
    pub(crate) entropy: Schedule,
    /// The seed of all streams of random numbers.
    pub(crate) seed: u64,
    /// The purpose of the streams of a trial.
    pub(crate) trial_purpose: u32,
}

impl Description {
    /// S·B, the steps of all episodes.
    pub(crate) fn places(&self) -> usize {
        self.tables.steps() * self.sizes.batch
    }

    /// The same of a trial.
    pub(crate) fn trial_places(&self) -> usize {
        self.tables.steps() * self.sizes.trial
    }
}

/// The sizes of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// H, the hidden units: a multiple of 32, up to 1024 bytes of them.
    pub(crate) hidden: usize,
    /// V, the tokens: the ten digits, the one that ends a context, and others.
    pub(crate) vocabulary: usize,
    /// A, the actions: up to 32.
    pub(crate) actions: usize,
    /// The stages: up to 8.
    pub(crate) stages: usize,
    /// B, the episodes of an update.
    pub(crate) batch: usize,
    /// The number of parts of the batch in which gradients are summed. It decides the order of additions, and so the last bits.
    pub(crate) chunks: usize,
    /// The parameters.
    pub(crate) parameters: usize,
    /// The episodes of a trial, over all stages; 0 for no trials.
    pub(crate) trial: usize,
    /// The number of updates whose metrics are kept.
    pub(crate) ring: usize,
}

impl Sizes {
    /// P, the numbers that each part of the batch sums.
    pub(crate) fn found(&self) -> usize {
        let Self { hidden: h, vocabulary: v, actions: a, stages, .. } = *self;
        3 * h * h + 3 * h + 3 * v * h + (a + 1) * (h + 1) + stages * h
    }
}

/// A task whose steps are look-ups. Each stage has a list of the states of a program: 0 is failed, 1 solved, 2 the start.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// The number, within its stage, of the state after each action in each state of all stages.
    pub(crate) next: Vec<u16>,
    /// The distance of each of these states from the goal.
    pub(crate) distance: Vec<u16>,
    /// The offset of the states of each stage.
    pub(crate) base: Vec<u32>,
    /// The number of operands that each stage shows: 7 at most.
    pub(crate) operands: Vec<u32>,
    /// The token that is read after each action.
    pub(crate) tokens: Vec<u32>,
    /// The largest number of actions in an episode.
    pub(crate) horizon: usize,
    /// The reward of a solution.
    pub(crate) correct: f64,
    /// The reward of each step by which the goal is nearer than ever before.
    pub(crate) milestone: f64,
    /// The reward of each action.
    pub(crate) step: f64,
}

impl Tables {
    /// The tables of a task.
    pub(crate) fn of(task: &Calculator) -> Self {
        let Rewards { correct, milestone, step } = task.rewards();
        let (mut next, mut distance, mut base, mut shown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for stage in 0..task.stages() {
            let graph = task.graph(stage);
            base.push(distance.len() as u32);
            shown.push(operands(stage) as u32);
            next.extend(graph.next_table());
            distance.extend(graph.distance_table());
        }
        let tokens = task.action_set().tokens().to_vec();
        Self { next, distance, base, operands: shown, tokens, horizon: task.horizon(), correct, milestone, step }
    }

    /// S, the steps of the longest episode. Each step reads a token, and the first decision follows the last token of the context.
    pub(crate) fn steps(&self) -> usize {
        self.operands.iter().max().map_or(0, |&most| most as usize) + self.horizon
    }
}

/// A count as a GPU holds it.
///
/// # Panics
/// If it is too large.
#[track_caller]
pub(crate) fn count(what: &str, n: u64) -> u32 {
    u32::try_from(n).unwrap_or_else(|_| panic!("{what}: {n}, and a GPU counts up to {}", u32::MAX))
}
