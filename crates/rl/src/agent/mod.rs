//! A trained policy for use in other programs. The program passes a context, reads the probabilities, chooses an action,
//! and reports the action to the agent.
//!
//! ```
//! use rl::{agent::Agent, config::Config, tasks::token, train::Run};
//!
//! let run = Run::<f32>::new(&Config { width: 16, ..Config::default() }, 42);
//! let agent = Agent::new(&run.task, run.learner.policy, run.learner.params); // or Agent::load(path)?
//! let mut episode = agent.begin(0, &[4, 2, 7, token::CTX]);
//! let action = episode.greedy();
//! println!("{} with probability {:.2}", agent.action_name(action), episode.probabilities()[action as usize]);
//! episode.took(action);
//! ```
//!
//! An [`Agent`] is immutable: threads share one, each with its own [`Episode`]s. An agent has no environment. The
//! surrounding program decides the effect of an action and the end of an episode.

#[cfg(feature = "std")]
mod load;

use alloc::vec::Vec;

use autograd::Tape;
use nn::{BytesError, Params};
use tensor::philox::Philox;
use tensor::{Real, Tensor};

#[cfg(feature = "std")]
pub use self::load::LoadError;
use crate::config::Config;
use crate::env::Task;
use crate::policy::{Network, Policy};
use crate::rollout::{draw, first_nan, most_probable};
use crate::train::build_network;

/// A policy and its parameters, ready to act.
#[derive(Clone, Debug)]
pub struct Agent<T: Real = f32> {
    policy: Policy,
    params: Params<T>,
    /// [`Policy::table`], the same in every episode.
    table: Tensor<T>,
    /// The context length of each stage.
    contexts: Vec<usize>,
    /// The token and the name of each action.
    actions: Vec<(u32, &'static str)>,
    vocabulary: usize,
}

impl<T: Real> Agent<T> {
    /// Creates the agent of a policy for `task`, which may be a task of this crate or another one.
    pub fn new(task: &dyn Task, policy: Policy, params: Params<T>) -> Self {
        let tape = Tape::no_grad();
        let table = policy.table(params.bind(&tape)).value();
        let (contexts, env) = ((0..task.stages()).map(|s| task.env(s, 1).context_len()), task.env(0, 1));
        let actions = (0..task.actions()).map(|a| (env.token(a as u32), task.action_name(a)));
        let (contexts, actions) = (contexts.collect(), actions.collect());
        Self { policy, params, table, contexts, actions, vocabulary: task.vocabulary() }
    }

    /// Creates the agent of a run on `calculator` from the bytes of [`Params::to_le_bytes`], for programs without files.
    /// `width`, `actions` and `gru` in `config` must be those of the run.
    ///
    /// # Errors
    /// If the number of bytes does not fit the network, or if a number is not finite.
    pub fn from_le_bytes(config: &Config, bytes: &[u8]) -> Result<Self, BytesError> {
        let (task, policy, mut params) = build_network(config, 0);
        params.copy_from_le_bytes(bytes)?;
        Ok(Self::new(&task, policy, params))
    }

    /// The number of actions.
    pub fn actions(&self) -> usize {
        self.actions.len()
    }

    /// The name of `action`.
    ///
    /// # Panics
    /// If there is no such action.
    #[track_caller]
    pub fn action_name(&self, action: u32) -> &'static str {
        self.action(action).1
    }

    /// The token of `action`. The agent reads it after the action; a program can use it to identify the tool.
    ///
    /// # Panics
    /// If there is no such action.
    #[track_caller]
    pub fn token(&self, action: u32) -> u32 {
        self.action(action).0
    }

