//! Acting without a tape: what a state leads to decides what is read next.

use autograd::Scan;
use peer::{CTX, VOCABULARY};
use tensor::philox::Philox;
use tensor::{Form, Kernels, Map, Tensor, View};

/// What acting reads besides the GRU's weights. It shares the parameters' buffer: while it is held, an optimiser would copy that.
pub struct Numbers {
    /// The GRU's input part of each token, \[V,3d\].
    pub table: Tensor,
    /// The heads' weight, transposed for the products of all steps, and their bias: \[d,V+1\], \[V+1\].
    pub heads: [Tensor; 2],
}

/// Plays `steps` steps from h\[B,d\] with a GRU that is loaded and keeps what it computes; `choose` takes logits\[B,V\] to B
/// actions. Returns the actions \[T,B\].
pub fn play(
    kernels: &dyn Kernels<f32>,
    Numbers { table, heads: [w, b] }: &Numbers,
    scan: &mut Scan<f32>,
    h: View<f32>,
    steps: usize,
    mut choose: impl FnMut(View<f32>, &mut Tensor<u32>),
) -> Tensor<u32> {
    let batch = h.shape()[0];
    let (mut tokens, mut decisions) = (Tensor::full([batch], CTX), Tensor::zeros([batch, VOCABULARY + 1]));
    scan.begin(kernels, h);
    let mut actions = Vec::with_capacity(steps * batch);
    for _ in 0..steps {
        scan.step(kernels, table.view(), tokens.view());
        kernels.map(Map::Identity, b.view().broadcast_to(decisions.shape()), decisions.view_mut());
        kernels.matmul(Form::NN, scan.state(), w.view(), true, decisions.view_mut());
        choose(decisions.view().slice(1, 0..VOCABULARY), &mut tokens);
        actions.extend_from_slice(tokens.view().as_slice().expect("tokens have no gaps"));
    }
    Tensor::new([steps, batch], actions)
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

/// The action in whose share of [0, 1) the number u lies; above the sum of rounded shares, the last whose share is above zero.
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
