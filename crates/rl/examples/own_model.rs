//! Trains a network that this file defines: attention over everything that it has read.
//!
//! ```sh
//! cargo run --release -p gradus-rl --example own_model
//! ```
//!
//! The agent reads a word of four letters and a position, and says the letter at this position. Then it reads another position
//! of the same word. Only a network that looks back at the word can do so. The tests check the network's gradients, and that a
//! run that is saved and resumed goes on bit for bit.

#![forbid(unsafe_code)]

use std::error::Error;

use autograd::Var;
use nn::{Builder, Embedding, Init, Linear, Param, Params};
use rl::config::Config;
use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::model::{ActionHead, Heads, Inputs, Model, Pass};
use rl::{a2c::Learner, train::Run};
use tensor::philox::Philox;
use tensor::{Real, Tensor};

/// Letters in a word, and letters to choose from.
const LETTERS: usize = 4;
/// L, the number of tokens that the network can read: a word and two positions.
const SLOTS: usize = LETTERS + 2;

/// Dot-product attention over the tokens read so far. The state of an episode is a row of E + L + L·E numbers: the embedding of
/// the last token, a pointer to the next free slot (one 1 among zeros), and the slots with the embedding of each token.
pub(crate) struct Attention {
    embedding: Embedding,
    /// One vector per slot, \[L,E\], by which a slot is found.
    keys: Param,
    query: Linear,
    hidden: Linear,
    pi: Linear,
    v: Linear,
    /// E.
    width: usize,
}

impl Attention {
    fn new<T: Real>(params: &mut Params<T>, spec: &Spec, width: usize, seed: u64) -> Self {
        let mut builder = Builder::new(params, seed);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), spec.observation.size(), width),
            keys: builder.add("keys", [SLOTS, width], Init::Normal(1.0)),
            query: Linear::new(&mut builder.scope("query"), width, width),
            hidden: Linear::new(&mut builder.scope("hidden"), 2 * width, width),
            pi: Linear::new(&mut builder.scope("pi"), width, spec.action.size()),
            v: Linear::new(&mut builder.scope("v"), width, 1),
            width,
        }
    }

    /// Divides states\[N,S\] into the last embedding \[N,E\], the pointer \[N,L\] and the slots \[N,L,E\].
    fn parts<'t, T: Real>(&self, states: Var<'t, T>) -> [Var<'t, T>; 3] {
        let (rows, e) = (states.shape()[0], self.width);
        let slots = states.slice(1, e + SLOTS..e + SLOTS + SLOTS * e);
        [states.slice(1, 0..e), states.slice(1, e..e + SLOTS), slots.reshape([rows, SLOTS, e])]
    }
}

impl<T: Real> Model<T> for Attention {
    fn start<'t>(&self, pass: Pass<'t, T>, _stage: usize, episodes: usize) -> Var<'t, T> {
        let (first, size) = (self.width, self.width + SLOTS + SLOTS * self.width);
        let number = |i: usize| if i % size == first { T::one() } else { T::zero() };
        pass.tape().constant(Tensor::from_fn([episodes, size], number))
    }

    fn read<'t>(&self, pass: Pass<'t, T>, inputs: &Inputs<T>, state: Var<'t, T>) -> Var<'t, T> {
        let x = self.embedding.forward(pass.weights, &inputs.tokens());
        let ([_, pointer, slots], rows) = (self.parts(state), x.shape()[0]);
        let written = slots + pointer.reshape([rows, SLOTS, 1]) * x.reshape([rows, 1, self.width]);
        let [last, others] = [SLOTS - 1..SLOTS, 0..SLOTS - 1].map(|range| pointer.slice(1, range));
        Var::concat(&[x, last, others, written.reshape([rows, SLOTS * self.width])], 1)
    }

    fn decide<'t>(&self, pass: Pass<'t, T>, states: Var<'t, T>) -> Heads<'t, T> {
        let ([x, _, slots], rows, w) = (self.parts(states), states.shape()[0], pass.weights);
        let scale = T::from_f64(1.0 / (self.width as f64).sqrt());
        let weights = self.query.forward(w, x).matmul(w.get(self.keys).transpose()).scale(scale).softmax();
        let found = (weights.reshape([rows, SLOTS, 1]) * slots).sum_axis(1);
        let h = self.hidden.forward(w, Var::concat(&[x, found], 1)).tanh();
        let values = self.v.forward(w, h).reshape([rows]);
        Heads { actions: ActionHead::Logits(self.pi.forward(w, h)), values }
    }
}

/// The task.
pub(crate) struct Spelling;