    /// Starts an episode of `stage`: reads the context and computes the first decision.
    ///
    /// # Panics
    /// If there is no such stage, if `context` has the wrong length, or if it holds a token that does not exist.
    #[track_caller]
    pub fn begin(&self, stage: usize, context: &[u32]) -> Episode<'_, T> {
        let Some(&len) = self.contexts.get(stage) else {
            panic!("begin: stage {stage}, but there are {} stages", self.contexts.len())
        };
        let found = context.len();
        assert!(found == len, "begin: a context of {found} tokens, but contexts of stage {stage} have {len}");
        if let Some(k) = context.iter().position(|&token| token as usize >= self.vocabulary) {
            panic!("begin: token {} at {k} of the context is outside the vocabulary of {}", context[k], self.vocabulary)
        }
        let context = Tensor::new([len, 1], context.to_vec());
        let mut tape = Tape::no_grad();
        let seen = {
            let network = self.on(&tape);
            Seen::after(&network, &context, network.start(stage, 1).value())
        };
        tape.clear();
        Episode { agent: self, tape, seen, step: 0 }
    }

    fn on<'a>(&'a self, tape: &'a Tape<T>) -> Network<'a, 'a, T> {
        self.policy.with_table(self.params.bind(tape), tape.constant(self.table.clone()))
    }

    #[track_caller]
    fn action(&self, action: u32) -> (u32, &'static str) {
        let Some(&action) = self.actions.get(action as usize) else {
            panic!("action {action}, but there are {} actions", self.actions())
        };
        action
    }
}

/// One episode: the agent's state h and its next decision.
pub struct Episode<'a, T: Real = f32> {
    agent: &'a Agent<T>,
    /// Empty between steps; the steps reuse its buffers.
    tape: Tape<T>,
    seen: Seen<T>,
    /// The number of actions so far.
    step: usize,
}

/// The outputs of the network after the tokens so far.
struct Seen<T: Real> {
    /// h\[1,H\].
    state: Tensor<T>,
    /// ln π(a | h), \[A\].
    log_probs: Vec<T>,
    /// V(h).
    value: T,
}

impl<T: Real> Seen<T> {
    /// Reads tokens\[K,1\] from the state h\[1,H\].
    fn after(network: &Network<'_, '_, T>, tokens: &Tensor<u32>, h: Tensor<T>) -> Self {
        let h = network.tape().constant(h);
        let state = network.read(tokens, h).select(0, tokens.shape()[0] - 1);
        let decisions = network.decide(state);
        let log_probs = decisions.log_probs.value().to_vec();
        Self { state: state.value(), log_probs, value: decisions.values.value().item() }
    }
}

impl<T: Real> Episode<'_, T> {
    /// π(a | h), the probability of each action.
    pub fn probabilities(&self) -> Vec<f64> {
        self.seen.log_probs.iter().map(|log_prob| log_prob.exp().value()).collect()
    }

    /// V(h), the return that the agent expects from here on.
    pub fn value(&self) -> f64 {
        self.seen.value.value()
    }

    /// h\[1,H\], the whole state of the agent in this episode.
    pub fn state(&self) -> &Tensor<T> {
        &self.seen.state
    }

    /// The most probable action, or the first of them if several are equally probable.
    ///
    /// # Panics
    /// If the log-probability of an action is NaN: a parameter is not finite, or a logit overflows.
    #[track_caller]
    pub fn greedy(&self) -> u32 {
        self.check_decided("greedy");
        most_probable(&self.seen.log_probs)
    }

    /// Samples an action from the policy, with one number of the generator. It never returns an action of probability zero.
    ///
    /// # Panics
    /// As [`greedy`](Self::greedy).
    #[track_caller]
    pub fn sample(&self, rng: &mut Philox) -> u32 {
        self.check_decided("sample");
        draw(&self.seen.log_probs, rng.uniform_f64())
    }

    #[track_caller]
    fn check_decided(&self, called: &str) {
        let Some(action) = first_nan(&self.seen.log_probs) else { return };
        let (step, name) = (self.step, self.agent.action_name(action));
        let why = match self.agent.params.first_not_finite() {
            Some(parameter) => alloc::format!("parameter {parameter} holds a number that is not finite"),
            None => "all parameters are finite, but a logit overflows".into(),
        };
        panic!("{called}: the log-probability of action {action}, {name}, is NaN at step {step} of the episode: {why}")
    }

    /// Reports the action that was taken, which need not be the agent's choice. Computes the next decision.
    ///
    /// # Panics
    /// If there is no such action.
    #[track_caller]
    pub fn took(&mut self, action: u32) {
        let token = Tensor::from([[self.agent.token(action)]]);
        self.seen = Seen::after(&self.agent.on(&self.tape), &token, self.seen.state.clone());
        self.tape.clear();
        self.step += 1;
    }
}

#[cfg(test)]
mod tests;
