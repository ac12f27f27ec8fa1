//! Episodes: contexts, actions and returns.

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

    /// Computes G of each step, \[T·B\]: the sum of the rewards from step t on. The reward is 1/T if
    /// a = (digit\[t mod 3\] + t) mod V, else 0.
    pub fn returns(&self) -> Vec<f32> {
        let (steps, batch) = (self.actions.shape()[0], self.actions.shape()[1]);
        let (contexts, actions) = (self.contexts.to_vec(), self.actions.to_vec());
        let right = |i: usize, t: usize| (contexts[t % 3 * batch + i] + t as u32) % VOCABULARY as u32;
        let (mut hits, mut out) = (vec![0_u32; batch], vec![0.0; steps * batch]);
        for t in (0..steps).rev() {
            for (i, hits) in hits.iter_mut().enumerate() {
                let k = t * batch + i;
                *hits += u32::from(actions[k] == right(i, t));
                out[k] = *hits as f32 / steps as f32;
            }
        }
        out
    }
}

/// Draws new contexts, \[4,B\].
pub fn draw_contexts(batch: usize, rng: &mut Philox) -> Tensor<u32> {
    Tensor::from_fn([4, batch], |k| if k < 3 * batch { rng.below(DIGITS) } else { CTX })
}
