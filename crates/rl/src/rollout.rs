//! Rollouts: a model acts in episodes, which are recorded.
//!
//! [`play`] plays whole episodes. [`play_segment`] plays n steps in environments that restart by themselves; its [`Carry`] goes
//! from one segment to the next.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use autograd::{GruStepper, Tape, Var};
use nn::Params;
use tensor::philox::Philox;
use tensor::{Element, Kernels, Map, Real, Shape, Tensor, View};

use crate::distribution::{Choice, Rows, write_numbers};
use crate::env::{Action, Actions, EnvError, Episodes, Observations, Spec};
use crate::model::{Decisions, Inputs, Keys, Model, Pass};
use crate::normalize::{Moments, Statistics};
use crate::trajectories::{Ended, Row, Trajectories, select_rows};

/// The error that no action can be chosen, because a number of the policy's distribution is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The stage.
    pub stage: usize,
    /// The index of the episode among the played episodes, from 0.
    pub episode: usize,
    /// The index of the step in the episode, from 0.
    pub step: usize,
    /// The first action whose log-probability is NaN, or the first number of the action whose mean or deviation is not finite.
    pub action: u32,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, episode, step, action } = self;
        write!(
            f,
            "the log-probability of action {action} is NaN at step {step} of episode {episode}, stage {stage}: \
             a parameter is not finite, or so large that a logit overflows; load parameters from an earlier update"
        )
    }
}

impl core::error::Error for Undecided {}

/// The error of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum RolloutError {
    /// The policy cannot choose an action.
    Undecided(Undecided),
    /// The environment has a fault.
    Env(EnvError),
}

impl RolloutError {
    /// Adds `first` to the index of the episode, if the rollout played the episodes from `first` on.
    pub(crate) fn with_first_episode(self, first: usize) -> Self {
        match self {
            Self::Undecided(error) => Self::Undecided(Undecided { episode: first + error.episode, ..error }),
            Self::Env(error) => Self::Env(EnvError { episode: first + error.episode, ..error }),
        }
    }
}

impl From<EnvError> for RolloutError {
    fn from(error: EnvError) -> Self {
        Self::Env(error)
    }
}

impl fmt::Display for RolloutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecided(error) => error.fmt(f),
            Self::Env(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RolloutError {}

/// The options of a rollout.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The rule that chooses actions.
    pub choice: Choice,
    /// The statistics that normalise vectors before the model reads them.
    pub normalizer: Option<&'a Moments>,
    /// γ of the discounted sums of rewards whose statistics normalise rewards, or `None` to collect none.
    pub reward_discount: Option<f64>,
    /// True to show each episode the first observation of its neighbour. What happens in the environment does not change.
    pub shuffled: bool,
    /// The probability that the state is erased before a step: the policy then reads its latest observation in the state before
    /// the first one.
    pub forget: f64,
    /// The relative probability of each action that ε draws; equal if empty.
    pub exploration: &'a [f64],
}

impl Options<'_> {
    /// The greedy policy.
    pub const GREEDY: Self = Self {
        choice: Choice::Greedy,
        normalizer: None,
        reward_discount: None,
        shuffled: false,
        forget: 0.0,
        exploration: &[],
    };
    /// Actions that are drawn from the policy.
    pub const SAMPLED: Self = Self { choice: Choice::SAMPLED, ..Self::GREEDY };
}

/// The random generators of B episodes.
#[derive(Clone, Debug)]
pub struct Streams {
    /// The generators of the environments, \[B\].
    pub env: Vec<Philox>,
    /// The generators of the actions, \[B\]; `None` draws actions from `env`, too.
    pub actions: Option<Vec<Philox>>,
}

impl Streams {
    /// Generators that serve the environments and the actions.
    pub fn shared(env: Vec<Philox>) -> Self {
        Self { env, actions: None }
    }
}

/// A view of one step of B episodes before the policy acts: what it has read, and its decisions.
pub struct StepView<'a, 't, T: Real> {
    /// The parameters on the tape.
    pub pass: Pass<'t, T>,
    /// The observations read since the previous step, as the environment wrote them.
    pub observations: &'a Observations,
    /// The same observations as the model reads them, \[K,B\].
    pub inputs: &'a Inputs<T>,
    /// The state before these observations, \[B,S\], and the state after each of them, \[K,B,S\]; without the first ones if the
    /// model leaves them out. `None` if a stepper keeps the states.
    pub states: Option<[Var<'t, T>; 2]>,
    /// The decisions in the last of these states.
    pub decisions: Decisions<'t, T>,
}

/// Plays whole episodes with a model, from their reset to their ends. The rows of the result are the episodes.
///
/// The `tape` should be one from [`Tape::no_grad`]; this function clears it before and after. If `stepper` is given, it keeps
/// the steps of the model for learning; it stays empty if the model does not use it, or if episodes read different numbers of
/// tokens. `see` is called at each step.
///
/// # Errors
/// If the policy cannot choose an action, or if the environment has a fault.
///
/// # Panics
/// If `streams` does not have one generator per episode, or if the numbers of the options are not valid.
#[track_caller]
pub fn play<T: Real, M: Model<T> + ?Sized>(
    (model, params): (&M, &Params<T>),
    tape: &mut Tape<T>,
    episodes: &mut Episodes,
    streams: &mut Streams,
    options: Options<'_>,
    stepper: Option<&mut GruStepper<T>>,
    see: impl FnMut(StepView<'_, '_, T>),
) -> Result<Trajectories, RolloutError> {
    let mut played = Trajectories::default();
    let actor = Actor { model, episodes, streams, options, steps: None };
    actor.play(params, tape, &mut Buffers::default(), stepper, see, &mut played).map(|()| played)
}

/// The state of running episodes between two segments.
#[derive(Clone, Debug, PartialEq)]
pub struct Carry {
    /// The state of each episode before its latest observation, \[B,S\]. `None` for an episode that has just been reset.
    pub states: Vec<Option<Vec<f64>>>,
    /// The sum of the rewards of each episode so far, \[B\].
    pub rewards: Vec<f64>,
    /// R ← γ·R + r of each episode so far, \[B\].
    pub discounted: Vec<f64>,
}

impl Carry {
    /// The carry of `episodes` episodes that have just been reset.
    pub fn new(episodes: usize) -> Self {
        Self { states: vec![None; episodes], rewards: vec![0.0; episodes], discounted: vec![0.0; episodes] }
    }
}

/// Plays `steps` steps in environments that restart by themselves. The caller has reset all episodes before the first segment.
/// Each row of the result is the part of one episode: it starts at a reset, or in the state of `carry`; it ends with the
/// episode, or with the segment.
///
/// # Errors
/// As [`play`].
///
/// # Panics
/// As [`play`], or if `steps` is 0.
#[track_caller]
pub fn play_segment<T: Real, M: Model<T> + ?Sized>(
    (model, params): (&M, &Params<T>),
    tape: &mut Tape<T>,
    episodes: &mut Episodes,
    streams: &mut Streams,
    options: Options<'_>,
    steps: usize,
    carry: &mut Carry,
) -> Result<Trajectories, RolloutError> {
    assert!(steps > 0, "play_segment: a segment of 0 steps, expected at least 1");
    let mut played = Trajectories::default();
    let actor = Actor { model, episodes, streams, options, steps: Some(steps) };
    actor.run(params, tape, carry, &mut Buffers::default(), None, |_| (), &mut played).map(|()| played)
}

/// A model that acts in episodes.
pub(crate) struct Actor<'a, M: ?Sized> {
    pub(crate) model: &'a M,
    pub(crate) episodes: &'a mut Episodes,
    pub(crate) streams: &'a mut Streams,
    pub(crate) options: Options<'a>,
    /// The length of the segment, or `None` for whole episodes.
    pub(crate) steps: Option<usize>,
}

