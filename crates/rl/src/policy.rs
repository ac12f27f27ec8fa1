//! The policy: one GRU that reads its context, acts, and judges its own prospects.
//!
//! ```text
//! tokens ─ Embedding ─┐
//!                     ├─ GRU ─ h ─┬─ Linear ─ log-softmax ─ which action
//! stage  ─ Embedding ─┘           └─ Linear ─ value: the return to come
//! ```
//!
//! There is no planner, no memory and no tool interface beside the network: after its context it sees nothing but the
//! actions that it took, and what it must keep it keeps in h.

use autograd::{Scan, Tape, Var};
use nn::{Builder, Embedding, Gates, GruCell, Linear, Params, Weights};
use tensor::{Real, Tensor};

use crate::env::Task;
use crate::trajectories::Trajectories;

/// The network's layers; the numbers are in [`Params`], under the names `emb`, `stage_emb`, `rnn`, `pi`, `v`.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Tokens to vectors, \[V,d\].
    pub embedding: Embedding,
    /// Stages to vectors, \[stages,d\].
    pub stage: Embedding,
    /// d to d.
    pub rnn: GruCell,
    /// h to the logits of the actions.
    pub pi: Linear,
    /// h to its value.
    pub v: Linear,
}

/// What the network decides at each of T steps of B episodes.
#[derive(Clone, Copy)]
pub struct Decisions<'t, T: Real> {
    /// ln π(a | h), \[T·B,A\].
    pub log_probs: Var<'t, T>,
    /// V(h), \[T·B\].
    pub values: Var<'t, T>,
}

impl<'t, T: Real> Decisions<'t, T> {
    /// The decisions at `steps` alone, as log-probabilities\[N,A\] and values\[N\]. Whatever the other steps hold, NaN and
    /// infinities included, has no influence on what follows, and gets a gradient of exactly 0.
    ///
    /// # Panics
    /// If there is no such step.
    #[track_caller]
    pub fn at_steps(&self, steps: &Tensor<u32>) -> Self {
        let (all, some) = (self.values.shape()[0], steps.size());
        let values = self.values.reshape([all, 1]).embedding(steps);
        Self { log_probs: self.log_probs.embedding(steps), values: values.reshape([some]) }
    }
}

impl Policy {
    /// A network of width `width` for `task`, its parameters added to `params` with PyTorch's initial values.
    pub fn new<T: Real>(params: &mut Params<T>, task: &dyn Task, width: usize, seed: u64) -> Self {
        let mut builder = Builder::new(params, seed);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), task.vocabulary(), width),
            stage: Embedding::new(&mut builder.scope("stage_emb"), task.stages(), width),
            rnn: GruCell::new(&mut builder.scope("rnn"), width, width),
            pi: Linear::new(&mut builder.scope("pi"), width, task.actions()),
            v: Linear::new(&mut builder.scope("v"), width, 1),
        }
    }

    /// The network on a tape, for one pass.
    pub fn on<'t, T: Real>(&self, weights: Weights<'t, T>) -> Network<'_, 't, T> {
        self.with_table(weights, self.table(weights))
    }

    /// The network on a tape that has its [`table`](Self::table) already.
    pub(crate) fn with_table<'t, T: Real>(&self, weights: Weights<'t, T>, table: Var<'t, T>) -> Network<'_, 't, T> {
        Network { policy: self, weights, table }
    }

    /// The GRU's input part for each of the V tokens, \[V,3d\].
    pub(crate) fn table<'t, T: Real>(&self, weights: Weights<'t, T>) -> Var<'t, T> {
        self.rnn.input_part(weights, weights.get(self.embedding.weight))
    }
}

/// A [`Policy`] with its weights on a tape.
pub struct Network<'p, 't, T: Real> {
    policy: &'p Policy,
    weights: Weights<'t, T>,
    /// [`Policy::table`]: a token's embedding does not change during a pass, so one product of V rows replaces one for
    /// every token read.
    table: Var<'t, T>,
}

