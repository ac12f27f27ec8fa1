//! Trajectories: the record of played episodes. Rollouts write it; advantage estimation and the loss read it.
//!
//! A row is an episode, or the part of an episode that lies in one segment. A program may change a record between acting and
//! learning, for example the rewards.

use alloc::vec::Vec;
use core::borrow::Borrow;

use autograd::{GruStepper, Var};
use tensor::{Real, Tensor};

use crate::distribution::ActionBuffers;
use crate::env::Actions;
use crate::model::{Decisions, Inputs, Model, Pass};
use crate::normalize::Statistics;
use crate::rollout::{resized, set_optional};

/// The record of B rows of one stage, in time-major order: entry `t·B + i` is step t of row i.
#[derive(Clone, Debug, Default)]
pub struct Trajectories {
    /// The stage of the episodes.
    pub stage: usize,
    /// B, the number of rows.
    pub episodes: usize,
    /// T, the length of the longest row.
    pub steps: usize,
    /// The observations that the policy read before each decision, after normalisation.
    pub observed: Observed,
    /// True for each action that was legal, \[T,B,A\]; empty if all were.
    pub legal: Vec<bool>,
    /// The actions, \[T,B\].
    pub actions: Actions,
    /// The reward of each action, \[T,B\].
    pub rewards: Vec<f64>,
    /// V, the critic's value of the state before each action, \[T,B\].
    pub values: Vec<f64>,
    /// The mask of valid steps, \[T,B\]: false after the end of a row. Invalid steps are ignored.
    pub valid: Vec<bool>,
    /// V of the state after the last step of each row, \[B\]; 0 if the episode terminated there.
    pub bootstrap: Vec<f64>,
    /// The state in which each row starts, if an earlier segment left it, \[B\]. `None` is the start of an episode. Empty if all
    /// rows are starts of episodes.
    pub carried: Vec<Option<Vec<f64>>>,
    /// True for each row in which the episode ended with success, \[B\].
    pub solved: Vec<bool>,
    /// The whole episode of each row in which one ended, with the parts in earlier segments, \[B\].
    pub ended: Vec<Option<Ended>>,
    /// The statistics of observations and rewards, if normalisation needs them.
    pub statistics: Statistics,
}

/// An episode that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// The sum of its rewards.
    pub reward: f64,
    /// The number of its actions.
    pub steps: usize,
}

/// An episode, or the part of one that lies in a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The state in which the row starts; `None` at the start of an episode.
    pub carried: Option<Vec<f64>>,
    /// The tokens that the policy read; empty if observations are vectors.
    pub tokens: Vec<u32>,
    /// The index of the last token that was read before each decision.
    pub ends: Vec<u32>,
    /// The vectors that the policy read, \[T,D\]; empty if observations are tokens.
    pub vectors: Vec<f64>,
    /// True for each legal action, \[T,A\]; empty if all are.
    pub legal: Vec<bool>,
    /// The actions.
    pub actions: Actions,
    /// The reward of each action.
    pub rewards: Vec<f64>,
    /// The critic's value before each action.
    pub values: Vec<f64>,
    /// The critic's value after the last action; 0 if the episode terminated.
    pub bootstrap: f64,
    /// True if the episode ended with success.
    pub solved: bool,
    /// The whole episode, if it ended.
    pub ended: Option<Ended>,
}

impl Row {
    /// An episode of discrete actions in which the policy read the context, and then some tokens after each action but the last:
    /// `read(t, action)`. All actions are legal, and rewards and values are 0: a demonstration, for hindsight.
    pub fn from_program<I: IntoIterator<Item = u32>>(
        context: &[u32],
        actions: &[u32],
        read: impl Fn(usize, u32) -> I,
    ) -> Self {
        let (steps, mut tokens, mut ends) = (actions.len(), context.to_vec(), Vec::with_capacity(actions.len()));
        for (t, &action) in actions.iter().enumerate() {
            ends.push(tokens.len() as u32 - 1);
            tokens.extend(read(t, action).into_iter().filter(|_| t + 1 < steps));
        }
        Self {
            tokens,
            ends,
            actions: Actions::Discrete(actions.to_vec()),
            rewards: alloc::vec![0.0; steps],
            values: alloc::vec![0.0; steps],
            ..Self::default()
        }
    }