/// The buffers of rollouts. A rollout of the same shapes as an earlier one in the same buffers allocates nothing.
pub(crate) struct Buffers<T: Real> {
    reading: Reading<T>,
    /// The observations that follow the last step of an episode that goes on.
    next_reading: Reading<T>,
    record: Record,
    /// The legal actions of all episodes, \[B,A\]; empty if all are legal.
    legal: Vec<bool>,
    actions: Actions,
    rows: Rows<T>,
    values: Vec<T>,
    /// The state before the next observations, \[B,S\], and a second buffer for it. Unused if a stepper keeps the state.
    states: [Tensor<T>; 2],
    /// Indices of episodes: those that are played, those whose last value is needed, and those that have ended.
    active: Vec<usize>,
    open: Vec<usize>,
    ended: Vec<usize>,
    is_done: Vec<bool>,
    /// The carry of whole episodes, which carry nothing.
    carry: Carry,
    /// Lists for the states of [`Carry`], [`Row`] and [`Trajectories`] where they are `None` now.
    spare: Vec<Vec<f64>>,
}

impl<T: Real> Default for Buffers<T> {
    fn default() -> Self {
        Self {
            reading: Reading::default(),
            next_reading: Reading::default(),
            record: Record::default(),
            legal: Vec::new(),
            actions: Actions::default(),
            rows: Rows::empty(),
            values: Vec::new(),
            states: [(); 2].map(|()| Tensor::zeros([0])),
            active: Vec::new(),
            open: Vec::new(),
            ended: Vec::new(),
            is_done: Vec::new(),
            carry: Carry::new(0),
            spare: Vec::new(),
        }
    }
}

