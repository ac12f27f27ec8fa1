//! Acting without a tape: what a state leads to decides what is read next.

use autograd::Scan;
use nn::Weights;
use peer::{CTX, VOCABULARY};
use tensor::philox::Philox;
use tensor::{Form, Kernels, Map, Tensor, View};

use crate::net::Net;

/// The numbers that acting needs besides the table, and room for what it computes.
#[derive(Default)]
pub struct Actor {
    /// The GRU; it keeps what it computes, for the tape.
    pub scan: Scan<f32>,
    /// Of the heads: \[V+1,d\], \[V+1\].
    heads: Option<[Tensor; 2]>,
}

impl Actor {
    /// Takes the weights as they are now.
    pub fn load(&mut self, net: &Net, weights: Weights<'_>) {
        net.rnn.load(weights, &mut self.scan);
        self.heads = Some([net.heads.weight, net.heads.bias].map(|param| weights.get(param).value()));
    }

    /// Plays `steps` steps from h\[B,d\], of tokens whose input part is in table\[V,3d\]; `choose` takes logits\[B,V\] to B
    /// actions. Returns the actions \[T,B\].
    pub fn play(
        &mut self,
        kernels: &dyn Kernels<f32>,
        table: View<f32>,
        h: View<f32>,
        steps: usize,
        mut choose: impl FnMut(View<f32>, &mut Tensor<u32>),
    ) -> Tensor<u32> {
        let [w, b] = self.heads.as_ref().expect("weights have been loaded");
        let batch = h.shape()[0];
        let (mut tokens, mut decisions) = (Tensor::full([batch], CTX), Tensor::zeros([batch, VOCABULARY + 1]));
        self.scan.begin(kernels, h);
        let mut actions = Vec::with_capacity(steps * batch);
        for _ in 0..steps {
            self.scan.step(kernels, table, tokens.view());
            kernels.map(Map::Identity, b.view().broadcast_to(decisions.shape()), decisions.view_mut());
            kernels.matmul(Form::NT, self.scan.state(), w.view(), true, decisions.view_mut());
            choose(decisions.view().slice(1, 0..VOCABULARY), &mut tokens);
            actions.extend_from_slice(tokens.view().as_slice().expect("tokens have no gaps"));
        }
        Tensor::new([steps, batch], actions)
    }
}

/// Chooses the most probable action of each row, the first of equals.
pub fn greedy(kernels: &dyn Kernels<f32>) -> impl FnMut(View<f32>, &mut Tensor<u32>) {
    |logits, actions| kernels.argmax(logits, actions.view_mut())
}

/// Chooses an action of each row by its probability.
pub fn sampled(kernels: &dyn Kernels<f32>, rng: &mut Philox) -> impl FnMut(View<f32>, &mut Tensor<u32>) {
    let mut probabilities = Tensor::zeros([0]);
    move |logits, actions| {
        probabilities.resize(logits.shape());
        kernels.softmax(logits, probabilities.view_mut());
        let rows = probabilities.view().as_slice().expect("a whole tensor has no gaps").chunks_exact(VOCABULARY);
        let actions = actions.view_mut().into_slice().expect("a whole tensor has no gaps");
        actions.iter_mut().zip(rows).for_each(|(action, row)| *action = draw(row, rng.uniform_f32()));
    }
}

/// The action in whose share of [0, 1) the number u lies.
fn draw(row: &[f32], u: f32) -> u32 {
    let mut below = 0.0;
    let reaches = |p: &f32| {
        below += p;
        u < below
    };
    row.iter().position(reaches).unwrap_or(row.len() - 1) as u32
}
