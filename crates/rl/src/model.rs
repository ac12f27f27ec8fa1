//! The trait of a network that A2C can train: from an initial state it reads observations, and in each state it decides.
//!
//! ```text
//! start ─ h₀ ─ read(o₀) ─ h₁ ─ read(o₁) ─ h₂ ─ …
//!                          │               │
//!                       decide          decide
//! ```
//!
//! [`Policy`](crate::policy::Policy) is the network that comes with the crate. A network of one's own implements three methods;
//! rollouts, learning, evaluation and agents then use it. The example `own_model` does so.

use alloc::vec::Vec;

use autograd::{GruStepper, Tape, Var};
use nn::BoundParams;
pub use nn::Keys;
use tensor::{Real, Tensor};

use crate::distribution::Distribution;

/// The parameters of a model on a tape, for one pass.
#[derive(Clone, Copy)]
pub struct Pass<'t, T: Real> {
    /// The parameters.
    pub weights: BoundParams<'t, T>,
    /// The result of [`Model::precompute`].
    pub precomputed: Option<Var<'t, T>>,
    /// The result of [`Model::read_context`], once the first observation was read.
    pub context: Option<Keys<'t, T>>,
}

impl<'t, T: Real> Pass<'t, T> {
    /// Puts `model` on the tape of `weights`.
    pub fn new<M: Model<T> + ?Sized>(model: &M, weights: BoundParams<'t, T>) -> Self {
        Self { weights, precomputed: model.precompute(weights), context: None }
    }

    /// The tape.
    pub fn tape(&self) -> &'t Tape<T> {
        self.weights.tape()
    }
}

/// Observations that a model reads: K of them one after the other, in B episodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Inputs<T: Real> {
    /// Tokens, \[K,B\].
    Tokens(Tensor<u32>),
    /// Vectors, \[K,B,D\].
    Vectors(Tensor<T>),
}

impl<T: Real> Inputs<T> {
    /// K, the number of observations of an episode.
    pub fn len(&self) -> usize {
        match self {
            Self::Tokens(tokens) => tokens.shape()[0],
            Self::Vectors(vectors) => vectors.shape()[0],
        }
    }

    /// Returns true if there are no observations.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Observation `k` of each episode, with K = 1.
    pub fn get(&self, k: usize) -> Self {
        match self {
            Self::Tokens(tokens) => Self::Tokens(tokens.slice(0, k..k + 1).to_contiguous()),
            Self::Vectors(vectors) => Self::Vectors(vectors.slice(0, k..k + 1).to_contiguous()),
        }
    }

    /// The buffer of tokens, which are then written. Vectors are dropped.
    pub(crate) fn tokens_mut(&mut self) -> &mut Tensor<u32> {
        if let Self::Vectors(_) = self {
            *self = Self::Tokens(Tensor::zeros([0, 0]));
        }
        match self {
            Self::Tokens(tokens) => tokens,
            Self::Vectors(_) => unreachable!("the line above replaced them"),
        }
    }

    /// The buffer of vectors, which are then written. Tokens are dropped.
    pub(crate) fn vectors_mut(&mut self) -> &mut Tensor<T> {
        if let Self::Tokens(_) = self {
            *self = Self::Vectors(Tensor::zeros([0, 0, 0]));
        }
        match self {
            Self::Vectors(vectors) => vectors,
            Self::Tokens(_) => unreachable!("the line above replaced them"),
        }
    }

    /// The tokens, \[B\] for K = 1.
    ///
    /// # Panics
    /// If observations are vectors, or K is not 1.
    #[track_caller]
    pub fn tokens(&self) -> Tensor<u32> {
        match self {
            Self::Tokens(tokens) => tokens.reshape([tokens.shape()[1]]),
            Self::Vectors(_) => panic!("tokens: the observations are vectors"),
        }
    }

    /// The vectors, \[B,D\] for K = 1.
    ///
    /// # Panics
    /// If observations are tokens, or K is not 1.
    #[track_caller]
    pub fn vectors(&self) -> Tensor<T> {
        match self {
            Self::Vectors(vectors) => vectors.reshape([vectors.shape()[1], vectors.shape()[2]]),
            Self::Tokens(_) => panic!("vectors: the observations are tokens"),
        }
    }
}

/// The outputs of a model in N states.
#[derive(Clone, Copy)]
pub struct Heads<'t, T: Real> {
    /// The parameters of the distribution of the actions.
    pub actions: ActionHead<'t, T>,
    /// V, the critic's values, \[N\].
    pub values: Var<'t, T>,
}

/// The parameters of the distribution of the actions in N states.
#[derive(Clone, Copy)]
pub enum ActionHead<'t, T: Real> {
    /// Logits\[N,A\] of discrete actions, normalised or not.
    Logits(Var<'t, T>),
    /// A diagonal Gaussian over vectors.
    Gaussian {
        /// μ, \[N,D\].
        mean: Var<'t, T>,
        /// ln σ, \[D\].
        log_std: Var<'t, T>,
    },
}

