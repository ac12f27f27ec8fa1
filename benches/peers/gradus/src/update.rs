//! One update, from top to bottom: act, learn, add, clip, step.

use std::sync::Mutex;

use autograd::{Scan, Tape};
use nn::{Grads, NotFinite, Optimizer, Params, Rule, clip_global_norm};
use peer::Workload;
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Kernels, Tensor, par};

use crate::act::{Numbers, play, sampled};
use crate::episodes::{Episodes, contexts};
use crate::net::Net;

/// Episodes in a chunk at most: constant, so that the sums do not depend on the number of threads.
pub const CHUNK: usize = 96;

const SEED: u64 = 0;
const RATE: f64 = 3e-4;
const CLIP: f64 = 1.0;
const VALUE: f32 = 0.5;
const ENTROPY: f32 = 0.01;

/// A network that learns.
pub struct Learner {
    pub net: Net,
    pub params: Params,
    optimizer: Optimizer,
    chunks: Vec<Chunk>,
    desks: Desks,
    batch: usize,
    number: u32,
}

/// What a chunk is computed with. There are as many as are used at the same time: who is done leaves his to the next, which finds
/// its buffers in the cache.
#[derive(Default)]
struct Desk {
    scan: Scan<f32>,
    tape: Tape,
}

type Desks = Mutex<Vec<Desk>>;

/// Calls `f` with a desk that nobody else uses meanwhile.
fn at_a_desk(desks: &Desks, f: impl FnOnce(&mut Desk)) {
    let free = || desks.lock().expect("nobody panics while he holds it");
    let desk = free().pop();
    let mut desk = desk.unwrap_or_default();
    f(&mut desk);
    free().push(desk);
}

/// Some episodes of the batch, and what they are worth.
struct Chunk {
    /// The number of the first of them.
    first: usize,
    episodes: Episodes,
    grads: Grads,
    /// This chunk's part of the loss.
    loss: f64,
    /// The sum of the rewards.
    reward: f64,
}

impl Learner {
    /// With initial weights.
    pub fn new(workload: &Workload) -> Self {
        let &Workload { batch, steps, width, .. } = workload;
        let mut params = Params::new();
        let net = Net::new(&mut params, width, SEED);
        let count = batch.div_ceil(CHUNK);
        let bound = |k| k * batch / count;
        let chunks = (0..count).map(|k| Chunk::new(bound(k), bound(k + 1) - bound(k), steps, &params)).collect();
        let (optimizer, desks) = (Optimizer::new(Rule::adam(), &params), Desks::default());
        Self { net, optimizer, params, chunks, desks, batch, number: 0 }
    }

    /// One update on new episodes. Returns the loss and the mean reward.
    pub fn update(&mut self) -> Result<(f64, f64), NotFinite> {
        let Self { net, params, chunks, desks, batch, number, .. } = self;
        par::for_each(chunks, |_, chunk| {
            at_a_desk(desks, |desk| chunk.update(desk, net, params, *batch, *number));
        });
        let loss = self.add();
        self.step()?;
        Ok((loss, self.chunks.iter().map(|chunk| chunk.reward).sum::<f64>() / self.batch as f64))
    }

    /// The loss of given episodes, contexts\[4,B\] and actions\[T,B\]; its gradients are left in the first chunk.
    pub fn learn(&mut self, episodes: &Episodes) -> f64 {
        let Self { net, params, chunks, desks, batch, .. } = self;
        par::for_each(chunks, |_, chunk| {
            let range = chunk.first..chunk.first + chunk.episodes.contexts.shape()[1];
            let part = |all: &Tensor<u32>| all.slice(1, range.clone());
            let part = Episodes { contexts: part(&episodes.contexts), actions: part(&episodes.actions) };
            at_a_desk(desks, |desk| chunk.learn(desk, net, params, *batch, part));
        });
        self.add()
    }

    /// The gradients that the last batch left.
    pub fn grads(&self) -> &Grads {
        &self.chunks[0].grads
    }

