//! The network: a GRU that starts from its context and reads its own actions, with a policy head and a value head.

use autograd::{GruStepper, Var};
use nn::{BoundParams, Builder, Embedding, GruCell, Linear, Params};
use peer::{STAGES, VOCABULARY};
use tensor::{Map, Tensor};

use crate::act::ActingWeights;

/// The layers. Their parameters are in [`Params`].
#[derive(Clone, Copy)]
pub struct Net {
    /// Tokens to vectors, \[V,H\].
    pub embedding: Embedding,
    /// Stages to vectors.
    pub stage: Embedding,
    /// The GRU, from H inputs to H states.
    pub rnn: GruCell,
    /// Both heads in one product: h to V logits and one value.
    pub heads: Linear,
}

impl Net {
    /// Creates the layers with PyTorch's initial values.
    pub fn new(params: &mut Params, hidden_size: usize, seed: u64) -> Self {
        let mut builder = Builder::new(params, seed);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), VOCABULARY, hidden_size),
            stage: Embedding::new(&mut builder.scope("stage_emb"), STAGES, hidden_size),
            rnn: GruCell::new(&mut builder.scope("rnn"), hidden_size, hidden_size),
            heads: Linear::new(&mut builder.scope("heads"), hidden_size, VOCABULARY + 1),
        }
    }

    /// Computes the GRU's input part of each token, gx\[V,3H\]: one product of V rows per pass, instead of one per token read.
    pub fn input_table<'t>(&self, weights: BoundParams<'t>) -> Var<'t> {
        self.rnn.project_input(weights, weights.get(self.embedding.weight))
    }

    /// Binds the network to a tape for one pass.
    pub fn bind<'t>(&self, weights: BoundParams<'t>, table: Var<'t>) -> Pass<'t> {
        Pass { net: *self, weights, table }
    }
}

/// A [`Net`] whose weights are on a tape.
#[derive(Clone, Copy)]
pub struct Pass<'t> {
    net: Net,
    weights: BoundParams<'t>,
    table: Var<'t>,
}

impl<'t> Pass<'t> {
    /// Returns the tensors that acting reads.
    pub fn acting_weights(&self) -> ActingWeights {
        let [w, b] = [self.net.heads.weight, self.net.heads.bias].map(|param| self.weights.get(param).value());
        ActingWeights { table: self.table.value(), heads: [w.transpose().map(Map::Identity), b] }
    }

    /// Computes h₀\[B,H\] of contexts\[4,B\], all of stage 0.
    pub fn start(&self, contexts: &Tensor<u32>) -> Var<'t> {
        let tokens = self.net.embedding.forward(self.weights, contexts).mean_axis(0);
        (tokens + self.net.stage.forward(self.weights, &Tensor::from([0]))).tanh()
    }

    /// Computes the states\[K,B,H\] after each of tokens\[K,B\].
    pub fn read(&self, tokens: &Tensor<u32>, h: Var<'t>) -> Var<'t> {
        self.net.rnn.unroll_tokens(self.weights, self.table, tokens, h)
    }

    /// [`read`](Self::read) for tokens that `stepper` has already read.
    pub fn read_from_steps(&self, tokens: &Tensor<u32>, h: Var<'t>, stepper: &mut GruStepper<f32>) -> Var<'t> {
        self.net.rnn.unroll_from_steps(self.weights, self.table, tokens, h, stepper)
    }

    /// Computes the logits\[K·B,V\] and values\[K·B\] of states\[K,B,H\].
    pub fn decide(&self, states: Var<'t>) -> (Var<'t>, Var<'t>) {
        let rows = states.shape()[0] * states.shape()[1];
        let both = self.net.heads.forward(self.weights, states.reshape([rows, states.shape()[2]]));
        (both.slice(1, 0..VOCABULARY), both.select(1, VOCABULARY))
    }
}