impl<M: ?Sized> Actor<'_, M> {
    /// Plays whole episodes, from their reset to their ends.
    #[track_caller]
    pub(crate) fn play<T: Real>(
        self,
        params: &Params<T>,
        tape: &mut Tape<T>,
        buffers: &mut Buffers<T>,
        stepper: Option<&mut GruStepper<T>>,
        see: impl FnMut(StepView<'_, '_, T>),
        played: &mut Trajectories,
    ) -> Result<(), RolloutError>
    where
        M: Model<T>,
    {
        let Self { episodes, streams, options, .. } = self;
        let mut carry = core::mem::replace(&mut buffers.carry, Carry::new(0));
        carry.restart(episodes.len());
        set_all(&mut buffers.active, episodes.len());
        episodes.reset(&buffers.active, &mut streams.env)?;
        if options.shuffled {
            episodes.observations_mut().rotate();
        }
        let actor = Actor { episodes, streams, ..self };
        let result = actor.run(params, tape, &mut carry, buffers, stepper, see, played);
        buffers.carry = carry;
        result
    }

    /// Plays from the latest observations on. Replaces `played` by the record.
    #[expect(clippy::too_many_arguments, reason = "the buffers and results of one call")]
    pub(crate) fn run<T: Real>(
        mut self,
        params: &Params<T>,
        tape: &mut Tape<T>,
        carry: &mut Carry,
        buffers: &mut Buffers<T>,
        stepper: Option<&mut GruStepper<T>>,
        see: impl FnMut(StepView<'_, '_, T>),
        played: &mut Trajectories,
    ) -> Result<(), RolloutError>
    where
        M: Model<T>,
    {
        self.options.choice.assert_valid();
        let result = self.act(params, tape, carry, buffers, stepper, see);
        tape.clear();
        result?;
        let Buffers { record, spare, .. } = buffers;
        record.complete_masks();
        played.set_rows(self.episodes.stage(), record.rows(), self.steps.is_some(), spare);
        core::mem::swap(&mut played.statistics, &mut record.statistics);
        Ok(())
    }

    /// Each step is a pass of its own, so that the tape does not grow with the length of the episodes.
    fn act<T: Real>(
        &mut self,
        params: &Params<T>,
        tape: &mut Tape<T>,
        carry: &mut Carry,
        buffers: &mut Buffers<T>,
        stepper: Option<&mut GruStepper<T>>,
        mut see: impl FnMut(StepView<'_, '_, T>),
    ) -> Result<(), RolloutError>
    where
        M: Model<T>,
    {
        let Self { model, episodes, streams, options, steps } = self;
        let (count, kernels) = (episodes.len(), tape.kernels());
        let Buffers { reading, next_reading, record, legal, actions, rows, values, .. } = buffers;
        let Buffers { states: [h, h_next], active, open, ended, is_done, spare, .. } = buffers;
        tape.clear();
        let pass = Pass::new(*model, params.bind(tape));
        let start = model.start(pass, episodes.stage(), count);
        // The parameters and the initial state stay on the tape during all steps.
        let (precomputed, start, bound) = (pass.precomputed.map(Var::index), start.index(), tape.len());
        copy(kernels, tape.var(start).value().view(), h);
        carry.write_states(h);
        let mut stepper = stepper.and_then(|stepper| {
            if options.forget > 0.0 {
                *stepper = GruStepper::default(); // its steps would be those of a state that is kept
                return None;
            }
            let first = tape.constant_from(h.view());
            model.begin_steps(pass, first, stepper).then_some(stepper)
        });
        if steps.is_some() && spare.capacity() == 0 {
            spare.resize_with(3 * count, || Vec::with_capacity(h.shape()[1]));
        }
        record.begin(episodes.spec(), &carry.states, spare);
        let mut context = None;
        set_all(active, count);
        actions.reset(&episodes.spec().action, count);
        for t in 0.. {
            if active.is_empty() {
                break;
            }
            tape.truncate(bound);
            let precomputed = precomputed.map(|node| tape.var(node));
            let mut pass = Pass { weights: params.bound_first(tape), precomputed, context: None };
            reading.read(episodes.observations(), active, options.normalizer);
            if !reading.is_even
                && let Some(stepper) = stepper.take()
            {
                if !stepper.is_empty() {
                    copy(kernels, stepper.state(), h);
                }
                *stepper = GruStepper::default();
            }
            let (states, after) = match &mut stepper {
                Some(stepper) => {
                    model.read_steps(pass, &reading.inputs, stepper);
                    (None, tape.constant_from(stepper.state()))
                }
                None => {
                    let before = tape.constant(h.clone());
                    let states = reading.states(*model, pass, before);
                    if t == 0 && steps.is_none() {
                        context =
                            model.read_context(pass, &reading.inputs, states, &reading.lengths).map(KeptKeys::new);
                    }
                    pass.context = context.as_ref().map(|kept| kept.on(tape));
                    (Some([before, states]), last(states))
                }
            };
            record.read(episodes.observations(), active, reading, options.normalizer.is_some(), legal);
            let decisions = Decisions::new(model.decide(pass, after), legal);
            let observations = episodes.observations();
            see(StepView { pass, observations, inputs: &reading.inputs, states, decisions });

            decisions.actions.write_rows_for(options.choice, rows);
            write_numbers(decisions.values, values);
            let rngs = streams.actions.as_mut().unwrap_or(&mut streams.env);
            for &i in &*active {
                if let Some(action) = rows.first_not_finite(i) {
                    let (stage, step) = (episodes.stage(), episodes.steps(i));
                    return Err(RolloutError::Undecided(Undecided { stage, episode: i, step, action }));
                }
                rows.explore(i, options.choice, options.exploration, &mut rngs[i], actions);
            }
            episodes.step(active, actions, &mut streams.env)?;
            let out = episodes.transitions();
            for &i in &*active {
                record.act(i, actions.get(i), values[i].value(), out.rewards[i]);
                carry.rewards[i] += out.rewards[i];
                if let Some(gamma) = options.reward_discount {
                    carry.discounted[i] = gamma * carry.discounted[i] + out.rewards[i];
                    record.statistics.returns.push(&[carry.discounted[i]]);
                }
            }

            let is_last = *steps == Some(t + 1);
            let is_open = |&i: &usize| !out.terminated[i] && (out.truncated[i] || is_last);
            open.clear();
            open.extend(active.iter().copied().filter(is_open));
            if !open.is_empty() {
                next_reading.read(episodes.observations(), open, options.normalizer);
                let states = next_reading.states(*model, pass, after);
                write_numbers(model.decide(pass, last(states)).values, values);
                open.iter().for_each(|&i| record.row(i).bootstrap = values[i].value());
            }
            is_done.clear();
            is_done.extend((0..count).map(|i| out.is_done(i)));
            ended.clear();
            ended.extend(active.iter().copied().filter(|&i| is_done[i]));
            for &i in &*ended {
                let ended = Ended { reward: core::mem::take(&mut carry.rewards[i]), steps: episodes.steps(i) };
                (record.row(i).ended, record.row(i).solved) = (Some(ended), out.solved[i]);
                carry.discounted[i] = 0.0;
            }
            if stepper.is_none() {
                copy(kernels, after.value().view(), h_next);
                core::mem::swap(h, h_next);
            }
            let row = |x: usize| x..x + 1;
            let mut begin = |i| {
                let first = tape.var(start).value();
                kernels.map(Map::Identity, first.view().slice(0, row(i)), h.view_mut().slice(0, row(i)));
            };
            if options.forget > 0.0 {
                let rngs = streams.actions.as_mut().unwrap_or(&mut streams.env);
                active.iter().copied().filter(|&i| rngs[i].uniform_f64() < options.forget).for_each(&mut begin);
            }
            if steps.is_none() {
                active.retain(|&i| !is_done[i]);
                continue;
            }
            episodes.reset(ended, &mut streams.env)?;
            if is_last {
                carry.keep(h, is_done, spare);
                break;
            }
            for &i in &*ended {
                begin(i);
                record.start_row(i, None, spare);
            }
        }
        Ok(())
    }
}

/// [`Keys`] that outlive the nodes of a step.
pub(crate) struct KeptKeys<T: Real> {
    keys: Tensor<T>,
    mask: Option<Tensor<T>>,
}

impl<T: Real> KeptKeys<T> {
    pub(crate) fn new(Keys { keys, mask }: Keys<'_, T>) -> Self {
        Self { keys: keys.value(), mask: mask.map(Var::value) }
    }

    pub(crate) fn on<'t>(&self, tape: &'t Tape<T>) -> Keys<'t, T> {
        let constant = |x: &Tensor<T>| tape.constant(x.clone());
        Keys { keys: constant(&self.keys), mask: self.mask.as_ref().map(constant) }
    }
}

/// Replaces a list by the indices of `count` episodes.
fn set_all(episodes: &mut Vec<usize>, count: usize) {
    episodes.clear();
    episodes.extend(0..count);
}

/// Copies a tensor into a buffer on the host.
pub(crate) fn copy<T: Real>(kernels: &dyn Kernels<T>, from: View<'_, T>, to: &mut Tensor<T>) {
    to.resize(from.shape());
    kernels.map(Map::Identity, from, to.view_mut());
}

impl Carry {
    /// Makes this the carry of `episodes` episodes that have just been reset.
    fn restart(&mut self, episodes: usize) {
        let Self { states, rewards, discounted } = self;
        states.clear();
        states.resize(episodes, None);
        for sums in [rewards, discounted] {
            sums.clear();
            sums.resize(episodes, 0.0);
        }
    }

    /// Writes the states of the running episodes to their rows of h\[B,S\].
    fn write_states<T: Real>(&self, h: &mut Tensor<T>) {
        if self.states.iter().all(Option::is_none) {
            return;
        }
        let size = h.shape()[1];
        let rows = h.view_mut().into_slice().expect("a whole tensor on the host").chunks_mut(size.max(1));
        for (row, state) in rows.zip(&self.states) {
            row.iter_mut().zip(state.iter().flatten()).for_each(|(to, &x)| *to = T::from_f64(x));
        }
    }