    /// Empties the row, which starts in the state `carried`. Its actions are of the kind of `no_actions`.
    pub(crate) fn restart(&mut self, no_actions: &Actions, carried: Option<&[f64]>, spare: &mut Vec<Vec<f64>>) {
        let Self { tokens, ends, vectors, legal, actions, rewards, values, .. } = self;
        [tokens, ends].into_iter().for_each(Vec::clear);
        [vectors, rewards, values].into_iter().for_each(Vec::clear);
        legal.clear();
        actions.clear_as(no_actions);
        set_optional(&mut self.carried, carried.map(|state| state.iter().copied()), spare);
        (self.bootstrap, self.solved, self.ended) = (0.0, false, None);
    }
}

/// The observations that the policy read in B rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// Tokens, one row after the other without gaps.
    Tokens {
        /// The tokens of each row, \[S,B\]; 0 after the last.
        tokens: Vec<u32>,
        /// The index in the row of the last token that was read before each decision, \[T,B\].
        ends: Vec<u32>,
    },
    /// One vector before each decision.
    Vectors {
        /// D.
        size: usize,
        /// The numbers, \[T,B,D\].
        values: Vec<f64>,
    },
}

impl Default for Observed {
    fn default() -> Self {
        Self::Tokens { tokens: Vec::new(), ends: Vec::new() }
    }
}

impl Observed {
    /// Replaces the observations by those of rows of at most `steps` steps: vectors of `size` numbers, or tokens if `size` is 0.
    /// After the end of a row, its position goes on as far as there are tokens.
    fn set_rows(&mut self, rows: &[impl Borrow<Row>], steps: usize, size: usize) {
        let all = || rows.iter().map(Borrow::borrow);
        if size > 0 {
            if let Self::Tokens { .. } = self {
                *self = Self::Vectors { size, values: Vec::new() };
            }
            let Self::Vectors { size: of_self, values } = self else { unreachable!("the line above made it") };
            *of_self = size;
            let places = (0..steps).flat_map(|t| all().map(move |row| (row, t)));
            return refill(values, places.flat_map(|(row, t)| entries(&row.vectors, t * size, size, 0.0)));
        }
        if let Self::Vectors { .. } = self {
            *self = Self::default();
        }
        let Self::Tokens { tokens, ends } = self else { unreachable!("the line above made it") };
        let longest = all().map(|row| row.tokens.len()).max().unwrap_or(0);
        let end = |row: &Row, t: usize| match row.ends.get(t) {
            Some(&end) => end,
            None => (row.tokens.len() + t - row.ends.len()).min(longest - 1) as u32,
        };
        let token = |row: &Row, k: usize| row.tokens.get(k).copied().unwrap_or(0);
        refill_by_time(tokens, rows, longest, token);
        refill_by_time(ends, rows, steps, end);
    }

    /// The tokens of rows that all read a context of `first` tokens, then one token after each action but the last.
    /// `contexts` is \[L,B\]; `after`\[T,B\] are the tokens of the actions, of which the last is not read.
    pub fn from_contexts(contexts: &[u32], after: &[u32], episodes: usize) -> Self {
        let (first, steps) = (contexts.len() / episodes.max(1), after.len() / episodes.max(1));
        let read = steps.saturating_sub(1) * episodes;
        Self::Tokens {
            tokens: [contexts, &after[..read]].concat(),
            ends: (0..steps).flat_map(|t| core::iter::repeat_n((first - 1 + t) as u32, episodes)).collect(),
        }
    }
}

/// The buffers of learning from trajectories. Learning from ones of the same shapes again allocates nothing.
pub(crate) struct LearnBuffers<T: Real> {
    inputs: Inputs<T>,
    /// The states of [`Trajectories::carried`], and the rows of them and of the initial states from which rows start.
    carried: Tensor<T>,
    starts: Tensor<u32>,
    /// The states in which decisions were made.
    ends: Tensor<u32>,
    legal: Vec<bool>,
    /// The indices of the valid steps, and their advantages, targets and actions.
    pub(crate) steps: Tensor<u32>,
    pub(crate) advantages: Tensor<T>,
    pub(crate) targets: Tensor<T>,
    pub(crate) chosen: Actions,
    pub(crate) actions: ActionBuffers<T>,
}

