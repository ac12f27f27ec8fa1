//! The policy: one GRU that reads the context, chooses actions, and estimates the value of its state.
//!
//! ```text
//! tokens ─ Embedding ─┐
//!                     ├─ GRU ─ h ─┬─ Linear ─ log-softmax ─ ln π: log-probabilities of the actions
//! stage  ─ Embedding ─┘           └─ Linear ─ V: expected return
//! ```
//!
//! The network has no planner, no external memory and no tool interface. After the context, its only inputs are its own
//! actions. Everything that it remembers is in h.

use autograd::{GruStepper, Tape, Var};
use nn::{BoundParams, Builder, Embedding, GruCell, GruGates, Linear, Params};
use tensor::{Real, Tensor};

use crate::env::Task;
use crate::trajectories::Trajectories;

/// The layers of the network. Their parameters are in [`Params`], under the names `emb`, `stage_emb`, `rnn`, `pi`, `v`.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Embedding of the tokens, \[V,H\].
    pub embedding: Embedding,
    /// Embedding of the stages, \[stages,H\].
    pub stage: Embedding,
    /// GRU cell from H to H.
    pub rnn: GruCell,
    /// Policy head: h to the logits of the actions.
    pub pi: Linear,
    /// Value head: h to V(h).
    pub v: Linear,
}

/// The outputs of the two heads at each of T steps of B episodes.
#[derive(Clone, Copy)]
pub struct Decisions<'t, T: Real> {
    /// ln π(a | h), \[T·B,A\].
    pub log_probs: Var<'t, T>,
    /// V(h), \[T·B\].
    pub values: Var<'t, T>,
}

impl<'t, T: Real> Decisions<'t, T> {
    /// Selects the decisions at `steps`, as log-probabilities\[N,A\] and values\[N\]. The other steps have no influence on
    /// later results, even if they hold NaN or infinities. Their gradient is exactly 0.
    ///
    /// # Panics
    /// If a step is out of range.
    #[track_caller]
    pub fn at_steps(&self, steps: &Tensor<u32>) -> Self {
        let (all, some) = (self.values.shape()[0], steps.size());
        let values = self.values.reshape([all, 1]).embedding(steps);
        Self { log_probs: self.log_probs.embedding(steps), values: values.reshape([some]) }
    }
}

impl Policy {
    /// Creates a network for `task`, of hidden size H. Adds its parameters to `params`, initialised as in PyTorch.
    ///
    /// # Panics
    /// If `params` has one of them already.
    #[track_caller]
    pub fn new<T: Real>(params: &mut Params<T>, task: &dyn Task, hidden_size: usize, seed: u64) -> Self {
        let mut builder = Builder::new(params, seed);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), task.vocabulary(), hidden_size),
            stage: Embedding::new(&mut builder.scope("stage_emb"), task.stages(), hidden_size),
            rnn: GruCell::new(&mut builder.scope("rnn"), hidden_size, hidden_size),
            pi: Linear::new(&mut builder.scope("pi"), hidden_size, task.actions()),
            v: Linear::new(&mut builder.scope("v"), hidden_size, 1),
        }
    }

    /// Puts the network on the tape of `weights`, for one pass.
    pub fn on<'t, T: Real>(&self, weights: BoundParams<'t, T>) -> Network<'_, 't, T> {
        self.with_table(weights, self.table(weights))
    }

    /// Puts the network on a tape that already holds its [`table`](Self::table).
    pub(crate) fn with_table<'t, T: Real>(&self, weights: BoundParams<'t, T>, table: Var<'t, T>) -> Network<'_, 't, T> {
        Network { policy: self, weights, table }
    }

    /// The input part of the GRU's gates for each of the V tokens, gx = x·W_ihᵀ + b_ih, \[V,3H\].
    pub(crate) fn table<'t, T: Real>(&self, weights: BoundParams<'t, T>) -> Var<'t, T> {
        self.rnn.project_input(weights, weights.get(self.embedding.weight))
    }
}

/// A [`Policy`] with its weights on a tape.
pub struct Network<'p, 't, T: Real> {
    policy: &'p Policy,
    weights: BoundParams<'t, T>,
    /// [`Policy::table`]. A token's embedding does not change during a pass. Therefore one product of V rows replaces
    /// a product for every token that the network reads.
    table: Var<'t, T>,
}