    /// Keeps the states of the episodes that go on.
    fn keep<T: Real>(&mut self, states: &Tensor<T>, is_reset: &[bool], spare: &mut Vec<Vec<f64>>) {
        let size = states.shape()[1];
        let numbers = states.view().as_slice().expect("a whole tensor on the host");
        for (i, state) in self.states.iter_mut().enumerate() {
            let row = numbers[i * size..][..size].iter().map(|x| x.value());
            set_optional(state, (!is_reset[i]).then_some(row), spare);
        }
    }
}

/// Replaces an optional list. Its buffer goes to `spare` while it is `None`, and comes from there.
pub(crate) fn set_optional(
    list: &mut Option<Vec<f64>>,
    numbers: Option<impl Iterator<Item = f64>>,
    spare: &mut Vec<Vec<f64>>,
) {
    let Some(numbers) = numbers else { return spare.extend(list.take()) };
    let list = list.get_or_insert_with(|| spare.pop().unwrap_or_default());
    list.clear();
    list.extend(numbers);
}

/// Returns the elements of a buffer in a new shape. They are unspecified.
pub(crate) fn resized<X: Element>(buffer: &mut Tensor<X>, shape: impl Into<Shape>) -> &mut [X] {
    buffer.resize(shape);
    buffer.view_mut().into_slice().expect("a whole tensor on the host")
}

/// The state after the last observation, \[B,S\], of states\[K,B,S\].
pub(crate) fn last<T: Real>(states: Var<'_, T>) -> Var<'_, T> {
    let shape = states.shape();
    if shape[0] == 1 { states.reshape(shape.without_axis(0)) } else { states.select(0, shape[0] - 1) }
}

/// The observations that some of B episodes read next, side by side.
pub(crate) struct Reading<T: Real> {
    /// The observations, \[K,B\]: zeros for episodes that read less.
    pub(crate) inputs: Inputs<T>,
    /// The number of tokens that each episode reads, \[B\].
    pub(crate) lengths: Vec<usize>,
    /// True if all of these episodes read K observations.
    is_even: bool,
    /// The vectors after normalisation, \[B,D\].
    vectors: Vec<f64>,
}

impl<T: Real> Default for Reading<T> {
    fn default() -> Self {
        let inputs = Inputs::Tokens(Tensor::zeros([0, 0]));
        Self { inputs, lengths: Vec::new(), is_even: true, vectors: Vec::new() }
    }
}

impl<T: Real> Reading<T> {
    /// Replaces the observations by the latest ones of these episodes.
    pub(crate) fn read(&mut self, observations: &Observations, episodes: &[usize], normalizer: Option<&Moments>) {
        let (count, size) = (observations.len(), observations.vector(0).len());
        let Self { inputs, lengths, is_even, vectors } = self;
        lengths.clear();
        lengths.resize(count, 0);
        if size > 0 {
            vectors.clear();
            vectors.resize(count * size, 0.0);
            for &i in episodes {
                let row = &mut vectors[i * size..][..size];
                row.copy_from_slice(observations.vector(i));
                if let Some(moments) = normalizer {
                    moments.normalize(row);
                }
                lengths[i] = 1;
            }
            let numbers = resized(inputs.vectors_mut(), [1, count, size]);
            numbers.iter_mut().zip(vectors).for_each(|(to, &mut x)| *to = T::from_f64(x));
            *is_even = true;
            return;
        }
        episodes.iter().for_each(|&i| lengths[i] = observations.tokens(i).len());
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let tokens = resized(inputs.tokens_mut(), [longest, count]);
        tokens.fill(0);
        for &i in episodes {
            observations.tokens(i).iter().enumerate().for_each(|(k, &token)| tokens[k * count + i] = token);
        }
        *is_even = episodes.iter().all(|&i| lengths[i] == longest);
    }

    /// Reads from the state h\[B,S\]. Returns the states after each observation, \[K,B,S\]. An episode that has read all of its
    /// tokens keeps its state.
    fn states<'t, M: Model<T> + ?Sized>(&self, model: &M, pass: Pass<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        if self.is_even {
            return model.read_all(pass, &self.inputs, h);
        }
        let mut h = h;
        let read = |k: usize| {
            let is_read = self.lengths.iter().map(|&length| k < length);
            h = select_rows(h, model.read(pass, &self.inputs.get(k), h), is_read, &mut Tensor::zeros([0]));
            h
        };
        Var::stack(&(0..self.inputs.len()).map(read).collect::<Vec<_>>())
    }
}

/// The record of a rollout, row by row.
#[derive(Default)]
struct Record {
    /// No actions, of the kind of the task.
    no_actions: Actions,
    /// A, or 0 if the actions are continuous.
    choices: usize,
    /// The rows of this rollout, followed by unused rows of longer ones.
    rows: Vec<Row>,
    len: usize,
    /// The row to which each episode adds its steps, \[B\].
    current: Vec<usize>,
    statistics: Statistics,
}

impl Record {
    /// Starts the record of a rollout in which episode `i` starts in the state `carried[i]`.
    fn begin(&mut self, spec: &Spec, carried: &[Option<Vec<f64>>], spare: &mut Vec<Vec<f64>>) {
        self.no_actions.reset(&spec.action, 0);
        self.choices = if let Actions::Discrete(_) = self.no_actions { spec.action.size() } else { 0 };
        self.statistics.restart(spec.observation.vector_size());
        self.len = 0;
        self.current.clear();
        self.current.resize(carried.len(), 0);
        carried.iter().enumerate().for_each(|(i, state)| self.start_row(i, state.as_deref(), spare));
    }

    /// Starts a new row for episode `i`.
    fn start_row(&mut self, i: usize, carried: Option<&[f64]>, spare: &mut Vec<Vec<f64>>) {
        self.current[i] = self.len;
        if self.len == self.rows.len() {
            self.rows.push(Row::default());
        }
        self.rows[self.len].restart(&self.no_actions, carried, spare);
        self.len += 1;
    }

    /// Extends the masks of rows in which an action was illegal to all of their steps.
    fn complete_masks(&mut self) {
        for row in self.rows[..self.len].iter_mut().filter(|row| !row.legal.is_empty()) {
            row.legal.resize(row.rewards.len() * self.choices, true);
        }
    }

    /// The rows of this rollout.
    fn rows(&self) -> &[Row] {
        &self.rows[..self.len]
    }