impl<T: Real> Default for LearnBuffers<T> {
    fn default() -> Self {
        let ([carried, advantages, targets], [starts, ends, steps]) =
            ([(); 3].map(|()| Tensor::zeros([0])), [(); 3].map(|()| Tensor::zeros([0])));
        let (inputs, legal) = (Inputs::Tokens(Tensor::zeros([0, 0])), Vec::new());
        let (chosen, actions) = (Actions::default(), ActionBuffers::default());
        Self { inputs, carried, starts, ends, legal, steps, advantages, targets, chosen, actions }
    }
}

impl Trajectories {
    /// Arranges rows of one stage side by side.
    pub fn from_rows(stage: usize, rows: &[&Row]) -> Self {
        let mut out = Self::default();
        out.set_rows(stage, rows, rows.iter().any(|row| row.carried.is_some()), &mut Vec::new());
        out
    }

    /// Replaces the record by rows of one stage side by side. `is_segment` is false if all rows are starts of episodes. `spare`
    /// has lists for [`carried`](Self::carried).
    pub(crate) fn set_rows(
        &mut self,
        stage: usize,
        rows: &[impl Borrow<Row>],
        is_segment: bool,
        spare: &mut Vec<Vec<f64>>,
    ) {
        let all = || rows.iter().map(Borrow::borrow);
        let (episodes, steps) = (rows.len(), all().map(|row| row.rewards.len()).max().unwrap_or(0));
        let places = || (0..steps).flat_map(|t| all().map(move |row| (row, t)));
        let per_step = |of: fn(&Row) -> usize| all().map(|row| of(row) / row.rewards.len().max(1)).max().unwrap_or(0);
        let is_masked = all().any(|row| row.legal.contains(&false));
        let (size, choices) = (per_step(|row| row.vectors.len()), per_step(|row| row.legal.len()));
        (self.stage, self.episodes, self.steps) = (stage, episodes, steps);
        self.observed.set_rows(rows, steps, size);
        self.legal.clear();
        if is_masked {
            self.legal.extend(places().flat_map(|(row, t)| entries(&row.legal, t * choices, choices, true)));
        }
        match all().next() {
            Some(row) => self.actions.clear_as(&row.actions),
            None => self.actions = Actions::default(),
        }
        places().for_each(|(row, t)| match t < row.rewards.len() {
            true => self.actions.push(row.actions.get(t)),
            false => self.actions.push_zero(),
        });
        let at = |x: &[f64], t: usize| x.get(t).copied().unwrap_or(0.0);
        refill_by_time(&mut self.rewards, rows, steps, |row, t| at(&row.rewards, t));
        refill_by_time(&mut self.values, rows, steps, |row, t| at(&row.values, t));
        refill_by_time(&mut self.valid, rows, steps, |row, t| t < row.rewards.len());
        refill(&mut self.bootstrap, all().map(|row| row.bootstrap));
        refill(&mut self.solved, all().map(|row| row.solved));
        refill(&mut self.ended, all().map(|row| row.ended));
        let carried = if is_segment { episodes } else { 0 };
        self.carried.drain(carried.min(self.carried.len())..).flatten().for_each(|list| spare.push(list));
        self.carried.resize(carried, None);
        for (to, row) in self.carried.iter_mut().zip(all()) {
            set_optional(to, row.carried.as_ref().map(|state| state.iter().copied()), spare);
        }
    }

