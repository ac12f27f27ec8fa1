//! One greedy episode without a tape: what depends on the weights alone is there already.

use autograd::{Scan, Tape};
use nn::{Param, Params};
use peer::{CTX, VOCABULARY};
use tensor::{Form, Kernels, Map, Real, Tensor};

use crate::net::Net;

/// A network's numbers, and room for what one episode computes.
pub struct Player {
    kernels: &'static dyn Kernels<f32>,
    /// The GRU's input part of each token, \[V,3d\], and its numbers.
    table: Tensor,
    scan: Scan<f32>,
    /// \[V,d\], \[S,d\], \[V+1,d\], \[V+1\].
    embedding: Tensor,
    stages: Tensor,
    heads: [Tensor; 2],
    /// The embedded context, the start before tanh and after it, logits and value, the action.
    context: Tensor,
    start: [Tensor; 2],
    decision: Tensor,
    action: Tensor<u32>,
}

impl Player {
    /// The numbers as they are now.
    pub fn load(net: &Net, params: &Params) -> Self {
        let (tape, mut scan) = (Tape::evaluating(), Scan::default());
        let weights = params.bind(&tape);
        net.load(weights, &mut scan);
        let [embedding, stages, w, b] = net.outside_the_gru().map(|param: Param| params.get(param));
        let width = embedding.shape()[1];
        Self {
            kernels: f32::kernels(),
            table: net.table(weights).value(),
            scan,
            embedding,
            stages,
            heads: [w, b],
            context: Tensor::zeros([4, width]),
            start: [(); 2].map(|()| Tensor::zeros([1, width])),
            decision: Tensor::zeros([1, VOCABULARY + 1]),
            action: Tensor::zeros([1]),
        }
    }

    /// The most probable action of each step, for one context of stage 0.
    pub fn episode(&mut self, context: &Tensor<u32>, steps: usize) -> Vec<u32> {
        let Self { kernels, table, scan, embedding, stages, heads: [w, b], context: embedded, start, decision, action } =
            self;
        let [sum, h0] = start;
        kernels.gather_rows(embedding.view(), context.view(), embedded.view_mut());
        kernels.map(Map::Identity, stages.view().slice(0, 0..1), sum.view_mut());
        kernels.sum_to(1.0 / context.size() as f32, embedded.view(), sum.view_mut());
        kernels.map(Map::Tanh, sum.view(), h0.view_mut());
        scan.begin(*kernels, h0.view());
        action.view_mut().fill(CTX);
        let play = |_| {
            scan.step(*kernels, table.view(), action.view());
            kernels.map(Map::Identity, b.view().broadcast_to([1, VOCABULARY + 1]), decision.view_mut());
            kernels.matmul(Form::NT, scan.state(), w.view(), true, decision.view_mut());
            kernels.argmax(decision.view().slice(1, 0..VOCABULARY), action.view_mut());
            action.item()
        };
        (0..steps).map(play).collect()
    }
}