    /// The present row of episode `i`.
    fn row(&mut self, i: usize) -> &mut Row {
        &mut self.rows[self.current[i]]
    }

    /// Records what these episodes read. Writes the legal actions of all episodes, \[B,A\]; none if all are legal.
    fn read<T: Real>(
        &mut self,
        observations: &Observations,
        episodes: &[usize],
        reading: &Reading<T>,
        is_normalized: bool,
        legal: &mut Vec<bool>,
    ) {
        let (actions, size) = (self.choices, observations.vector(0).len());
        legal.clear();
        for &i in episodes {
            let masked = Some(observations.legal(i)).filter(|legal| legal.contains(&false));
            if let Some(mask) = masked {
                legal.resize(observations.len() * actions, true);
                legal[i * actions..][..actions].copy_from_slice(mask);
            }
            if is_normalized {
                self.statistics.observations.push(observations.vector(i));
            }
            let row = self.row(i);
            if let Some(mask) = masked {
                row.legal.resize(row.rewards.len() * actions, true);
                row.legal.extend_from_slice(mask);
            }
            row.tokens.extend_from_slice(observations.tokens(i));
            row.ends.push((row.tokens.len() as u32).saturating_sub(1));
            if size > 0 {
                row.vectors.extend_from_slice(&reading.vectors[i * size..][..size]);
            }
        }
    }

    /// Records an action of episode `i`.
    fn act(&mut self, i: usize, action: Action<'_>, value: f64, reward: f64) {
        let row = self.row(i);
        row.actions.push(action);
        row.values.push(value);
        row.rewards.push(reward);
    }
}

/// Divides the episodes of each stage into chunks: (stage, first episode, number of episodes). Each stage has as few
/// chunks of at most `limit` episodes as possible. The sizes of its chunks differ by at most one.
pub(crate) fn chunks(counts: &[usize], limit: usize) -> Vec<(usize, usize, usize)> {
    let mut out = Vec::new();
    write_chunks(counts, limit, &mut out);
    out
}