    /// Clips these and moves the parameters.
    pub fn step(&mut self) -> Result<(), NotFinite> {
        let Self { params, optimizer, chunks, number, .. } = self;
        let grads = &mut chunks[0].grads;
        clip_global_norm(params, grads, CLIP)?;
        optimizer.step(RATE, params, grads);
        *number += 1;
        Ok(())
    }

    /// Adds all gradients into the first chunk's, neighbours first, then pairs of pairs. Returns the loss of the batch.
    fn add(&mut self) -> f64 {
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

    /// Plays new episodes, and learns from them.
    fn update(&mut self, desk: &mut Desk, net: &Net, params: &Params, batch: usize, number: u32) {
        let (steps, count) = (self.episodes.actions.shape()[0], self.episodes.actions.shape()[1]);
        let episode = self.first as u32;
        let stream = |purpose| Philox::stream(SEED, Stream { purpose, update: number, episode });
        self.episodes.contexts = contexts(count, &mut stream(Purpose::OPERANDS));
        let mut draws = stream(Purpose::ACTIONS);
        self.differentiate(desk, net, params, batch, |kernels, numbers, scan, h| {
            play(kernels, &numbers, scan, h.view(), steps, sampled(kernels, &mut draws))
        });
    }

    /// Learns from these episodes.
    fn learn(&mut self, desk: &mut Desk, net: &Net, params: &Params, batch: usize, episodes: Episodes) {
        self.episodes.contexts = episodes.contexts;
        self.differentiate(desk, net, params, batch, |_, _, _, _| episodes.actions);
    }

    /// Records all decisions as one sequence on a tape, and runs back from this chunk's part of
    ///
    /// ```text
    /// L = − mean(Â·Σ_t ln π(a)) + 0.5 mean (Σ_t V − R)² − 0.01 mean H(π),   Â = R − Σ_t V, a number
    /// ```
    ///
    /// `act` gives the actions; if it plays, from h₀, what the GRU computes then is not computed again.
    fn differentiate(
        &mut self,
        Desk { scan, tape }: &mut Desk,
        net: &Net,
        params: &Params,
        batch: usize,
        act: impl FnOnce(&dyn Kernels<f32>, Numbers, &mut Scan<f32>, Tensor) -> Tensor<u32>,
    ) {
        let Self { episodes, grads, .. } = self;
        {
            let weights = params.bind(tape);
            let pass = net.on(weights, net.table(weights));
            let h = pass.start(&episodes.contexts);
            net.rnn.load(weights, scan);
            episodes.actions = act(tape.kernels(), pass.numbers(), scan, h.value());

            let (steps, count) = (episodes.actions.shape()[0], episodes.actions.shape()[1]);
            let (tokens, rewards) = (episodes.read(), episodes.rewards());
            let states = if scan.is_empty() { pass.read(&tokens, h) } else { pass.known(&tokens, h, scan) };
            let (logits, values) = pass.decide(states);
            let log_probs = logits.log_softmax();
            let chosen = log_probs.gather(&episodes.actions.reshape([steps * count, 1]));
            let [chosen, values] = [chosen, values].map(|x| x.reshape([steps, count]).sum_axis(0));

            self.reward = rewards.iter().map(|&reward| f64::from(reward)).sum();
            let rewards = tape.constant(Tensor::new([count], rewards));
            let advantages = (rewards - values).detach();
            let policy = -(advantages * chosen).sum();
            let value = (values - rewards).square().sum();
            let entropy = log_probs.entropy().sum();
            let (b, n) = (batch as f32, (batch * steps) as f32);
            let loss = policy.scale(1.0 / b) + value.scale(VALUE / b) + entropy.scale(-ENTROPY / n);
            loss.backward().expect("the loss uses every parameter");
            grads.collect(params, weights);
            self.loss = loss.value().item().into();
        }
        tape.clear();
    }
}