    /// Row `i`, without the steps after its end.
    pub fn row(&self, i: usize) -> Row {
        let steps: Vec<usize> = self.steps_of(i).collect();
        let at = |x: &[f64]| steps.iter().map(|&k| x[k]).collect();
        let per_step = |len: usize| len / self.valid.len().max(1);
        let mut row = Row {
            carried: self.carried.get(i).cloned().flatten(),
            actions: self.actions_at(&steps.iter().map(|&k| k as u32).collect::<Vec<_>>()),
            rewards: at(&self.rewards),
            values: at(&self.values),
            bootstrap: self.bootstrap.get(i).copied().unwrap_or(0.0),
            solved: self.solved[i],
            ended: self.ended.get(i).copied().flatten(),
            ..Row::default()
        };
        let choices = per_step(self.legal.len());
        row.legal = steps.iter().flat_map(|&k| &self.legal[k * choices..][..choices]).copied().collect();
        match &self.observed {
            Observed::Vectors { size, values } => {
                row.vectors = steps.iter().flat_map(|&k| &values[k * size..][..*size]).copied().collect();
            }
            Observed::Tokens { tokens, ends } => {
                row.ends = steps.iter().map(|&k| ends[k]).collect();
                let read = row.ends.last().map_or(0, |&end| end as usize + 1);
                row.tokens = tokens.iter().skip(i).step_by(self.episodes).take(read).copied().collect();
            }
        }
        row
    }

    /// Counts the valid steps.
    pub fn valid_step_count(&self) -> usize {
        self.valid.iter().filter(|&&valid| valid).count()
    }

    /// The indices t·B + i of the valid steps in ascending order, \[N\].
    pub fn valid_step_indices(&self) -> Tensor<u32> {
        let mut indices = Tensor::zeros([0]);
        self.write_valid_step_indices(&mut indices);
        indices
    }

    /// Replaces `indices` by the indices of the valid steps.
    pub(crate) fn write_valid_step_indices(&self, indices: &mut Tensor<u32>) {
        let valid = (0..).zip(&self.valid).filter(|(_, valid)| **valid).map(|(k, _)| k);
        resized(indices, [self.valid_step_count()]).iter_mut().zip(valid).for_each(|(to, k)| *to = k);
    }

    /// The sum of the rewards of all valid steps.
    pub fn total_reward(&self) -> f64 {
        self.rewards.iter().zip(&self.valid).filter(|(_, valid)| **valid).map(|(reward, _)| reward).sum()
    }

