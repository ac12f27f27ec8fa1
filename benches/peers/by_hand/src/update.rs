//! One update, from top to bottom: act, learn, sum the gradients, clip, step.

use std::sync::Mutex;

use autograd::{GruStepper, Tape};
use nn::{Grads, NonFiniteNorm, Optimizer, Params, UpdateRule, clip_global_norm};
use peer::Workload;
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Kernels, Tensor, par};

use crate::act::{ActingWeights, play, sampled};
use crate::episodes::{Episodes, draw_contexts};
use crate::net::Net;

/// The largest number of episodes in a chunk. It is constant, so the sums do not depend on the number of threads.
pub const CHUNK: usize = 96;

const SEED: u64 = 0;
const RATE: f64 = 3e-4;
const CLIP: f64 = 1.0;
const VALUE: f32 = 0.5;
const ENTROPY: f32 = 0.01;

/// A network with its optimiser and its batch, split into chunks.
pub struct Learner {
    pub net: Net,
    pub params: Params,
    optimizer: Optimizer,
    chunks: Vec<Chunk>,
    workspaces: Workspaces,
    batch: usize,
    number: u32,
}

/// Scratch buffers of one chunk. A worker that has finished passes its buffers to the next chunk, still warm in the cache.
#[derive(Default)]
struct Workspace {
    stepper: GruStepper<f32>,
    tape: Tape,
}

type Workspaces = Mutex<Vec<Workspace>>;

/// Calls `f` with a workspace that no other thread uses in the meantime.
fn with_workspace(workspaces: &Workspaces, f: impl FnOnce(&mut Workspace)) {
    let free = || workspaces.lock().expect("no thread panics while it holds the lock");
    let workspace = free().pop();
    let mut workspace = workspace.unwrap_or_default();
    f(&mut workspace);
    free().push(workspace);
}

/// Some episodes of the batch, with their gradients, loss and reward.
struct Chunk {
    /// The index of the first episode in the batch.
    first: usize,
    episodes: Episodes,
    grads: Grads,
    /// This chunk's part of the loss.
    loss: f64,
    /// The sum of the rewards.
    reward: f64,
}

impl Learner {
    /// Creates a learner with initial weights.
    pub fn new(workload: &Workload) -> Self {
        let &Workload { batch, steps, hidden_size, .. } = workload;
        let mut params = Params::new();
        let net = Net::new(&mut params, hidden_size, SEED);
        let count = batch.div_ceil(CHUNK);
        let bound = |k| k * batch / count;
        let chunks = (0..count).map(|k| Chunk::new(bound(k), bound(k + 1) - bound(k), steps, &params)).collect();
        let (optimizer, workspaces) = (Optimizer::new(UpdateRule::adam(), &params), Workspaces::default());
        Self { net, optimizer, params, chunks, workspaces, batch, number: 0 }
    }

    /// Performs one update on new episodes. Returns the loss and the mean reward.
    pub fn update(&mut self) -> Result<(f64, f64), NonFiniteNorm> {
        let Self { net, params, chunks, workspaces, batch, number, .. } = self;
        par::for_each(chunks, |_, chunk| {
            with_workspace(workspaces, |workspace| chunk.update(workspace, net, params, *batch, *number));
        });
        let loss = self.sum_gradients();
        self.step()?;
        Ok((loss, self.chunks.iter().map(|chunk| chunk.reward).sum::<f64>() / self.batch as f64))
    }

    /// Computes the loss of given episodes, contexts\[4,B\] and actions\[T,B\]. Leaves its gradients in the first chunk.
    pub fn learn(&mut self, episodes: &Episodes) -> f64 {
        let Self { net, params, chunks, workspaces, batch, .. } = self;
        par::for_each(chunks, |_, chunk| {
            let range = chunk.first..chunk.first + chunk.episodes.contexts.shape()[1];
            let part = |all: &Tensor<u32>| all.slice(1, range.clone());
            let part = Episodes { contexts: part(&episodes.contexts), actions: part(&episodes.actions) };
            with_workspace(workspaces, |workspace| chunk.learn(workspace, net, params, *batch, part));
        });
        self.sum_gradients()
    }

    /// Returns the gradients of the last batch.
    pub fn grads(&self) -> &Grads {
        &self.chunks[0].grads
    }

    /// Clips the gradients and updates the parameters.
    pub fn step(&mut self) -> Result<(), NonFiniteNorm> {
        let Self { params, optimizer, chunks, number, .. } = self;
        let grads = &mut chunks[0].grads;
        clip_global_norm(params, grads, CLIP)?;
        optimizer.step(RATE, params, grads);
        *number += 1;
        Ok(())
    }

