//! A trained policy for a program that embeds it: read a context, look at the probabilities, act, say what was done.
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
//! An [`Agent`] does not change: threads share one, each with [`Episode`]s of its own. There is no environment here;
//! what an action does, and when an episode is over, is known to the program around it.

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
use crate::train::network;

/// A policy and its numbers, ready to act.
#[derive(Clone, Debug)]
pub struct Agent<T: Real = f32> {
    policy: Policy,
    params: Params<T>,
    /// [`Policy::table`], which is the same in every episode.
    table: Tensor<T>,
    /// The length of each stage's contexts.
    contexts: Vec<usize>,
    /// The token and the name of each action.
    actions: Vec<(u32, &'static str)>,
    vocabulary: usize,
}

impl<T: Real> Agent<T> {
    /// The agent of a policy that was made for `task`, the engine's or one's own.
    pub fn new(task: &dyn Task, policy: Policy, params: Params<T>) -> Self {
        let tape = Tape::evaluating();
        let table = policy.table(params.bind(&tape)).value();
        let (contexts, env) = ((0..task.stages()).map(|s| task.env(s, 1).context_len()), task.env(0, 1));
        let actions = (0..task.actions()).map(|a| (env.token(a as u32), task.action_name(a)));
        let (contexts, actions) = (contexts.collect(), actions.collect());
        Self { policy, params, table, contexts, actions, vocabulary: task.vocabulary() }
    }

    /// The agent of a run on `calculator`, from what [`Params::to_le_bytes`] gave: where there are no files. Of
    /// `config`, width, actions and gru must be those of the run.
    ///
    /// # Errors
    /// If the bytes are too few or too many for such a network, or a number is not finite.
    pub fn from_le_bytes(config: &Config, bytes: &[u8]) -> Result<Self, BytesError> {
        let (task, policy, mut params) = network(config, 0);
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

    /// The token of `action`: what the agent reads after it, and what the program around it can tell tools apart by.
    ///
    /// # Panics
    /// If there is no such action.
    #[track_caller]
    pub fn token(&self, action: u32) -> u32 {
        self.action(action).0
    }

    /// Starts an episode of `stage`: the context is read, and the first decision is there.
    ///
    /// # Panics
    /// If there is no such stage, or `context` is not as long as its contexts are, or holds a token that does not
    /// exist.
    #[track_caller]
    pub fn begin(&self, stage: usize, context: &[u32]) -> Episode<'_, T> {
        let Some(&len) = self.contexts.get(stage) else {
            panic!("begin: stage {stage}, but there are {} stages", self.contexts.len())
        };
        let found = context.len();
        assert!(found == len, "begin: a context of {found} tokens, but those of stage {stage} have {len}");
        if let Some(token) = context.iter().find(|&&token| token as usize >= self.vocabulary) {
            panic!("begin: token {token} in the context, but there are {} tokens", self.vocabulary)
        }
        let context = Tensor::new([len, 1], context.to_vec());
        let mut tape = Tape::evaluating();
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
            panic!("action {action}, but there are {}", self.actions())
        };
        action
    }
}

/// One episode: what the agent remembers of it, h, and what it would do next.
pub struct Episode<'a, T: Real = f32> {
    agent: &'a Agent<T>,
    /// Empty between steps; its buffers stay.
    tape: Tape<T>,
    seen: Seen<T>,
    /// Actions so far.
    step: usize,
}

/// What the network makes of the tokens so far.
struct Seen<T: Real> {
    /// h\[1,d\].
    state: Tensor<T>,
    /// ln π(a | h), \[A\].
    log_probs: Vec<T>,
    /// V(h).
    value: T,
}

impl<T: Real> Seen<T> {
    /// Reads tokens\[K,1\] in state h\[1,d\].
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

    /// V(h), the sum of rewards that the agent expects from here on.
    pub fn value(&self) -> f64 {
        self.seen.value.value()
    }

    /// h\[1,d\], all that the agent knows of this episode.
    pub fn state(&self) -> &Tensor<T> {
        &self.seen.state
    }

    /// The most probable action, the first of equals.
    ///
    /// # Panics
    /// If the log-probability of an action is NaN: a parameter is not finite, or a logit overflows.
    #[track_caller]
    pub fn greedy(&self) -> u32 {
        self.check_decided("greedy");
        most_probable(&self.seen.log_probs)
    }

    /// An action drawn from the policy, by one number of the generator. One of probability zero is never drawn.
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

    /// Tells the agent which action was taken, its own choice or another's: the next decision follows from it.
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