    /// The indices t·B + i of the valid steps of row `i`, in order.
    pub fn steps_of(&self, i: usize) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.steps).map(move |t| t * self.episodes + i).filter(|&k| self.valid[k])
    }

    /// The program of row `i`: its actions up to its end. Empty if the actions are continuous.
    pub fn program(&self, i: usize) -> Vec<u32> {
        match &self.actions {
            Actions::Discrete(actions) => self.steps_of(i).map(|k| actions[k]).collect(),
            Actions::Continuous { .. } => Vec::new(),
        }
    }

    /// The actions of the steps at these indices.
    pub fn actions_at(&self, steps: &[u32]) -> Actions {
        match &self.actions {
            Actions::Discrete(actions) => Actions::Discrete(steps.iter().map(|&k| actions[k as usize]).collect()),
            Actions::Continuous { size, values } => Actions::Continuous {
                size: *size,
                values: steps.iter().flat_map(|&k| &values[k as usize * size..][..*size]).copied().collect(),
            },
        }
    }

    /// Replaces `actions` by those of the steps at these indices.
    pub(crate) fn write_actions_at(&self, steps: &[u32], actions: &mut Actions) {
        actions.clear_as(&self.actions);
        steps.iter().for_each(|&k| actions.push(self.actions.get(k as usize)));
    }

    /// The tokens that row `i` read before its first decision; empty if observations are vectors.
    pub fn context(&self, i: usize) -> Vec<u32> {
        match &self.observed {
            Observed::Tokens { tokens, ends } if self.steps > 0 => {
                tokens.iter().skip(i).step_by(self.episodes).take(ends[i] as usize + 1).copied().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The observations that the policy read, one row after the other: tokens\[S,B\], or vectors\[T,B,D\].
    pub fn inputs<T: Real>(&self) -> Inputs<T> {
        let mut inputs = Inputs::Tokens(Tensor::zeros([0, 0]));
        self.write_inputs(&mut inputs);
        inputs
    }

    /// Replaces `inputs` by the observations that the policy read.
    fn write_inputs<T: Real>(&self, inputs: &mut Inputs<T>) {
        match &self.observed {
            Observed::Tokens { tokens, .. } => {
                let shape = [tokens.len() / self.episodes.max(1), self.episodes];
                resized(inputs.tokens_mut(), shape).copy_from_slice(tokens);
            }
            Observed::Vectors { size, values } => {
                let numbers = resized(inputs.vectors_mut(), [self.steps, self.episodes, *size]);
                let read = values.chunks(*size).zip(&self.valid);
                for (to, (from, &valid)) in numbers.chunks_mut(*size).zip(read) {
                    to.iter_mut().zip(from).for_each(|(to, &x)| *to = if valid { T::from_f64(x) } else { T::zero() });
                }
            }
        }
    }

    /// Computes the decisions of all T·B steps again, for learning, in one pass over the recorded observations. If `stepper`
    /// kept the steps of acting with the same parameters, they are not computed again.
    ///
    /// No gradient flows into states that an earlier segment left.
    #[track_caller]
    pub fn decisions<'t, T: Real, M: Model<T> + ?Sized>(
        &self,
        model: &M,
        pass: Pass<'t, T>,
        stepper: Option<&mut GruStepper<T>>,
    ) -> Decisions<'t, T> {
        self.decisions_in(model, pass, stepper, &mut LearnBuffers::default())
    }

    /// Does the same as [`decisions`](Self::decisions) in buffers that later calls reuse.
    #[track_caller]
    pub(crate) fn decisions_in<'t, T: Real, M: Model<T> + ?Sized>(
        &self,
        model: &M,
        pass: Pass<'t, T>,
        stepper: Option<&mut GruStepper<T>>,
        buffers: &mut LearnBuffers<T>,
    ) -> Decisions<'t, T> {
        self.write_inputs(&mut buffers.inputs);
        let start = model.start(pass, self.stage, self.episodes);
        let h = self.select_starts(pass, start, buffers);
        let states = match stepper.filter(|stepper| !stepper.is_empty()) {
            Some(stepper) => model.recall_steps(pass, &buffers.inputs, h, stepper),
            None => model.read_all(pass, &buffers.inputs, h),
        };
        let mut pass = pass;
        if let Observed::Tokens { ends, .. } = &self.observed
            && self.carried.is_empty()
        {
            let lengths: Vec<usize> = ends.iter().take(self.episodes).map(|&end| end as usize + 1).collect();
            pass.context = model.read_context(pass, &buffers.inputs, states, &lengths);
        }
        let choices = self.legal.len() / self.valid.len().max(1);
        refill(&mut buffers.legal, (0..).zip(&self.legal).map(|(n, &legal)| legal || !self.valid[n / choices]));
        let states = self.states_of_decisions(states, &mut buffers.ends);
        Decisions::new(model.decide(pass, states), &buffers.legal)
    }

    /// The state in which each row starts, \[B,S\]: that of `carried`, or `start`.
    fn select_starts<'t, T: Real>(
        &self,
        pass: Pass<'t, T>,
        start: Var<'t, T>,
        buffers: &mut LearnBuffers<T>,
    ) -> Var<'t, T> {
        if self.carried.is_empty() {
            return start;
        }
        let (rows, size) = (start.shape()[0], start.shape()[1]);
        let LearnBuffers { carried, starts, .. } = buffers;
        for (to, state) in resized(carried, [rows, size]).chunks_mut(size.max(1)).zip(&self.carried) {
            match state {
                Some(state) => to.iter_mut().zip(state).for_each(|(to, &x)| *to = T::from_f64(x)),
                None => to.fill(T::zero()),
            }
        }
        let is_carried = self.carried.iter().map(Option::is_some);
        select_rows(start, pass.tape().constant(carried.clone()), is_carried, starts)
    }

    /// Selects the states in which decisions were made, \[T·B,S\], from the states after the last K observations, \[K,B,S\].
    /// `index` is a buffer.
    fn states_of_decisions<'t, T: Real>(&self, states: Var<'t, T>, index: &mut Tensor<u32>) -> Var<'t, T> {
        let (count, size) = (self.steps * self.episodes, states.shape().last_extent());
        let rows = |x: Var<'t, T>| x.reshape([x.shape().size() / size, size]);
        let Observed::Tokens { tokens, ends } = &self.observed else { return rows(states) };
        let left_out = tokens.len() / self.episodes.max(1) - states.shape()[0];
        // Without a copy if all rows decide after the same observations.
        let first = ends.first().map_or(0, |&first| first as usize);
        let is_even = |(end, ends): (usize, &[u32])| ends.iter().all(|&other| other as usize == end);
        if (first..).zip(ends.chunks(self.episodes)).all(is_even) {
            return rows(states.slice(0, first - left_out..first - left_out + self.steps));
        }
        let place = |k: usize| match self.valid[k] {
            true => (ends[k] as usize - left_out) * self.episodes + k % self.episodes,
            false => 0,
        };
        resized(index, [count]).iter_mut().enumerate().for_each(|(k, to)| *to = place(k) as u32);
        rows(states).embedding(index)
    }
}

