//! Acting without a tape. Each state decides the next token.

use autograd::GruStepper;
use peer::{CTX, VOCABULARY};
use tensor::philox::Philox;
use tensor::{Form, Kernels, Map, Tensor, View};

/// The tensors that acting reads besides the recurrent weights. They share the parameters' buffer, so an optimiser step while
/// they are alive would copy that buffer.
pub struct ActingWeights {
    /// The GRU's input part of each token, gx\[V,3H\].
    pub table: Tensor,
    /// The heads' weight, transposed once for all steps, and their bias: \[H,V+1\], \[V+1\].
    pub heads: [Tensor; 2],
}

/// Plays `steps` steps from h\[B,H\] with a loaded `stepper`, which keeps what it computes. `choose` writes B actions for
/// logits\[B,V\]. Returns the actions \[T,B\].
pub fn play(
    kernels: &dyn Kernels<f32>,
    ActingWeights { table, heads: [w, b] }: &ActingWeights,
    stepper: &mut GruStepper<f32>,
    h: View<f32>,
    steps: usize,
    mut choose: impl FnMut(View<f32>, &mut Tensor<u32>),
) -> Tensor<u32> {
    let batch = h.shape()[0];
    let (mut tokens, mut decisions) = (Tensor::full([batch], CTX), Tensor::zeros([batch, VOCABULARY + 1]));
    stepper.begin(kernels, h);
    let mut actions = Vec::with_capacity(steps * batch);
    for _ in 0..steps {
        stepper.step(kernels, table.view(), tokens.view());
        kernels.map(Map::Identity, b.view().broadcast_to(decisions.shape()), decisions.view_mut());
        kernels.matmul(Form::NN, stepper.state(), w.view(), true, decisions.view_mut());
        choose(decisions.view().slice(1, 0..VOCABULARY), &mut tokens);
        actions.extend_from_slice(tokens.view().as_slice().expect("tokens have no gaps"));
    }
    Tensor::new([steps, batch], actions)
}

/// Returns a closure that chooses the most probable action of each row, the first one on ties.
pub fn greedy(kernels: &dyn Kernels<f32>) -> impl FnMut(View<f32>, &mut Tensor<u32>) {
    |logits, actions| kernels.argmax(logits, actions.view_mut())
}

/// Returns a closure that samples an action of each row by its probability.
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

/// Returns the action whose interval of [0, 1) contains u, by the cumulative probabilities. If u is above their rounded sum,
/// returns the last action with a probability above zero.
fn draw(row: &[f32], u: f32) -> u32 {
    let (mut below, mut drawn) = (0.0, None);
    for (action, &p) in row.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        (below, drawn) = (below + p, Some(action as u32));
        if u < below {
            break;
        }
    }
    drawn.expect("no action has a probability above zero: a logit is NaN")
}
