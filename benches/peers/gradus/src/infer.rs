//! One greedy episode: everything that depends on the weights alone is there already.

use autograd::Tape;
use nn::Params;
use tensor::{Kernels, Map, Real, Tensor};

use crate::act::{Actor, greedy};
use crate::net::Net;

/// A network's numbers, and room for what one episode computes.
pub struct Player {
    kernels: &'static dyn Kernels<f32>,
    actor: Actor,
    /// The GRU's input part of each token, \[V,3d\]; embeddings of tokens\[V,d\] and stages\[S,d\].
    table: Tensor,
    embedding: Tensor,
    stages: Tensor,
    /// The embedded context\[4,d\]; the start before tanh and after it, \[1,d\].
    context: Tensor,
    start: [Tensor; 2],
}

impl Player {
    /// The numbers as they are now.
    pub fn load(net: &Net, params: &Params) -> Self {
        let (tape, mut actor) = (Tape::evaluating(), Actor::default());
        let weights = params.bind(&tape);
        actor.load(net, weights);
        let [embedding, stages] = [net.embedding, net.stage].map(|layer| params.get(layer.weight));
        let width = embedding.shape()[1];
        let [context, sum, h0] = [4, 1, 1].map(|rows| Tensor::zeros([rows, width]));
        let (kernels, table) = (f32::kernels(), net.table(weights).value());
        Self { kernels, actor, table, embedding, stages, context, start: [sum, h0] }
    }

    /// The most probable action of each step, for one context\[4\] of stage 0.
    pub fn episode(&mut self, context: &Tensor<u32>, steps: usize) -> Vec<u32> {
        let Self { kernels, actor, table, embedding, stages, context: embedded, start: [sum, h0] } = self;
        kernels.gather_rows(embedding.view(), context.view(), embedded.view_mut());
        kernels.map(Map::Identity, stages.view().slice(0, 0..1), sum.view_mut());
        kernels.sum_to(1.0 / context.size() as f32, embedded.view(), sum.view_mut());
        kernels.map(Map::Tanh, sum.view(), h0.view_mut());
        actor.play(*kernels, table.view(), h0.view(), steps, greedy(*kernels)).to_vec()
    }
}
