//! Acting: episodes, and how an action is chosen.

use autograd::{Scan, Var};
use peer::{CTX, DIGITS, VOCABULARY};
use tensor::Tensor;
use tensor::philox::Philox;

use crate::net::Pass;

/// Some episodes.
#[derive(Clone)]
pub struct Episodes {
    /// Three digits and CTX, \[4,B\].
    pub contexts: Tensor<u32>,
    /// \[T,B\].
    pub actions: Tensor<u32>,
}

impl Episodes {
    /// What the network read before each of its actions, \[T,B\]: CTX, then the actions but the last.
    pub fn read(&self) -> Tensor<u32> {
        let (steps, batch) = (self.actions.shape()[0], self.actions.shape()[1]);
        let known = self.actions.slice(0, 0..steps - 1).to_vec();
        Tensor::new([steps, batch], [vec![CTX; batch], known].concat())
    }

    /// R of each, \[B\]: the share of steps t with a = (digit t mod 3 + t) mod V.
    pub fn rewards(&self) -> Vec<f32> {
        let (steps, batch) = (self.actions.shape()[0], self.actions.shape()[1]);
        let (contexts, actions) = (self.contexts.to_vec(), self.actions.to_vec());
        let right = |i: usize, t: usize| (contexts[t % 3 * batch + i] + t as u32) % VOCABULARY as u32;
        let hits = |i| (0..steps).filter(|&t| actions[t * batch + i] == right(i, t)).count();
        (0..batch).map(|i| hits(i) as f32 / steps as f32).collect()
    }
}

/// New contexts, \[4,B\].
pub fn contexts(batch: usize, rng: &mut Philox) -> Tensor<u32> {
    Tensor::from_fn([4, batch], |k| if k < 3 * batch { rng.below(DIGITS) } else { CTX })
}

/// Plays `steps` steps of each context; `choose` takes logits\[B,V\] to B actions. `scan` has the GRU's numbers, and keeps
/// what it computes.
pub fn play<'t>(
    pass: &Pass<'t>,
    contexts: Tensor<u32>,
    steps: usize,
    scan: &mut Scan<f32>,
    mut choose: impl FnMut(Var<'t>) -> Vec<u32>,
) -> Episodes {
    let batch = contexts.shape()[1];
    let mut tokens = vec![CTX; batch];
    let start = pass.start(&contexts);
    scan.begin(start.tape().kernels(), start.value().view());
    let mut actions = Vec::with_capacity(steps * batch);
    for _ in 0..steps {
        let (logits, _) = pass.decide(pass.read_on(&Tensor::new([1, batch], tokens), scan));
        tokens = choose(logits);
        actions.extend_from_slice(&tokens);
    }
    Episodes { contexts, actions: Tensor::new([steps, batch], actions) }
}

/// The most probable action of each row, the first of equals.
pub fn greedy(logits: Var<'_>) -> Vec<u32> {
    let logits = logits.value().to_vec();
    let best = |row: &[f32]| (1..row.len()).fold(0, |best, a| if row[a] > row[best] { a } else { best });
    logits.chunks_exact(VOCABULARY).map(|row| best(row) as u32).collect()
}

/// An action of each row by its probability.
pub fn sampled(logits: Var<'_>, rng: &mut Philox) -> Vec<u32> {
    let probabilities = logits.softmax().value().to_vec();
    probabilities.chunks_exact(VOCABULARY).map(|row| draw(row, rng.uniform_f32())).collect()
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