impl<'t, T: Real> Network<'_, 't, T> {
    /// The tape.
    pub fn tape(&self) -> &'t Tape<T> {
        self.weights.tape()
    }

    /// The state before the first token of an episode of `stage`, h₀ = tanh(stage embedding), \[B,H\].
    ///
    /// # Panics
    /// If the task has no such stage.
    #[track_caller]
    pub fn start(&self, stage: usize, episodes: usize) -> Var<'t, T> {
        let stages = self.weights.get(self.policy.stage.weight).shape()[0];
        assert!(stage < stages, "start: stage {stage}, but there are {stages} stages");
        let h = self.policy.stage.forward(self.weights, &Tensor::from([stage as u32]));
        let hidden_size = h.shape()[1];
        h.tanh().broadcast_to([episodes, hidden_size])
    }

    /// Reads tokens\[K,B\] from the state h\[B,H\]. Returns the state after each token, \[K,B,H\].
    ///
    /// # Panics
    /// If a token is outside the vocabulary, or the shapes do not match.
    #[track_caller]
    pub fn read(&self, tokens: &Tensor<u32>, h: Var<'t, T>) -> Var<'t, T> {
        self.policy.rnn.unroll_tokens(self.weights, self.table, tokens, h)
    }

    /// Starts to read from the state h\[B,H\] into `stepper`, so that [`decisions_known`](Self::decisions_known) need not
    /// repeat the pass. Returns false if the variant of the GRU has no fused form.
    pub fn begin(&self, h: Var<'t, T>, stepper: &mut GruStepper<T>) -> bool {
        let fused = self.policy.rnn.load_weights_into(self.weights, stepper);
        if fused {
            stepper.begin(self.tape().kernels(), h.value().view());
        }
        fused
    }

    /// Reads the next tokens\[K,B\] of `stepper`, as [`read`](Self::read) does. No gradient flows through these states.
    pub fn read_on(&self, tokens: &Tensor<u32>, stepper: &mut GruStepper<T>) -> Var<'t, T> {
        let (count, table) = (tokens.shape()[0], self.table.value());
        for k in 0..count {
            stepper.step(self.tape().kernels(), table.view(), tokens.view().select(0, k));
        }
        self.tape().constant(stepper.last_states(count))
    }

    /// The GRU's gates at each of tokens\[K,B\], K ≥ 1; each gate is \[K·B,H\]. h\[B,H\] is the state before the first
    /// token, and states\[K,B,H\] are the states after each token.
    pub fn gates(&self, tokens: &Tensor<u32>, h: Var<'t, T>, states: Var<'t, T>) -> GruGates<'t, T> {
        let (count, hidden_size) = (tokens.shape()[0], h.shape()[1]);
        let rows = |x: Var<'t, T>, columns| x.reshape([x.shape().size() / columns, columns]);
        let before = Var::concat(&[h, rows(states.slice(0, 0..count - 1), hidden_size)], 0);
        self.policy.rnn.gates(self.weights, rows(self.table.embedding(tokens), 3 * hidden_size), before)
    }

    /// Computes the decisions in states\[…,H\].
    pub fn decide(&self, states: Var<'t, T>) -> Decisions<'t, T> {
        let hidden_size = states.shape().last_extent();
        let h = states.reshape([states.shape().size() / hidden_size, hidden_size]);
        let values = self.policy.v.forward(self.weights, h);
        let log_probs = self.policy.pi.forward(self.weights, h).log_softmax();
        Decisions { log_probs, values: values.reshape([h.shape()[0]]) }
    }

    /// Computes the decisions of all T steps in one pass. `after`\[T,B\] are the tokens of the actions. The network reads the
    /// context and all tokens except the last. It decides in the state after the last context token and in each later state.
    pub fn decisions(&self, stage: usize, contexts: &Tensor<u32>, after: &Tensor<u32>) -> Decisions<'t, T> {
        self.decisions_by(stage, contexts, after, |tokens, h| self.read(tokens, h))
    }

    fn decisions_by(
        &self,
        stage: usize,
        contexts: &Tensor<u32>,
        after: &Tensor<u32>,
        read: impl FnOnce(&Tensor<u32>, Var<'t, T>) -> Var<'t, T>,
    ) -> Decisions<'t, T> {
        let (first, steps, episodes) = (contexts.shape()[0], after.shape()[0], after.shape()[1]);
        let known = after.slice(0, 0..steps.saturating_sub(1));
        let tokens = [contexts.to_vec(), known.to_vec()].concat();
        let tokens = Tensor::new([first + known.shape()[0], episodes], tokens);
        let states = read(&tokens, self.start(stage, episodes));
        self.decide(states.slice(0, first - 1..first - 1 + steps))
    }

    /// Computes the [`decisions`](Self::decisions) of recorded episodes.
    pub fn decisions_of(&self, played: &Trajectories) -> Decisions<'t, T> {
        self.decisions(played.stage, &played.contexts(), &played.tokens())
    }

    /// Computes [`decisions_of`](Self::decisions_of) from the states in `stepper`, which has read the tokens during acting
    /// with the same weights.
    pub fn decisions_known(&self, played: &Trajectories, stepper: &mut GruStepper<T>) -> Decisions<'t, T> {
        self.decisions_by(played.stage, &played.contexts(), &played.tokens(), |tokens, h| {
            self.policy.rnn.unroll_from_steps(self.weights, self.table, tokens, h, stepper)
        })
    }
}