impl<'t, T: Real> Network<'_, 't, T> {
    /// The tape.
    pub fn tape(&self) -> &'t Tape<T> {
        self.weights.tape()
    }

    /// The state before the first token of an episode of `stage`, h₀ = tanh(stage embedding), \[B,d\].
    ///
    /// # Panics
    /// If there is no such stage.
    pub fn start(&self, stage: usize, episodes: usize) -> Var<'t, T> {
        let stage = u32::try_from(stage).unwrap_or_else(|_| panic!("start: stage {stage}, expected less than 2^32"));
        let h = self.policy.stage.forward(self.weights, &Tensor::from([stage]));
        let width = h.shape()[1];
        h.tanh().broadcast_to([episodes, width])
    }

    /// The states after each of tokens\[K,B\]: \[K,B,d\].
    pub fn read(&self, tokens: &Tensor<u32>, h: Var<'t, T>) -> Var<'t, T> {
        self.policy.rnn.scan_of(self.weights, self.table, tokens, h)
    }

    /// Begins to read from h\[B,d\] in a way that [`decisions_known`](Self::decisions_known) need not repeat; `false` if the
    /// GRU's variant has none.
    pub fn begin(&self, h: Var<'t, T>, scan: &mut Scan<T>) -> bool {
        let fused = self.policy.rnn.load(self.weights, scan);
        if fused {
            scan.begin(self.tape().kernels(), h.value().view());
        }
        fused
    }

    /// [`read`](Self::read), of the tokens\[K,B\] that come next in `scan`; no gradient goes through these states.
    pub fn read_on(&self, tokens: &Tensor<u32>, scan: &mut Scan<T>) -> Var<'t, T> {
        let (count, table) = (tokens.shape()[0], self.table.value());
        for k in 0..count {
            scan.step(self.tape().kernels(), table.view(), tokens.view().select(0, k));
        }
        self.tape().constant(scan.last(count))
    }

    /// The GRU's gates at each of tokens\[K,B\], K ≥ 1, read from the state h\[B,d\] with these states\[K,B,d\] after them:
    /// \[K·B,d\] each.
    pub fn gates(&self, tokens: &Tensor<u32>, h: Var<'t, T>, states: Var<'t, T>) -> Gates<'t, T> {
        let (count, width) = (tokens.shape()[0], h.shape()[1]);
        let rows = |x: Var<'t, T>, width| x.reshape([x.shape().size() / width, width]);
        let before = Var::concat(&[h, rows(states.slice(0, 0..count - 1), width)], 0);
        self.policy.rnn.gates(self.weights, rows(self.table.embedding(tokens), 3 * width), before)
    }

    /// What is decided in states\[…,d\].
    pub fn decide(&self, states: Var<'t, T>) -> Decisions<'t, T> {
        let width = states.shape().last_extent();
        let h = states.reshape([states.shape().size() / width, width]);
        let values = self.policy.v.forward(self.weights, h);
        let log_probs = self.policy.pi.forward(self.weights, h).log_softmax();
        Decisions { log_probs, values: values.reshape([h.shape()[0]]) }
    }

    /// All decisions of T steps at once, from the known tokens that follow the actions, \[T,B\]. The context and all tokens
    /// but the last are read, and each state from the context's last on decides.
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

    /// [`decisions`](Self::decisions) of episodes that were played.
    pub fn decisions_of(&self, played: &Trajectories) -> Decisions<'t, T> {
        self.decisions(played.stage, &played.contexts(), &played.tokens())
    }

    /// [`decisions_of`](Self::decisions_of), where `scan` read the tokens while they were played, on the same weights.
    pub fn decisions_known(&self, played: &Trajectories, scan: &mut Scan<T>) -> Decisions<'t, T> {
        self.decisions_by(played.stage, &played.contexts(), &played.tokens(), |tokens, h| {
            self.policy.rnn.scan_known(self.weights, self.table, tokens, h, scan)
        })
    }
}
