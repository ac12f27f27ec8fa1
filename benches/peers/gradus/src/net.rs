//! The network: a GRU that starts from its context, reads its own actions, and has a policy and a value.

use autograd::{Scan, Var};
use nn::{Builder, Embedding, GruCell, Linear, Params, Weights};
use peer::{STAGES, VOCABULARY};
use tensor::{Map, Tensor};

use crate::act::Numbers;

/// The layers; the numbers are in [`Params`].
#[derive(Clone, Copy)]
pub struct Net {
    /// Tokens to vectors, \[V,d\].
    pub embedding: Embedding,
    /// Stages to vectors.
    pub stage: Embedding,
    /// d to d.
    pub rnn: GruCell,
    /// h to V logits and its value: one product for both heads.
    pub heads: Linear,
}

impl Net {
    /// With PyTorch's initial values.
    pub fn new(params: &mut Params, width: usize, seed: u64) -> Self {
        let mut builder = Builder::new(params, seed);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), VOCABULARY, width),
            stage: Embedding::new(&mut builder.scope("stage_emb"), STAGES, width),
            rnn: GruCell::new(&mut builder.scope("rnn"), width, width),
            heads: Linear::new(&mut builder.scope("heads"), width, VOCABULARY + 1),
        }
    }

    /// The GRU's input part for each token, \[V,3d\]: one product of V rows for a pass, instead of one for every token read.
    pub fn table<'t>(&self, weights: Weights<'t>) -> Var<'t> {
        self.rnn.input_part(weights, weights.get(self.embedding.weight))
    }

    /// The network on a tape, for one pass.
    pub fn on<'t>(&self, weights: Weights<'t>, table: Var<'t>) -> Pass<'t> {
        Pass { net: *self, weights, table }
    }
}

/// A [`Net`] with its weights on a tape.
#[derive(Clone, Copy)]
pub struct Pass<'t> {
    net: Net,
    weights: Weights<'t>,
    table: Var<'t>,
}

impl<'t> Pass<'t> {
    /// What acting reads.
    pub fn numbers(&self) -> Numbers {
        let [w, b] = [self.net.heads.weight, self.net.heads.bias].map(|param| self.weights.get(param).value());
        Numbers { table: self.table.value(), heads: [w.transpose().map(Map::Identity), b] }
    }

    /// h₀\[B,d\] of contexts\[4,B\], all of stage 0.
    pub fn start(&self, contexts: &Tensor<u32>) -> Var<'t> {
        let tokens = self.net.embedding.forward(self.weights, contexts).mean_axis(0);
        (tokens + self.net.stage.forward(self.weights, &Tensor::from([0]))).tanh()
    }

    /// The states\[K,B,d\] after each of tokens\[K,B\].
    pub fn read(&self, tokens: &Tensor<u32>, h: Var<'t>) -> Var<'t> {
        self.net.rnn.scan_of(self.weights, self.table, tokens, h)
    }

    /// [`read`](Self::read), where `scan` has read these tokens already.
    pub fn known(&self, tokens: &Tensor<u32>, h: Var<'t>, scan: &mut Scan<f32>) -> Var<'t> {
        self.net.rnn.scan_known(self.weights, self.table, tokens, h, scan)
    }

    /// The logits\[K·B,V\] and values\[K·B\] of states\[K,B,d\].
    pub fn decide(&self, states: Var<'t>) -> (Var<'t>, Var<'t>) {
        let rows = states.shape()[0] * states.shape()[1];
        let both = self.net.heads.forward(self.weights, states.reshape([rows, states.shape()[2]]));
        (both.slice(1, 0..VOCABULARY), both.select(1, VOCABULARY))
    }
}
