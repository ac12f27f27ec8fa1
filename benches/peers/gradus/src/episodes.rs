//! Episodes: contexts, actions and rewards.

use peer::{CTX, DIGITS, VOCABULARY};
use tensor::Tensor;
use tensor::philox::Philox;

/// The contexts and actions of some episodes.
#[derive(Clone)]
pub struct Episodes {
    /// Three digits and CTX, \[4,B\].
    pub contexts: Tensor<u32>,
    /// \[T,B\].
    pub actions: Tensor<u32>,
}

impl Episodes {
    /// Returns the tokens that the network reads before each action, \[T,B\]: CTX, then all actions but the last.
    pub fn tokens(&self) -> Tensor<u32> {
        let (steps, batch) = (self.actions.shape()[0], self.actions.shape()[1]);
        let known = self.actions.slice(0, 0..steps - 1).to_vec();
        Tensor::new([steps, batch], [vec![CTX; batch], known].concat())
    }

    /// Computes R of each episode, \[B\]: the fraction of steps t with a = (digit\[t mod 3\] + t) mod V.
    pub fn rewards(&self) -> Vec<f32> {
        let (steps, batch) = (self.actions.shape()[0], self.actions.shape()[1]);
        let (contexts, actions) = (self.contexts.to_vec(), self.actions.to_vec());
        let right = |i: usize, t: usize| (contexts[t % 3 * batch + i] + t as u32) % VOCABULARY as u32;
        let hits = |i| (0..steps).filter(|&t| actions[t * batch + i] == right(i, t)).count();
        (0..batch).map(|i| hits(i) as f32 / steps as f32).collect()
    }
}

/// Draws new contexts, \[4,B\].
pub fn draw_contexts(batch: usize, rng: &mut Philox) -> Tensor<u32> {
    Tensor::from_fn([4, batch], |k| if k < 3 * batch { rng.below(DIGITS) } else { CTX })
}
