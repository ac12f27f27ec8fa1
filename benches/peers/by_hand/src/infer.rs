//! One greedy episode. Everything that depends on the weights alone is computed in advance.

use autograd::{GruStepper, Tape};
use nn::Params;
use tensor::{Kernels, Map, Real, Tensor};

use crate::act::{ActingWeights, greedy, play};
use crate::net::Net;

/// A network's weights, and buffers for one episode.
pub struct Player {
    kernels: &'static dyn Kernels<f32>,
    stepper: GruStepper<f32>,
    weights: ActingWeights,
    /// The embeddings of tokens, \[V,H\], and of stages, \[S,H\].
    embedding: Tensor,
    stages: Tensor,
    /// The embedded context\[4,H\].
    context: Tensor,
    /// The initial state before and after tanh, \[1,H\].
    start: [Tensor; 2],
}

impl Player {
    /// Copies the current weights.
    pub fn load(net: &Net, params: &Params) -> Self {
        let (tape, mut stepper) = (Tape::no_grad(), GruStepper::default());
        let weights = params.bind(&tape);
        net.rnn.load_weights_into(weights, &mut stepper);
        let [embedding, stages] = [net.embedding, net.stage].map(|layer| params.get(layer.weight));
        let hidden_size = embedding.shape()[1];
        let [context, sum, h0] = [4, 1, 1].map(|rows| Tensor::zeros([rows, hidden_size]));
        let (kernels, weights) = (f32::kernels(), net.bind(weights, net.input_table(weights)).acting_weights());
        Self { kernels, stepper, weights, embedding, stages, context, start: [sum, h0] }
    }

    /// Plays the most probable action of each step, for one context\[4\] of stage 0.
    pub fn play_episode(&mut self, context: &Tensor<u32>, steps: usize) -> Vec<u32> {
        let Self { kernels, stepper, weights, embedding, stages, context: embedded, start: [sum, h0] } = self;
        kernels.gather_rows(embedding.view(), context.view(), embedded.view_mut());
        kernels.map(Map::Identity, stages.view().slice(0, 0..1), sum.view_mut());
        kernels.sum_to(1.0 / context.size() as f32, embedded.view(), sum.view_mut());
        kernels.map(Map::Tanh, sum.view(), h0.view_mut());
        play(*kernels, weights, stepper, h0.view(), steps, greedy(*kernels)).to_vec()
    }
}
