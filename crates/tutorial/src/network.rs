//! The tutorial's network and its loss. The layers are those of `rl`; the initial state differs.
//!
//! ```text
//! L = − mean_B( (Σ_t ln π(a_t)) · (R − Σ_t V_t) )  +  0.5 · mean_B (Σ_t V_t − R)²  −  0.01 · mean(H(π)),
//! H(π) = − Σ_a p·ln(p + 1e-9)
//! ```

use autograd::Var;
use nn::BoundParams;
use rl::model::{Decisions, Inputs, Model, Pass};
use rl::policy::Policy;
use rl::tasks::token;
use tensor::{Real, Tensor};

use crate::run::TutorialConfig;

/// The initial state h₀ before the first token. Neither variant depends on the order of the tokens in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// h₀ = tanh(mean of the embeddings in the episode's context + stage embedding).
    EpisodeMean,
    /// The bug of the tutorial: the mean also runs over all episodes of the batch, so all of them have the same h₀.
    BatchMean,
}

/// A policy with its parameters on a tape. From its initial state it reads the token CTX, then its own actions.
pub struct Network<'p, 't, T: Real> {
    start: InitialState,
    policy: &'p Policy,
    pass: Pass<'t, T>,
}

impl<'p, 't, T: Real> Network<'p, 't, T> {
    /// Creates the network for one pass.
    pub fn new(policy: &'p Policy, weights: BoundParams<'t, T>, start: InitialState) -> Self {
        Self { start, policy, pass: Pass::new(policy, weights) }
    }

    /// h₀\[B,H\] for contexts\[L,B\] of one stage.
    ///
    /// # Panics
    /// If the policy does not read tokens with a GRU.
    #[track_caller]
    pub fn start(&self, stage: usize, contexts: &Tensor<u32>) -> Var<'t, T> {
        let (embedding, memory) = self.policy.token_gru().expect("the tutorial's policy reads tokens with a GRU");
        let weights = self.pass.weights;
        let stage = memory.stage.forward(weights, &Tensor::from([stage as u32]));
        let mean = embedding.forward(weights, contexts).mean_axis(0);
        let mean = match self.start {
            InitialState::EpisodeMean => mean,
            InitialState::BatchMean => mean.mean_axis(0).reshape(stage.shape()),
        };
        let h = (mean + stage).tanh();
        let hidden_size = h.shape()[1];
        h.broadcast_to([contexts.shape()[1], hidden_size])
    }

    /// Reads tokens\[K,B\] from the state h\[B,H\]. Returns the state after each token, \[K,B,H\], and the decisions in these
    /// states.
    pub fn read(&self, tokens: &Tensor<u32>, h: Var<'t, T>) -> (Var<'t, T>, Decisions<'t, T>) {
        let states = self.policy.read_all(self.pass, &Inputs::Tokens(tokens.clone()), h);
        let rows = states.reshape([tokens.size(), h.shape()[1]]);
        (states, Decisions::new(self.policy.decide(self.pass, rows), &[]))
    }
}

/// The first token of every episode, CTX, \[1,B\].
pub(crate) fn prompt_tokens(episodes: usize) -> Tensor<u32> {
    Tensor::full([1, episodes], token::CTX)
}

/// The loss and its terms.
pub struct TutorialLoss<'t, T: Real> {
    /// L, the loss.
    pub loss: Var<'t, T>,
    /// The first term of L.
    pub policy: Var<'t, T>,
    /// The critic's mean squared error.
    pub value: Var<'t, T>,
    /// ln π of each action, \[T,B\].
    pub log_probs: Var<'t, T>,
    /// H(π) of each decision, \[T,B\].
    pub entropies: Var<'t, T>,
    /// V of each state, \[T,B\].
    pub values: Var<'t, T>,
}

/// Computes the loss for given contexts\[L,B\], actions\[T,B\] and rewards R\[B\].
pub fn loss<'t, T: Real>(
    network: &Network<'_, 't, T>,
    stage: usize,
    contexts: &Tensor<u32>,
    actions: &Tensor<u32>,
    rewards: Var<'t, T>,
    config: &TutorialConfig,
) -> TutorialLoss<'t, T> {
    let (shape, count) = (actions.shape(), actions.size());
    let known = actions.slice(0, 0..shape[0] - 1);
    let tokens = [prompt_tokens(shape[1]).to_vec(), known.to_vec()].concat();
    let (_, decisions) = network.read(&Tensor::new(shape, tokens), network.start(stage, contexts));
    let all_log_probs = decisions.actions.log_probs();
    let log_probs = all_log_probs.gather(&actions.reshape([count, 1])).reshape(shape);
    let p = all_log_probs.exp();
    let entropies = (-(p * p.shift(T::from_f64(1e-9)).log()).sum_axis(1)).reshape(shape);
    let values = decisions.values.reshape(shape);

    let baseline = values.sum_axis(0);
    let advantage = (rewards - baseline).detach();
    let policy = -(log_probs.sum_axis(0) * advantage).mean();
    let value = (baseline - rewards).square().mean();
    let loss = policy + value.scale(T::from_f64(config.value_coefficient))
        - entropies.mean().scale(T::from_f64(config.entropy));
    TutorialLoss { loss, policy, value, log_probs, entropies, values }
}
