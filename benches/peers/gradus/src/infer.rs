//! One greedy episode: everything that depends on the weights alone is there already.

use autograd::{Scan, Tape};
use nn::Params;
use tensor::{Kernels, Map, Real, Tensor};

use crate::act::{Numbers, greedy, play};
use crate::net::Net;

/// A network's numbers, and room for what one episode computes.
pub struct Player {
    kernels: &'static dyn Kernels<f32>,
    scan: Scan<f32>,
    numbers: Numbers,
    /// Embeddings of tokens\[V,d\] and stages\[S,d\].
    embedding: Tensor,
    stages: Tensor,
    /// The embedded context\[4,d\]; the start before tanh and after it, \[1,d\].
    context: Tensor,
    start: [Tensor; 2],
}

impl Player {
    /// The numbers as they are now.
    pub fn load(net: &Net, params: &Params) -> Self {
        let (tape, mut scan) = (Tape::evaluating(), Scan::default());
        let weights = params.bind(&tape);
        net.rnn.load(weights, &mut scan);
        let [embedding, stages] = [net.embedding, net.stage].map(|layer| params.get(layer.weight));
        let width = embedding.shape()[1];
        let [context, sum, h0] = [4, 1, 1].map(|rows| Tensor::zeros([rows, width]));
        let (kernels, numbers) = (f32::kernels(), net.on(weights, net.table(weights)).numbers());
        Self { kernels, scan, numbers, embedding, stages, context, start: [sum, h0] }
    }

    /// The most probable action of each step, for one context\[4\] of stage 0.
    pub fn episode(&mut self, context: &Tensor<u32>, steps: usize) -> Vec<u32> {
        let Self { kernels, scan, numbers, embedding, stages, context: embedded, start: [sum, h0] } = self;
        kernels.gather_rows(embedding.view(), context.view(), embedded.view_mut());
        kernels.map(Map::Identity, stages.view().slice(0, 0..1), sum.view_mut());
        kernels.sum_to(1.0 / context.size() as f32, embedded.view(), sum.view_mut());
        kernels.map(Map::Tanh, sum.view(), h0.view_mut());
        play(*kernels, numbers, scan, h0.view(), steps, greedy(*kernels)).to_vec()
    }
}