    /// Sums all gradients into the first chunk, in a binary tree over neighbours. Returns the loss of the batch.
    fn sum_gradients(&mut self) -> f64 {
        let mut distance = 1;
        while distance < self.chunks.len() {
            par::for_each(&mut self.chunks.chunks_mut(2 * distance).collect::<Vec<_>>(), |_, pair| {
                if let Some((left, right)) = pair.split_at_mut_checked(distance)
                    && let Some(right) = right.first()
                {
                    left[0].grads.add(&right.grads);
                }
            });
            distance *= 2;
        }
        self.chunks.iter().map(|chunk| chunk.loss).sum()
    }
}

impl Chunk {
    fn new(first: usize, count: usize, steps: usize, params: &Params) -> Self {
        let episodes = Episodes { contexts: Tensor::zeros([4, count]), actions: Tensor::zeros([steps, count]) };
        Self { first, episodes, grads: Grads::zeros(params), loss: 0.0, reward: 0.0 }
    }

    /// Plays new episodes and learns from them.
    fn update(&mut self, workspace: &mut Workspace, net: &Net, params: &Params, batch: usize, number: u32) {
        let (steps, count) = (self.episodes.actions.shape()[0], self.episodes.actions.shape()[1]);
        let episode = self.first as u32;
        let stream = |purpose| Philox::stream(SEED, Stream { purpose, update: number, episode });
        self.episodes.contexts = draw_contexts(count, &mut stream(Purpose::OPERANDS));
        let mut draws = stream(Purpose::ACTIONS);
        self.differentiate(workspace, net, params, batch, |kernels, weights, stepper, h| {
            play(kernels, &weights, stepper, h.view(), steps, sampled(kernels, &mut draws))
        });
    }

    /// Learns from given episodes.
    fn learn(&mut self, workspace: &mut Workspace, net: &Net, params: &Params, batch: usize, episodes: Episodes) {
        self.episodes.contexts = episodes.contexts;
        self.differentiate(workspace, net, params, batch, |_, _, _, _| episodes.actions);
    }

    /// Records all steps as one sequence on a tape, and computes the gradients of this chunk's part of
    ///
    /// ```text
    /// L = − 1/B Σ Â·ln π(a) + 0.5/N Σ (V − G)² − 0.01/N Σ H(π),   Â = G − V, detached,   N = B·T
    /// ```
    ///
    /// `act` returns the actions. If it plays them from h₀ with the stepper, the GRU's steps are not computed again.
    fn differentiate(
        &mut self,
        Workspace { stepper, tape }: &mut Workspace,
        net: &Net,
        params: &Params,
        batch: usize,
        act: impl FnOnce(&dyn Kernels<f32>, ActingWeights, &mut GruStepper<f32>, Tensor) -> Tensor<u32>,
    ) {
        let Self { episodes, grads, .. } = self;
        {
            let weights = params.bind(tape);
            let pass = net.bind(weights, net.input_table(weights));
            let h = pass.start(&episodes.contexts);
            net.rnn.load_weights_into(weights, stepper);
            episodes.actions = act(tape.kernels(), pass.acting_weights(), stepper, h.value());

            let (steps, count) = (episodes.actions.shape()[0], episodes.actions.shape()[1]);
            let (tokens, returns) = (episodes.tokens(), episodes.returns());
            let states =
                if stepper.is_empty() { pass.read(&tokens, h) } else { pass.read_from_steps(&tokens, h, stepper) };
            let (logits, values) = pass.decide(states);
            let log_probs = logits.log_softmax();
            let chosen = log_probs.gather(&episodes.actions.reshape([steps * count, 1])).reshape([steps * count]);

            self.reward = returns[..count].iter().map(|&g| f64::from(g)).sum();
            let returns = tape.constant(Tensor::new([steps * count], returns));
            let advantages = (returns - values).detach();
            let policy = -(advantages * chosen).sum();
            let value = (values - returns).square().sum();
            let entropy = log_probs.entropy().sum();
            let (b, n) = (batch as f32, (batch * steps) as f32);
            let loss = policy.scale(1.0 / b) + value.scale(VALUE / n) + entropy.scale(-ENTROPY / n);
            loss.backward().expect("the loss uses every parameter");
            grads.collect(params, weights);
            self.loss = loss.value().item().into();
        }
        tape.clear();
    }
}
