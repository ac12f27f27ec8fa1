//! A trained model for use in other programs. The program passes observations, reads the probabilities, and chooses actions.
//!
//! ```
//! use rl::env::Task;
//! use rl::{agent::Agent, config::Config, train::Run};
//!
//! let config = Config { width: 16, ..Config::default() };
//! let run = Run::<f32, _>::new(config.calculator_stages(), &config, 42);
//! let agent = Agent::new(run.task.spec(), run.learner.model, run.learner.params); // or Agent::load(path)?
//! let token = |name: &str| agent.spec().token(name).unwrap();
//!
//! let mut episode = agent.begin(0);
//! episode.observe(&[4, 2, 7, token("CTX")]);
//! let action = episode.greedy();
//! let name = agent.spec().action_name(action);
//! println!("{name} with probability {:.2}", episode.probabilities()[action as usize]);
//! episode.observe(&[token(name)]); // in this task the agent reads its own action
//! ```
//!
//! An [`Agent`] is immutable: threads share one, each with its own [`Episode`]s. An agent has no environment: the surrounding
//! program decides the effect of an action, the next observation, and the end of an episode.

#[cfg(feature = "std")]
mod load;

use alloc::vec::Vec;
use core::cell::OnceCell;

use autograd::{GruStepper, Tape, Var};
use nn::{BytesError, Params};
use tensor::philox::Philox;
use tensor::{Real, Tensor};

#[cfg(feature = "std")]
pub use self::load::{LoadError, metadata};
use crate::distribution::{Choice, Rows, clear_maximum};
use crate::env::{Actions, Observations, Spec};
use crate::evaluate::Trained;
use crate::model::{ActionHead, Decisions, Heads, Model, Pass};
use crate::normalize::Moments;
use crate::policy::{Architecture, Policy};
use crate::rollout::{KeptKeys, Reading, copy, last};

/// A model and its parameters, ready to act.
#[derive(Clone, Debug)]
pub struct Agent<T: Real = f32, M = Policy> {
    spec: Spec,
    model: M,
    params: Params<T>,
    normalizer: Option<Moments>,
    /// [`Model::precompute`], the same in every episode.
    precomputed: Option<Tensor<T>>,
    /// The state before the first observation of an episode of each stage, \[1,S\].
    starts: Vec<Tensor<T>>,
    /// A stepper with the weights of the model, if the model reads by steps.
    stepper: Option<GruStepper<T>>,
}

impl<T: Real> Agent<T> {
    /// Creates an agent from the bytes of [`Params::to_le_bytes`], for programs without files. `spec` and `architecture` must be
    /// those of the run.
    ///
    /// # Errors
    /// If the number of bytes does not fit the network, or if a number is not finite.
    pub fn from_le_bytes(spec: Spec, architecture: Architecture, bytes: &[u8]) -> Result<Self, BytesError> {
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &spec, architecture, 0);
        params.copy_from_le_bytes(bytes)?;
        Ok(Self::new(spec, policy, params))
    }
}

impl<T: Real, M: Model<T>> Agent<T, M> {
    /// Creates the agent of a model for the task that `spec` describes.
    pub fn new(spec: Spec, model: M, params: Params<T>) -> Self {
        let (tape, mut stepper) = (Tape::no_grad(), GruStepper::default());
        let (precomputed, starts, has_steps) = {
            let pass = Pass::new(&model, params.bind(&tape));
            let starts: Vec<_> = (0..spec.stages).map(|stage| model.start(pass, stage, 1)).collect();
            let has_steps = starts.first().is_some_and(|&start| model.begin_steps(pass, start, &mut stepper));
            (pass.precomputed.map(Var::value), starts.into_iter().map(Var::value).collect(), has_steps)
        };
        let stepper = has_steps.then_some(stepper);
        Self { spec, model, params, normalizer: None, precomputed, starts, stepper }
    }

    /// Normalises observations by these statistics, as training did.
    pub fn with_normalizer(self, normalizer: Moments) -> Self {
        Self { normalizer: Some(normalizer), ..self }
    }