impl Task for Spelling {
    fn spec(&self) -> Spec {
        let (letters, positions) = (["A", "B", "C", "D"], ["1", "2", "3", "4"]);
        let tokens = Space::tokens(letters.iter().chain(&positions));
        Spec::new("spelling", tokens, ActionSpace::discrete(letters), 2).with_success()
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Word { letters: [0; LETTERS], positions: [0; 2], said: 0 })
    }
}

struct Word {
    letters: [u32; LETTERS],
    positions: [usize; 2],
    /// The number of letters said so far.
    said: usize,
}

impl SingleEnv for Word {
    fn reset(&mut self, rng: &mut Philox) {
        self.letters.fill_with(|| rng.below(LETTERS as u32));
        self.positions.fill_with(|| rng.below(LETTERS as u32) as usize);
        self.said = 0;
    }

    fn observe(&self, mut out: Observer<'_>) {
        let position = |k: usize| (LETTERS + self.positions[k]) as u32;
        match self.said {
            0 => out.tokens(&[&self.letters[..], &[position(0)]].concat()),
            _ => out.token(position(1)),
        }
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let is_right = action.discrete() == self.letters[self.positions[self.said]];
        self.said += 1;
        match (is_right, self.said) {
            (false, _) => Step::terminated(0.0),
            (true, 1) => Step::reward(0.5),
            (true, _) => Step::solved(0.5),
        }
    }
}

/// A run of the network above.
pub(crate) type OwnRun = Run<f32, Spelling, Learner<f32, Attention>>;

/// Creates a run before its first update.
pub(crate) fn new_run(seed: u64) -> OwnRun {
    let config = Config { batch: 64, validate_every: 20, max_updates: 600, test_episodes: 1000, ..Config::default() };
    let mut params = Params::new();
    let model = Attention::new(&mut params, &Spelling.spec(), 16, seed);
    Run::with_model(Spelling, model, params, &config, seed)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut run = new_run(0);
    while run.stop_reason().is_none() {
        let report = run.advance()?;
        if let Some(validation) = report.validation {
            println!("update {:3}  exact match {:.3}", report.update, validation[0].exact);
        }
    }
    println!("exact match in the test {:.3}", run.test()?[0].greedy.exact);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use autograd::{function, gradcheck};
    use nn::{BoundParams, Checkpoint, encode_checkpoint};

    #[test]
    fn check_spelling_finds_no_broken_promise() {
        assert_eq!(env::check::check(&Spelling), Ok(()));
    }

    /// Logits and values of two episodes, as a function of all parameters.
    #[test]
    fn attention_gradients_match_duals() {
        let mut params = Params::<f64>::new();
        let model = Attention::new(&mut params, &Spelling.spec(), 3, 0);
        let outputs = function!([model: Attention] |w| {
            let pass = Pass::new(model, BoundParams::from_vars(w));
            let words = Inputs::Tokens(Tensor::from([[0, 3], [2, 2], [1, 0], [0, 1], [5, 7]]));
            let states = model.read_all(pass, &words, model.start(pass, 0, 2));
            let Heads { actions, values } = model.decide(pass, states.select(0, 4));
            let ActionHead::Logits(logits) = actions else { panic!("the actions are discrete") };
            Var::concat(&[logits, values.reshape([2, 1])], 1)
        });
        let inputs: Vec<_> = params.handles().map(|param| params.get(param)).collect();
        gradcheck::duals(&outputs, &inputs).assert_ok();
    }

    #[test]
    fn train_learns_to_look_back_at_the_word() {
        let mut run = new_run(0);
        while run.stop_reason().is_none() {
            run.advance().expect("finite numbers");
        }
        let test = &run.test().expect("finite numbers")[0];
        assert!(test.greedy.exact >= 0.99, "{} after {} updates", test.greedy.exact, run.updates);
        assert!(test.shuffled.exact < 0.2, "{}", test.shuffled.exact);
    }

    #[test]
    fn run_saved_and_resumed_goes_on_bit_for_bit() {
        let advance = |run: &mut OwnRun| {
            let reports = (0..5).map(|_| run.advance().expect("finite numbers").metrics).collect::<Vec<_>>();
            (reports, run.learner.params.flat().to_vec(), run.state())
        };
        let mut run = new_run(0);
        advance(&mut run);
        let saved = encode_checkpoint(&run.learner.params, Some(&run.learner.optimizer), &BTreeMap::new());
        let (saved, state) = (saved.expect("finite numbers"), run.state());
        let want = advance(&mut run);

        let mut resumed = new_run(0);
        let checkpoint = Checkpoint::decode("spelling.safetensors", saved).expect("it was just encoded");
        checkpoint.load_params(&mut resumed.learner.params).expect("the same network");
        checkpoint.load_optimizer(&mut resumed.learner.optimizer).expect("the same optimiser");
        resumed.restore(state).expect("the same task");
        assert_eq!(advance(&mut resumed), want);
    }
}