/// Replaces `out` by the [`chunks`].
pub(crate) fn write_chunks(counts: &[usize], limit: usize, out: &mut Vec<(usize, usize, usize)>) {
    out.clear();
    let mut first = 0;
    for (stage, &count) in counts.iter().enumerate() {
        let parts = count.div_ceil(limit);
        for part in 0..parts {
            let episodes = count / parts + usize::from(part < count % parts);
            out.push((stage, first, episodes));
            first += episodes;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::ToString;

    use super::*;
    use crate::a2c::Learner;
    use crate::agent::{Agent, Observation};
    use crate::env::{Env, Task, Transitions};
    use crate::evaluate::{EvalStats, validate};
    use crate::test_tasks::{Chance, Endless, learner, rng};

    /// Two episodes of three steps, whose observations or rewards may be faulty. Episode 0 ends at step 1; its later rewards do
    /// not matter.
    #[derive(Clone, Copy)]
    struct Faulty {
        context: &'static [u32],
        token: u32,
        reward: f64,
        taken: usize,
    }

    const SOUND: Faulty = Faulty { context: &[0, 1], token: 1, reward: 0.5, taken: 0 };

    impl Env for Faulty {
        fn reset(&mut self, _: &[usize], _: &mut [Philox], out: &mut Observations) {
            out.set_tokens(0, &[0, 1]);
            out.set_tokens(1, self.context);
        }
        fn step(&mut self, episodes: &[usize], _: &Actions, _: &mut [Philox], out: &mut Transitions) {
            self.taken += 1;
            for i in 0..2 {
                out.observations.set_tokens(i, &[self.token]);
            }
            out.rewards = if self.taken == 3 { vec![f64::NAN, self.reward] } else { vec![0.0; 2] };
            out.terminated = vec![self.taken >= 2, self.taken == 3];
            assert!(self.taken < 3 || episodes == [1], "an episode that is done is not stepped");
        }
    }

    /// Plays the environment with a policy for two tokens.
    fn play_faulty(env: Faulty) -> Result<Trajectories, RolloutError> {
        let task = Endless { ends: None, pays: [1.0; 2] };
        let Learner { model, params, .. } = learner::<f32>(&task);
        let mut episodes = Episodes::with_env(task.spec(), 0, Box::new(env), 2);
        let mut streams = Streams::shared(vec![rng(0), rng(1)]);
        play((&model, &params), &mut Tape::no_grad(), &mut episodes, &mut streams, Options::GREEDY, None, |_| ())
    }

    fn fault_of(env: Faulty) -> alloc::string::String {
        play_faulty(env).expect_err("a fault").to_string()
    }

    /// Two episodes of four steps that read equally many tokens, but for the third observation.
    struct Uneven {
        taken: usize,
    }

    impl Env for Uneven {
        fn reset(&mut self, _: &[usize], _: &mut [Philox], out: &mut Observations) {
            (0..2).for_each(|i| out.set_tokens(i, &[0, 1]));
        }
        fn step(&mut self, _: &[usize], actions: &Actions, _: &mut [Philox], out: &mut Transitions) {
            self.taken += 1;
            out.observations.set_tokens(0, &[actions.get(0).discrete()]);
            out.observations.set_tokens(1, if self.taken == 2 { &[1, 0] } else { &[1] });
            (out.rewards, out.terminated) = (vec![0.0; 2], vec![self.taken == 4; 2]);
        }
    }

    /// A stepper that has kept some steps is given up once episodes read different numbers of tokens; the states go on from it.
    #[test]
    fn play_stepper_given_up_between_steps_changes_nothing() {
        let task = Endless { ends: None, pays: [1.0; 2] };
        let Learner { model, params, .. } = learner::<f32>(&task);
        let values = |stepper: Option<&mut GruStepper<f32>>| {
            let mut episodes = Episodes::with_env(task.spec(), 0, Box::new(Uneven { taken: 0 }), 2);
            let mut streams = Streams::shared(vec![rng(0), rng(1)]);
            let (policy, tape) = ((&model, &params), &mut Tape::no_grad());
            play(policy, tape, &mut episodes, &mut streams, Options::GREEDY, stepper, |_| ()).expect("no fault").values
        };
        let mut stepper = GruStepper::default();
        assert_eq!(values(Some(&mut stepper)), values(None));
        assert!(stepper.is_empty());
    }

    #[test]
    fn play_reward_after_the_end_may_be_nan() {
        assert_eq!(play_faulty(SOUND).expect("no fault").total_reward(), 0.5);
    }

    #[test]
    fn play_nan_reward_is_refused_with_episode_and_step() {
        let error = fault_of(Faulty { reward: f64::NAN, ..SOUND });
        assert!(error.starts_with("step 2 of episode 1 of endless, stage 0: the reward is NaN"), "{error}");
    }

    #[test]
    fn play_context_without_tokens_is_named() {
        let error = fault_of(Faulty { context: &[], ..SOUND });
        assert!(error.starts_with("the reset of episode 1 of endless, stage 0: no observation was written"), "{error}");
    }

    #[test]
    fn play_context_token_outside_the_vocabulary_is_named() {
        let error = fault_of(Faulty { context: &[2, 1], ..SOUND });
        let want = "the reset of episode 1 of endless, stage 0: token 2 is outside the vocabulary of 2 tokens";
        assert_eq!(error, want);
    }

    #[test]
    fn play_later_token_outside_the_vocabulary_is_named() {
        let error = fault_of(Faulty { token: 9, ..SOUND });
        let want = "step 0 of episode 0 of endless, stage 0: token 9 is outside the vocabulary of 2 tokens";
        assert_eq!(error, want);
    }

    #[test]
    fn play_contexts_of_another_length_are_played() {
        let played = play_faulty(Faulty { context: &[0, 1, 1], ..SOUND }).expect("no fault");
        assert_eq!((played.context(0), played.context(1)), (vec![0, 1], vec![0, 1, 1]));
    }

    #[test]
    #[should_panic(expected = "Episodes: 2 episodes, but 1 generators")]
    fn play_streams_of_another_count_are_refused() {
        let task = Endless { ends: None, pays: [1.0; 2] };
        let Learner { model, params, .. } = learner::<f32>(&task);
        let (mut episodes, mut streams) = (Episodes::new(&task, 0, 2), Streams::shared(vec![rng(0)]));
        _ = play((&model, &params), &mut Tape::no_grad(), &mut episodes, &mut streams, Options::GREEDY, None, |_| ());
    }

    #[test]
    fn horizon_truncates_an_episode_that_is_then_not_solved() {
        for (ends, steps, solved, terminated) in
            [(None, 3, false, false), (Some(3), 3, true, true), (Some(2), 2, true, true)]
        {
            let task = Endless { ends, pays: [1.0; 2] };
            let (mut episodes, mut rngs) = (Episodes::new(&task, 0, 2), [rng(0), rng(1)]);
            for _ in 0..2 {
                episodes.reset(&[0, 1], &mut rngs).expect("no fault");
                for step in 1..=steps {
                    episodes.step(&[0, 1], &Actions::Discrete(vec![0, 1]), &mut rngs).expect("no fault");
                    let out = episodes.transitions();
                    assert_eq!([out.is_done(0), out.is_done(1)], [step == steps; 2], "{ends:?}");
                    assert_eq!(out.rewards, [1.0; 2]);
                }
                let out = episodes.transitions();
                assert_eq!((out.terminated[1], out.truncated[1], out.solved[1]), (terminated, !terminated, solved));
            }
        }
    }

    #[test]
    fn update_and_evaluation_of_an_endless_task_end_at_its_horizon() {
        let task = Endless { ends: None, pays: [1.0; 2] };
        let mut learner = learner::<f32>(&task);
        let update = crate::a2c::Update { counts: vec![5], ..crate::a2c::Update::default() };
        let metrics = learner.update(&task, &update).expect("finite");
        assert_eq!((metrics.steps, metrics.reward, &metrics.stages[..]), (15, 3.0, &[(5, 0)][..]));
        let stats = validate(learner.trained(), &task, 1, (0, 7)).expect("finite");
        let EvalStats { steps, reward, exact, .. } = stats[0];
        assert_eq!((steps, reward, exact), (3.0, 3.0, 0.0));
    }

    #[test]
    fn chunks_are_few_and_of_similar_size() {
        assert_eq!(chunks(&[192, 0, 0], 48), [(0, 0, 48), (0, 48, 48), (0, 96, 48), (0, 144, 48)]);
        assert_eq!(chunks(&[32, 0, 49], 48), [(0, 0, 32), (2, 32, 25), (2, 57, 24)]);
        assert_eq!(chunks(&[0, 0, 0], 48), []);
    }

    /// Plays episodes number `first` and following of stage 1 with the greedy policy.
    fn play_greedy<T: Real>(
        task: Chance,
        learner: &Learner<T>,
        numbers: core::ops::Range<u32>,
        stepper: Option<&mut GruStepper<T>>,
        see: impl FnMut(StepView<'_, '_, T>),
    ) -> Trajectories {
        let mut episodes = Episodes::new(&task, 1, numbers.len());
        let (tape, mut streams) = (&mut Tape::no_grad(), Streams::shared(numbers.map(rng).collect()));
        let actor = (&learner.model, &learner.params);
        play(actor, tape, &mut episodes, &mut streams, Options::GREEDY, stepper, see).expect("no fault")
    }

    /// Plays one episode of stage 1 by hand, with an agent. Returns its row, and whether it reached the horizon.
    fn play_by_hand(task: Chance, learner: &Learner<f64>, number: u32) -> (Row, bool) {
        let agent = Agent::new(task.spec(), learner.model.clone(), learner.params.clone());
        let (mut episode, mut episodes, mut rngs) = (agent.begin(1), Episodes::new(&task, 1, 1), [rng(number)]);
        let mut actions = Actions::zeros(&task.spec().action, 1);
        let mut row = Row { actions: Actions::zeros(&task.spec().action, 0), ..Row::default() };
        episodes.reset(&[0], &mut rngs).expect("no fault");
        loop {
            let seen = episodes.observations();
            match task.has_vectors {
                true => episode.observe_legal(Observation::Vector(seen.vector(0)), seen.legal(0)),
                false => episode.observe_legal(Observation::Tokens(seen.tokens(0)), seen.legal(0)),
            }
            let steps = row.rewards.len();
            if steps > 0 && episodes.transitions().is_done(0) {
                row.bootstrap = episode.value();
                return (row, steps == 7);
            }
            row.tokens.extend_from_slice(seen.tokens(0));
            row.vectors.extend_from_slice(seen.vector(0));
            row.values.push(episode.value());
            match task.is_continuous {
                true => actions.set(0, Action::Continuous(&episode.greedy_vector())),
                false => actions.set(0, Action::Discrete(episode.greedy())),
            }
            row.actions.push(actions.get(0));
            episodes.step(&[0], &actions, &mut rngs).expect("no fault");
            row.rewards.push(episodes.transitions().rewards[0]);
            if episodes.transitions().terminated[0] {
                row.solved = episodes.transitions().solved[0];
                return (row, false);
            }
        }
    }

    #[track_caller]
    fn assert_near(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} is not {b:?}");
    }

    /// Observations of different lengths, several tokens as an answer, masks, truncation and termination.
    #[test]
    fn play_batch_is_the_episodes_played_alone_by_hand() {
        for task in Chance::all() {
            let learner = learner::<f64>(&task);
            let played = play_greedy(task, &learner, 0..40, None, |_| ());
            let (mut truncated, mut at_horizon, mut terminated) = (0, 0, 0);
            for i in 0..40 {
                let (got, (want, is_at_horizon)) = (played.row(i), play_by_hand(task, &learner, i as u32));
                assert_eq!(
                    (&got.tokens, &got.vectors, got.solved),
                    (&want.tokens, &want.vectors, want.solved),
                    "{task:?}"
                );
                match (&got.actions, &want.actions) {
                    (Actions::Continuous { values, .. }, Actions::Continuous { values: want, .. }) => {
                        assert_near(values, want)
                    }
                    (got, want) => assert_eq!(got, want, "{task:?}"),
                }
                assert_near(&got.rewards, &want.rewards);
                assert_near(&got.values, &want.values);
                assert_near(&[got.bootstrap], &[want.bootstrap]);
                truncated += u32::from(got.bootstrap != 0.0);
                at_horizon += u32::from(is_at_horizon);
                terminated += u32::from(got.bootstrap == 0.0);
                assert_eq!(got.ended, Some(Ended { reward: got.rewards.iter().sum(), steps: got.rewards.len() }));
            }
            assert!(
                truncated > at_horizon && at_horizon > 0 && terminated > 0,
                "{truncated} {at_horizon} {terminated}"
            );
        }
    }

    #[test]
    fn decisions_of_learning_are_those_of_acting() {
        for task in Chance::all() {
            let (learner, mut acted) = (learner::<f64>(&task), Vec::new());
            let played = play_greedy(task, &learner, 0..6, None, |view| match view.decisions.actions.to_rows() {
                crate::distribution::Rows::Categorical { log_probs, .. } => acted.extend(log_probs),
                crate::distribution::Rows::Gaussian { mean, .. } => acted.extend(mean),
            });
            let tape = Tape::no_grad();
            let pass = Pass::new(&learner.model, learner.params.bind(&tape));
            let decisions = played.decisions(&learner.model, pass, None);
            let learned = match decisions.actions.to_rows() {
                crate::distribution::Rows::Categorical { log_probs, .. } => log_probs,
                crate::distribution::Rows::Gaussian { mean, .. } => mean,
            };
            let (size, values) = (learned.len() / played.valid.len(), decisions.values.value().to_vec());
            let mut compared = 0;
            for k in (0..played.valid.len()).filter(|&k| played.valid[k]) {
                let pairs = learned[k * size..][..size].iter().zip(&acted[k * size..][..size]);
                assert!(pairs.clone().all(|(a, b)| a == b || (a - b).abs() < 1e-12), "{task:?} {k}");
                assert_near(&[values[k]], &[played.values[k]]);
                compared += 1;
            }
            assert_eq!(compared, played.valid_step_count());
        }
    }

    /// The stepper keeps the steps if all episodes read the same number of tokens at each step, and is dropped otherwise.
    #[test]
    fn stepper_even_reading_keeps_gradients_and_uneven_reading_drops_it() {
        for is_even in [true, false] {
            let task = Chance { is_even, ..Chance::default() };
            let (learner, mut stepper) = (learner::<f32>(&task), GruStepper::default());
            let played = play_greedy(task, &learner, 0..6, Some(&mut stepper), |_| ());
            assert_eq!(stepper.is_empty(), !is_even);
            let gradients = |stepper: Option<&mut GruStepper<f32>>| {
                let mut grads = nn::Grads::zeros(&learner.params);
                let (tape, estimates) = (
                    &mut Tape::new(),
                    crate::returns::Advantages {
                        advantages: (0..played.valid.len()).map(|k| k as f64 * 0.25 - 1.0).collect(),
                        targets: vec![1.0; played.valid.len()],
                    },
                );
                let loss = nn::differentiate(&learner.params, tape, &mut grads, |_, weights| {
                    let decisions = played.decisions(&learner.model, Pass::new(&learner.model, weights), stepper);
                    crate::a2c::LossTerms::compute(decisions, &played, &estimates).loss(
                        &crate::a2c::Update::default(),
                        6,
                        20,
                    )
                });
                loss.expect("the loss uses every parameter");
                grads.flat().to_vec()
            };
            let (kept, again) = (gradients(Some(&mut stepper)), gradients(None));
            assert!(kept.iter().any(|x| *x != 0.0));
            assert!(kept.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs())), "even: {is_even}");
        }
    }

    /// Plays consecutive segments of these lengths with sampled actions.
    fn play_segments(
        task: Chance,
        learner: &Learner<f64>,
        numbers: core::ops::Range<u32>,
        lengths: &[usize],
    ) -> Vec<Trajectories> {
        let (all, mut episodes) = (0..numbers.len(), Episodes::new(&task, 1, numbers.len()));
        let (mut carry, mut streams) = (Carry::new(numbers.len()), Streams::shared(numbers.map(rng).collect()));
        episodes.reset(&all.collect::<Vec<_>>(), &mut streams.env).expect("no fault");
        let actor = (&learner.model, &learner.params);
        let play = |&steps: &usize| {
            let (tape, options) = (&mut Tape::no_grad(), Options::SAMPLED);
            play_segment(actor, tape, &mut episodes, &mut streams, options, steps, &mut carry).expect("no fault")
        };
        lengths.iter().map(play).collect()
    }

    fn rows_of(played: &[Trajectories]) -> Vec<Row> {
        played.iter().flat_map(|played| (0..played.episodes).map(|i| played.row(i))).collect()
    }

    #[test]
    fn play_segment_consecutive_segments_are_one_long_segment() {
        for task in Chance::all() {
            let learner = learner::<f64>(&task);
            for number in 0..4 {
                let long = rows_of(&play_segments(task, &learner, number..number + 1, &[24]));
                let short = rows_of(&play_segments(task, &learner, number..number + 1, &[3, 1, 5, 8, 7]));
                let all = |rows: &[Row], of: fn(&Row) -> &[f64]| {
                    rows.iter().flat_map(|row| of(row).to_vec()).collect::<Vec<_>>()
                };
                assert_near(&all(&short, |row| &row.values), &all(&long, |row| &row.values));
                assert_near(&all(&short, |row| &row.rewards), &all(&long, |row| &row.rewards));
                let actions = |rows: &[Row]| {
                    rows.iter()
                        .flat_map(|row| match &row.actions {
                            Actions::Discrete(actions) => actions.iter().map(|&action| f64::from(action)).collect(),
                            Actions::Continuous { values, .. } => values.clone(),
                        })
                        .collect::<Vec<f64>>()
                };
                match task.is_continuous {
                    true => assert_near(&actions(&short), &actions(&long)),
                    false => assert_eq!(actions(&short), actions(&long)),
                }
                let ended =
                    |rows: &[Row]| rows.iter().filter_map(|row| row.ended).map(|ended| ended.steps).collect::<Vec<_>>();
                assert_eq!(ended(&short), ended(&long), "whole episodes, with the parts in earlier segments");
            }
        }
    }

    /// A row that an earlier segment left starts in its state; a row after the end of an episode starts anew. A row that the
    /// segment cuts, or that is truncated, is bootstrapped.
    #[test]
    fn play_segment_rows_start_and_end_where_episodes_and_segments_do() {
        for task in Chance::all() {
            let (learner, lengths) = (learner::<f64>(&task), [3, 4, 5]);
            let (mut is_new, mut so_far) = (true, Ended { reward: 0.0, steps: 0 });
            for (played, length) in play_segments(task, &learner, 7..8, &lengths).iter().zip(lengths) {
                let rows = rows_of(core::slice::from_ref(played));
                assert_eq!(rows.iter().map(|row| row.rewards.len()).sum::<usize>(), length);
                for (k, row) in rows.iter().enumerate() {
                    assert_eq!(row.carried.is_none(), is_new, "{task:?}");
                    so_far = Ended {
                        reward: so_far.reward + row.rewards.iter().sum::<f64>(),
                        steps: so_far.steps + row.rewards.len(),
                    };
                    is_new = row.ended.is_some();
                    assert!(is_new || (k + 1 == rows.len() && row.bootstrap != 0.0), "only the segment cuts a row");
                    if let Some(Ended { reward, steps }) = row.ended {
                        assert_eq!(steps, so_far.steps);
                        assert_near(&[reward], &[so_far.reward]);
                        so_far = Ended { reward: 0.0, steps: 0 };
                    }
                }
            }
        }
    }

    /// Learning starts each row in its carried state, and so decides as acting did. The batch holds the rows of its episodes.
    #[test]
    fn play_segment_learning_decides_as_acting_and_a_batch_holds_the_rows_of_each_episode() {
        for task in Chance::all() {
            let (learner, lengths) = (learner::<f64>(&task), [4, 6, 3]);
            let batch = play_segments(task, &learner, 0..5, &lengths);
            for (n, played) in batch.iter().enumerate() {
                let tape = Tape::no_grad();
                let pass = Pass::new(&learner.model, learner.params.bind(&tape));
                let values = played.decisions(&learner.model, pass, None).values.value().to_vec();
                for k in (0..played.valid.len()).filter(|&k| played.valid[k]) {
                    assert_near(&[values[k]], &[played.values[k]]);
                }
                assert_eq!(n > 0, played.carried.iter().any(Option::is_some));
            }
            let rows = rows_of(&batch);
            let mut alone = Vec::new();
            for number in 0..5 {
                alone.extend(rows_of(&play_segments(task, &learner, number..number + 1, &lengths)));
            }
            assert_eq!(rows.len(), alone.len());
            for want in &alone {
                let found = rows.iter().find(|row| {
                    row.rewards.len() == want.rewards.len() && (row.rewards[0] - want.rewards[0]).abs() < 1e-12
                });
                let row = found.unwrap_or_else(|| panic!("{task:?}: no row {want:?}"));
                assert_near(&row.values, &want.values);
                assert_near(&row.rewards, &want.rewards);
                assert_near(&[row.bootstrap], &[want.bootstrap]);
                match (&row.carried, &want.carried) {
                    (Some(row), Some(want)) => assert_near(row, want),
                    (row, want) => assert_eq!(row, want),
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "play_segment: a segment of 0 steps, expected at least 1")]
    fn play_segment_of_no_steps_panics() {
        let task = Chance::default();
        play_segments(task, &learner(&task), 0..1, &[0]);
    }

    /// A policy whose state is erased before each step decides in the state before the first observation; with probability 1/2, in
    /// about half of the steps.
    #[test]
    fn play_forgetting_reads_the_latest_observation_alone() {
        for (forget, least, most) in [(0.0, 0.0, 0.0), (0.5, 0.3, 0.7), (1.0, 1.0, 1.0)] {
            let task = Endless { ends: Some(6), pays: [0.0; 2] };
            let Learner { model, params, .. } = learner::<f64>(&task);
            let mut episodes = Episodes::new(&task, 0, 20);
            let mut streams = Streams::shared((0..20).map(rng).collect());
            let (mut erased, mut count, mut first) = (0.0, 0.0, None);
            let see = |view: StepView<'_, '_, f64>| {
                let before = view.states.expect("no stepper")[0].value();
                let first = first.get_or_insert(before.clone());
                let is_start = |&i: &usize| (0..5).all(|k| before.get(&[i, k]) == first.get(&[i, k]));
                erased += (0..20).filter(is_start).count() as f64;
                count += 20.0;
            };
            let options = Options { forget, ..Options::SAMPLED };
            play((&model, &params), &mut Tape::no_grad(), &mut episodes, &mut streams, options, None, see)
                .expect("no fault");
            let share = (erased - 20.0) / (count - 20.0); // all begin in that state
            assert!((least..=most).contains(&share), "{forget}: {share}");
        }
    }

    #[test]
    #[should_panic(expected = "Choice: epsilon is 2, expected a number from 0 to 1")]
    fn play_invalid_epsilon_panics() {
        let task = Chance::default();
        let Learner { model, params, .. } = learner::<f32>(&task);
        let options = Options { choice: Choice::Sampled { epsilon: 2.0, temperature: 1.0 }, ..Options::GREEDY };
        let (mut episodes, mut streams) = (Episodes::new(&task, 0, 1), Streams::shared(vec![rng(0)]));
        _ = play((&model, &params), &mut Tape::no_grad(), &mut episodes, &mut streams, options, None, |_| ());
    }
}