/// A network with parameters in [`Params`](nn::Params). Its recurrent state is S numbers per episode; a model with several states
/// concatenates them.
pub trait Model<T: Real>: Send + Sync {
    /// Computes the state before the first observation of an episode of `stage`, \[B,S\].
    fn start<'t>(&self, pass: Pass<'t, T>, stage: usize, episodes: usize) -> Var<'t, T>;

    /// Reads one observation (K = 1) in the state \[B,S\]. Returns the next state, \[B,S\].
    fn read<'t>(&self, pass: Pass<'t, T>, inputs: &Inputs<T>, state: Var<'t, T>) -> Var<'t, T>;

    /// Computes the outputs in states\[N,S\]: of one step of B episodes, or of T steps, one after the other.
    fn decide<'t>(&self, pass: Pass<'t, T>, states: Var<'t, T>) -> Heads<'t, T>;

    /// Computes what does not change during a pass, such as a table with one row per token.
    fn precompute<'t>(&self, weights: BoundParams<'t, T>) -> Option<Var<'t, T>> {
        let _ = weights;
        None
    }

    /// Reads K ≥ 1 observations. Returns the state after each, \[K,B,S\]. A model with a faster way than one
    /// [`read`](Self::read) after the other overrides this method. It may leave out the states after the first observations if
    /// no decision is made in them.
    fn read_all<'t>(&self, pass: Pass<'t, T>, inputs: &Inputs<T>, state: Var<'t, T>) -> Var<'t, T> {
        let mut state = state;
        let states: Vec<_> = (0..inputs.len())
            .map(|k| {
                state = self.read(pass, &inputs.get(k), state);
                state
            })
            .collect();
        Var::stack(&states)
    }

    /// Computes the keys of the first observation of each episode, which all of its decisions may look up in
    /// [`Pass::context`]. Row i has read `lengths[i]` of the K observations; states\[K,B,S\] are those after each. Returns `None`,
    /// the default, if decisions depend on the latest state alone.
    ///
    /// States before the last one of a segment are not kept, so a model with keys plays whole episodes only.
    fn read_context<'t>(
        &self,
        pass: Pass<'t, T>,
        inputs: &Inputs<T>,
        states: Var<'t, T>,
        lengths: &[usize],
    ) -> Option<Keys<'t, T>> {
        let _ = (pass, inputs, states, lengths);
        None
    }

    /// Loads the weights into `stepper` and begins its pass in `state`, so that learning need not repeat the pass: see
    /// [`GruStepper`], whose [`state`](GruStepper::state) is the model's state from then on. Returns false, the default, if the model
    /// does not do so. An [`Agent`](crate::agent::Agent) calls this method once, and begins the pass of each episode itself.
    fn begin_steps(&self, pass: Pass<'_, T>, state: Var<'_, T>, stepper: &mut GruStepper<T>) -> bool {
        let _ = (pass, state, stepper);
        false
    }

    /// Reads K ≥ 1 observations as [`read_all`](Self::read_all) does, by steps of `stepper`. Their states stay in it.
    fn read_steps(&self, pass: Pass<'_, T>, inputs: &Inputs<T>, stepper: &mut GruStepper<T>) {
        let _ = (pass, inputs, stepper);
        unreachable!("begin_steps returned false")
    }

    /// Records the result of [`read_all`](Self::read_all) from the steps in `stepper`, without computing it again.
    fn recall_steps<'t>(
        &self,
        pass: Pass<'t, T>,
        inputs: &Inputs<T>,
        state: Var<'t, T>,
        stepper: &mut GruStepper<T>,
    ) -> Var<'t, T> {
        let _ = (pass, inputs, state, stepper);
        unreachable!("begin_steps returned false")
    }
}

/// The decisions in N states: the distribution of the actions, and the critic's values.
#[derive(Clone, Copy)]
pub struct Decisions<'t, T: Real> {
    /// The distribution of the actions.
    pub actions: Distribution<'t, T>,
    /// V, \[N\].
    pub values: Var<'t, T>,
}

impl<'t, T: Real> Decisions<'t, T> {
    /// The decisions of these outputs. `legal`\[N,A\] marks the legal actions; an empty list allows all.
    #[track_caller]
    pub fn new(heads: Heads<'t, T>, legal: &[bool]) -> Self {
        let actions = match heads.actions {
            ActionHead::Logits(logits) => Distribution::categorical(logits, legal),
            ActionHead::Gaussian { mean, log_std } => Distribution::gaussian(mean, log_std),
        };
        Self { actions, values: heads.values }
    }

    /// Selects the decisions at `steps`. The other steps have no influence on later results, even if they hold NaN or
    /// infinities. Their gradient is exactly 0.
    ///
    /// # Panics
    /// If a step is out of range.
    #[track_caller]
    pub fn at_steps(&self, steps: &Tensor<u32>) -> Self {
        let (all, some) = (self.values.shape()[0], steps.size());
        let values = self.values.reshape([all, 1]).embedding(steps);
        Self { actions: self.actions.at_rows(steps), values: values.reshape([some]) }
    }
}