    /// The description of the task: the names of tokens and actions.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The model, for evaluation.
    pub fn trained(&self) -> Trained<'_, T, M> {
        Trained { model: &self.model, params: &self.params, normalizer: self.normalizer.as_ref() }
    }

    /// Starts an episode of `stage`. Its first observation must follow.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn begin(&self, stage: usize) -> Episode<'_, T, M> {
        let tape = Tape::no_grad();
        self.on(&tape);
        let bound = tape.len();
        let mut episode = Episode {
            agent: self,
            tape,
            bound,
            observations: Observations::new(&self.spec, 1),
            reading: Reading::default(),
            stepper: self.stepper.clone(),
            stage,
            state: Tensor::zeros([0]),
            context: None,
            decision: None,
            rows: OnceCell::new(),
            steps: 0,
        };
        episode.restart(stage);
        episode
    }

    fn on<'t>(&'t self, tape: &'t Tape<T>) -> Pass<'t, T> {
        let weights = self.params.bind(tape);
        let precomputed = self.precomputed.as_ref().map(|table| tape.constant(table.clone()));
        Pass { weights, precomputed, context: None }
    }
}

/// An observation of one episode.
#[derive(Clone, Copy, Debug)]
pub enum Observation<'a> {
    /// One or several tokens.
    Tokens(&'a [u32]),
    /// A vector.
    Vector(&'a [f64]),
}

impl<'a> From<&'a [u32]> for Observation<'a> {
    fn from(tokens: &'a [u32]) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'a, const N: usize> From<&'a [u32; N]> for Observation<'a> {
    fn from(tokens: &'a [u32; N]) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'a> From<&'a [f64]> for Observation<'a> {
    fn from(vector: &'a [f64]) -> Self {
        Self::Vector(vector)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for Observation<'a> {
    fn from(vector: &'a [f64; N]) -> Self {
        Self::Vector(vector)
    }
}

/// One episode: the agent's state and its next decision.
pub struct Episode<'a, T: Real = f32, M = Policy> {
    agent: &'a Agent<T, M>,
    /// The parameters and the result of [`Model::precompute`], then the nodes of the latest observation.
    tape: Tape<T>,
    /// The number of nodes that stay on the tape.
    bound: usize,
    observations: Observations,
    reading: Reading<T>,
    /// The steps of the model, if it reads by steps.
    stepper: Option<GruStepper<T>>,
    stage: usize,
    /// The state before the latest observation, \[1,S\], if the model does not read by steps.
    state: Tensor<T>,
    /// The keys of the first observation, if the model has any.
    context: Option<KeptKeys<T>>,
    /// The nodes of the latest decision; `None` before the first observation.
    decision: Option<DecisionNodes>,
    /// The distribution of the next action, once something needs it.
    rows: OnceCell<Rows<T>>,
    /// The number of observations so far.
    steps: usize,
}

/// The positions on the tape of a state and of the model's outputs in it.
struct DecisionNodes {
    state: usize,
    actions: ActionNodes,
    values: usize,
}

enum ActionNodes {
    Logits(usize),
    Gaussian { mean: usize, log_std: usize },
}

impl DecisionNodes {
    fn new<T: Real>(state: Var<'_, T>, heads: Heads<'_, T>) -> Self {
        let actions = match heads.actions {
            ActionHead::Logits(logits) => ActionNodes::Logits(logits.index()),
            ActionHead::Gaussian { mean, log_std } => {
                ActionNodes::Gaussian { mean: mean.index(), log_std: log_std.index() }
            }
        };
        Self { state: state.index(), actions, values: heads.values.index() }
    }

    fn heads<'t, T: Real>(&self, tape: &'t Tape<T>) -> Heads<'t, T> {
        let actions = match self.actions {
            ActionNodes::Logits(logits) => ActionHead::Logits(tape.var(logits)),
            ActionNodes::Gaussian { mean, log_std } => {
                ActionHead::Gaussian { mean: tape.var(mean), log_std: tape.var(log_std) }
            }
        };
        Heads { actions, values: tape.var(self.values) }
    }
}

impl<T: Real, M: Model<T>> Episode<'_, T, M> {
    /// Starts another episode in the buffers of this one: faster than [`Agent::begin`], since it allocates nothing.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn restart(&mut self, stage: usize) {
        let stages = self.agent.spec.stages;
        assert!(stage < stages, "begin: stage {stage}, but there are {stages} stages");
        self.forget_decision();
        (self.stage, self.steps, self.context) = (stage, 0, None);
        let start = self.agent.starts[stage].view();
        match &mut self.stepper {
            Some(stepper) => stepper.begin(self.tape.kernels(), start),
            None => copy(self.tape.kernels(), start, &mut self.state),
        }
    }

    /// Removes the nodes of the latest observation.
    fn forget_decision(&mut self) {
        (self.decision, self.rows) = (None, OnceCell::new());
        self.tape.truncate(self.bound);
    }

    /// Reads an observation: tokens or a vector. The first is that of the reset; each later one follows an action, which need not
    /// have been the agent's choice. Computes the next decision.
    ///
    /// # Panics
    /// If the task has other observations: a token outside the vocabulary, another size, a number that is not finite.
    #[track_caller]
    pub fn observe<'o>(&mut self, observation: impl Into<Observation<'o>>) {
        self.observe_legal(observation, &[]);
    }

    /// Reads an observation as [`observe`](Self::observe) does. Only the actions that `legal` marks may follow; an empty list
    /// allows all.
    ///
    /// # Panics
    /// As [`observe`](Self::observe), or if `legal` has no entry for each action, or allows none.
    #[track_caller]
    pub fn observe_legal<'o>(&mut self, observation: impl Into<Observation<'o>>, legal: &[bool]) {
        let Self { agent, observations, .. } = self;
        observations.clear(0);
        match observation.into() {
            Observation::Tokens(tokens) => observations.set_tokens(0, tokens),
            Observation::Vector(vector) => observations.set_vector(0, vector),
        }
        if !legal.is_empty() {
            observations.set_legal(0, legal);
        }
        if let Err(fault) = observations.check(0) {
            panic!("observe: observation {} of an episode of {}: {fault}", self.steps, agent.spec.name)
        }
        if let (None, Some(decision)) = (&self.stepper, &self.decision) {
            let state = self.tape.var(decision.state).value();
            copy(self.tape.kernels(), state.view(), &mut self.state);
        }
        self.forget_decision();
        let Self { agent, tape, bound, observations, reading, stepper, state, context, .. } = self;
        reading.read(observations, &[0], agent.normalizer.as_ref());
        let precomputed = agent.precomputed.as_ref().map(|_| tape.var(*bound - 1));
        let mut pass = Pass { weights: agent.params.bound_first(tape), precomputed, context: None };
        let state = match stepper {
            Some(stepper) => {
                agent.model.read_steps(pass, &reading.inputs, stepper);
                tape.constant_from(stepper.state())
            }
            None => {
                let states = agent.model.read_all(pass, &reading.inputs, tape.constant_from(state.view()));
                if self.steps == 0 {
                    let keys = agent.model.read_context(pass, &reading.inputs, states, &reading.lengths);
                    *context = keys.map(KeptKeys::new);
                }
                pass.context = context.as_ref().map(|kept| kept.on(tape));
                last(states)
            }
        };
        self.decision = Some(DecisionNodes::new(state, agent.model.decide(pass, state)));
        self.steps += 1;
    }

    /// π(a | h), the probability of each action; empty if actions are numbers.
    ///
    /// # Panics
    /// Before the first observation.
    #[track_caller]
    pub fn probabilities(&self) -> Vec<f64> {
        self.rows("probabilities").probabilities(0)
    }

    /// The numbers of the next action's distribution.
    ///
    /// # Panics
    /// Before the first observation.
    #[track_caller]
    pub fn distribution(&self) -> &Rows<T> {
        self.rows("distribution")
    }

    /// V(h), the return that the agent expects from here on.
    ///
    /// # Panics
    /// Before the first observation.
    #[track_caller]
    pub fn value(&self) -> f64 {
        self.tape.var(self.decision("value").values).value().item().value()
    }

    /// The whole state of the agent in this episode, \[1,S\].
    pub fn state(&self) -> Tensor<T> {
        match &self.decision {
            Some(decision) => self.tape.var(decision.state).value(),
            None => self.agent.starts[self.stage].clone(),
        }
    }

    /// The most probable action, or the first of them if several are equally probable.
    ///
    /// # Panics
    /// Before the first observation, if actions are numbers, or if the log-probability of an action is NaN: a parameter is not
    /// finite, or a logit overflows.
    #[track_caller]
    pub fn greedy(&self) -> u32 {
        if let ActionNodes::Logits(logits) = self.decision("greedy").actions
            && self.observations.legal(0).iter().all(|&legal| legal)
            && let logits = self.tape.var(logits).value()
            && let Some(action) = logits.view().as_slice().and_then(clear_maximum)
        {
            return action;
        }
        self.choose("greedy", Choice::Greedy, &mut Philox::new(0)).get(0).discrete()
    }

    /// Samples an action from the policy, with one number of the generator. It never returns an action of probability zero.
    ///
    /// # Panics
    /// As [`greedy`](Self::greedy).
    #[track_caller]
    pub fn sample(&self, rng: &mut Philox) -> u32 {
        self.choose("sample", Choice::SAMPLED, rng).get(0).discrete()
    }

    /// The mean of an action that is a vector, \[D\].
    ///
    /// # Panics
    /// Before the first observation, if actions are not numbers, or if the mean is not finite.
    #[track_caller]
    pub fn greedy_vector(&self) -> Vec<f64> {
        self.choose("greedy_vector", Choice::Greedy, &mut Philox::new(0)).get(0).continuous().to_vec()
    }

    /// Samples an action that is a vector, \[D\].
    ///
    /// # Panics
    /// As [`greedy_vector`](Self::greedy_vector).
    #[track_caller]
    pub fn sample_vector(&self, rng: &mut Philox) -> Vec<f64> {
        self.choose("sample_vector", Choice::SAMPLED, rng).get(0).continuous().to_vec()
    }

    #[track_caller]
    fn choose(&self, called: &str, choice: Choice, rng: &mut Philox) -> Actions {
        let rows = self.rows(called);
        let spec = &self.agent.spec;
        if let Some(action) = rows.first_not_finite(0) {
            let name = match rows {
                Rows::Categorical { .. } => spec.action_name(action),
                Rows::Gaussian { .. } => "a number of the action",
            };
            let why = match self.agent.params.first_not_finite() {
                Some(parameter) => alloc::format!("parameter {parameter} holds a number that is not finite"),
                None => "all parameters are finite, but a logit overflows".into(),
            };
            let step = self.steps - 1;
            panic!(
                "{called}: the log-probability of action {action}, {name}, is NaN at step {step} of the episode: {why}"
            )
        }
        let mut actions = Actions::zeros(&spec.action, 1);
        rows.choose(0, choice, rng, &mut actions);
        actions
    }

    /// The numbers of the next action's distribution, computed when they are needed first.
    #[track_caller]
    fn rows(&self, called: &str) -> &Rows<T> {
        let decision = self.decision(called);
        let legal = self.observations.legal(0);
        self.rows.get_or_init(|| Decisions::new(decision.heads(&self.tape), legal).actions.to_rows())
    }

    #[track_caller]
    fn decision(&self, called: &str) -> &DecisionNodes {
        let Some(decision) = &self.decision else {
            panic!("{called}: the episode has no observation yet; call observe")
        };
        decision
    }
}

#[cfg(test)]
mod tests;