/// Replaces a list by the entries of all rows at `steps` steps, in time-major order.
fn refill_by_time<X>(list: &mut Vec<X>, rows: &[impl Borrow<Row>], steps: usize, entry: impl Fn(&Row, usize) -> X) {
    list.clear();
    list.reserve(rows.len() * steps);
    (0..steps).for_each(|t| list.extend(rows.iter().map(|row| entry(row.borrow(), t))));
}

/// Replaces the elements of a list.
fn refill<X>(list: &mut Vec<X>, elements: impl Iterator<Item = X>) {
    list.clear();
    list.extend(elements);
}

/// Returns `count` entries of `x` from `first` on, or of `after` where `x` has ended.
fn entries<X: Copy>(x: &[X], first: usize, count: usize, after: X) -> impl Iterator<Item = X> {
    (first..first + count).map(move |k| x.get(k).copied().unwrap_or(after))
}

/// Takes row i of `b` where `from_b[i]` is true, and of `a` elsewhere. Both are \[B,S\]. `index` is a buffer.
pub(crate) fn select_rows<'t, T: Real>(
    a: Var<'t, T>,
    b: Var<'t, T>,
    from_b: impl Iterator<Item = bool>,
    index: &mut Tensor<u32>,
) -> Var<'t, T> {
    let rows = a.shape()[0];
    let places = resized(index, [rows]).iter_mut().enumerate().zip(from_b);
    places.for_each(|((i, to), from_b)| *to = (if from_b { rows + i } else { i }) as u32);
    Var::concat(&[a, b], 0).embedding(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2c::{Learner, LossTerms, Update};
    use crate::env::{Action, Task};
    use crate::returns::{AdvantageEstimator, compute_advantages};
    use crate::test_tasks::{Chance, learner, rng};

    #[test]
    fn total_reward_nan_after_the_end_adds_nothing() {
        let played = Trajectories {
            episodes: 2,
            steps: 2,
            rewards: alloc::vec![1.0, 2.0, 4.0, f64::NAN],
            valid: alloc::vec![true, true, true, false],
            ..Trajectories::default()
        };
        assert_eq!((played.total_reward(), played.valid_step_indices().to_vec()), (7.0, alloc::vec![0, 1, 2]));
    }

    /// Rows of different lengths of a rollout, with everything that a task can have.
    fn rows(task: Chance) -> Vec<Row> {
        let mut rng = rng(5);
        let (mut rows, spec) = (Vec::new(), task.spec());
        for i in 0..4 {
            let steps = [3, 1, 5, 2][i];
            let mut row = Row {
                actions: Actions::zeros(&spec.action, 0),
                carried: (i == 1).then(|| (0..5).map(|_| rng.normal()).collect()),
                bootstrap: if i % 2 == 0 { rng.normal() } else { 0.0 },
                solved: i == 3,
                ended: (i != 2).then_some(Ended { reward: 0.5, steps }),
                ..Row::default()
            };
            for _ in 0..steps {
                match task.has_vectors {
                    true => row.vectors.extend((0..3).map(|_| rng.normal())),
                    false => {
                        row.tokens.extend((0..1 + if task.is_even { 0 } else { rng.below(3) }).map(|_| rng.below(4)));
                        row.ends.push(row.tokens.len() as u32 - 1);
                    }
                }
                let action = rng.below(3);
                match task.is_continuous {
                    true => row.actions.push(Action::Continuous(&[rng.normal(), rng.normal()])),
                    false => row.actions.push(Action::Discrete(action)),
                }
                if task.is_masked {
                    row.legal.extend([0, 1, 2].map(|a| a == action || rng.below(2) == 0));
                }
                row.rewards.push(rng.normal());
                row.values.push(rng.normal());
            }
            rows.push(row);
        }
        rows
    }

    #[test]
    fn row_of_from_rows_is_the_same_row() {
        for task in Chance::all() {
            let rows = rows(task);
            let played = Trajectories::from_rows(1, &rows.iter().collect::<Vec<_>>());
            assert_eq!((played.episodes, played.steps, played.valid_step_count()), (4, 5, 11));
            for (i, row) in rows.iter().enumerate() {
                assert_eq!(played.row(i), *row, "{task:?}");
            }
        }
    }

    /// An update may have no illegal action, so its rows have no mask. A replay batch combines them with rows that have one.
    #[test]
    fn from_rows_rows_with_and_without_mask_keep_the_mask() {
        let masked = rows(Chance { is_masked: true, ..Chance::default() }).remove(1);
        let free = Row { legal: Vec::new(), ..masked.clone() };
        for rows in [[&free, &masked], [&masked, &free]] {
            let legal = Trajectories::from_rows(0, &rows).legal;
            let want: Vec<bool> = rows
                .iter()
                .flat_map(|row| if row.legal.is_empty() { alloc::vec![true; 3] } else { row.legal.clone() })
                .collect();
            assert_eq!(legal, want);
            assert!(legal.contains(&false));
        }
    }

    /// Loss and gradients of a batch whose entries after the end of each row are changed by `poison`.
    fn loss_and_gradients(task: Chance, poison: Option<f64>) -> Vec<u64> {
        let Learner { model, params, .. } = learner::<f64>(&task);
        let rows = rows(task);
        let mut played = Trajectories::from_rows(1, &rows.iter().collect::<Vec<_>>());
        if let Some(poison) = poison {
            for k in (0..played.valid.len()).filter(|&k| !played.valid[k]) {
                (played.rewards[k], played.values[k]) = (poison, poison);
                match &mut played.actions {
                    Actions::Discrete(actions) => actions[k] = u32::MAX,
                    Actions::Continuous { values, .. } => values[2 * k..][..2].fill(poison),
                }
                match &mut played.observed {
                    Observed::Tokens { ends, .. } => ends[k] = u32::MAX,
                    Observed::Vectors { values, .. } => values[3 * k..][..3].fill(poison),
                }
                if task.is_masked {
                    played.legal[3 * k..][..3].fill(false);
                }
            }
        }
        let estimates = compute_advantages(&played, 0.9, AdvantageEstimator::Gae(0.7));
        let (tape, mut grads) = (&mut autograd::Tape::new(), nn::Grads::zeros(&params));
        let mut value = 0.0;
        let loss = nn::differentiate(&params, tape, &mut grads, |_, weights| {
            let decisions = played.decisions(&model, Pass::new(&model, weights), None);
            let loss = LossTerms::compute(decisions, &played, &estimates).loss(&Update::default(), 4, 11);
            value = loss.value().item();
            loss
        });
        loss.expect("the loss uses every parameter");
        assert!(value.is_finite() && grads.norm() > 0.0 && grads.norm().is_finite(), "{task:?} {poison:?}");
        core::iter::once(value).chain(grads.flat().to_vec()).map(f64::to_bits).collect()
    }

    #[test]
    fn decisions_poison_after_the_end_changes_no_byte_of_loss_and_gradient() {
        for task in Chance::all() {
            let want = loss_and_gradients(task, None);
            for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
                assert!(loss_and_gradients(task, Some(poison)) == want, "{task:?} {poison}");
            }
        }
    }
}
