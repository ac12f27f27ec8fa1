//! Environments, in the terms of Gymnasium. A [`Task`] describes a problem by its [`Spec`] and creates [`Env`]s, which are
//! vectors of episodes.
//!
//! An episode starts with `reset` and goes on with `step`. Both give the policy an observation: one or several tokens, or a
//! vector of numbers. So a tool that the policy calls can answer. A step also gives a reward, and may end the episode:
//!
//! - `terminated`: the episode is over by the rules of the task. No reward can follow, so the value of what follows is 0.
//! - `truncated`: the episode is cut off, for example by a time limit. Rewards would follow, so learning replaces them by the
//!   critic's value of the last observation.
//!
//! A task of one's own has five parts: [`Task::spec`], [`Task::env`], and the three methods of [`SingleEnv`], which plays one
//! episode. [`check`](check::check) plays it at random and names every broken promise.
//!
//! ```
//! use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
//! use tensor::philox::Philox;
//!
//! /// Ask for the hidden digit, then say it. Who asks twice has failed.
//! struct AskFirst;
//!
//! impl Task for AskFirst {
//!     fn spec(&self) -> Spec {
//!         let actions = ActionSpace::discrete(["SAY 0", "SAY 1", "ASK"]);
//!         Spec::new("ask-first", Space::tokens(["0", "1", "START"]), actions, 2).with_success()
//!     }
//!     fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
//!         env::vector(episodes, || Digit { hidden: 0, shown: 2 })
//!     }
//! }
//!
//! struct Digit { hidden: u32, shown: u32 }
//!
//! impl SingleEnv for Digit {
//!     fn reset(&mut self, rng: &mut Philox) {
//!         *self = Self { hidden: rng.below(2), shown: 2 };
//!     }
//!     fn observe(&self, mut out: Observer<'_>) {
//!         out.token(self.shown);
//!     }
//!     fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
//!         match action.discrete() {
//!             2 if self.shown == 2 => { self.shown = self.hidden; Step::reward(0.0) }
//!             said if said == self.hidden => Step::solved(1.0),
//!             _ => Step::terminated(0.0),
//!         }
//!     }
//! }
//!
//! env::check::check(&AskFirst).expect("no broken promise");
//! ```

pub mod check;
mod episodes;
mod observations;
mod single;
mod spec;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use crate::config::Config;
use crate::explain::Explain;
use crate::hindsight::Hindsight;
use crate::solver::Solvable;

pub use episodes::{EnvError, Episodes, Fault};
pub use observations::{Observations, Observer};
pub use single::{Action, SingleEnv, Step, vector};
pub use spec::{ActionSpace, Space, Spec};

/// A problem to learn.
pub trait Task: Send + Sync {
    /// Describes the task: its name, what a policy observes, its actions, and its horizon.
    fn spec(&self) -> Spec;

    /// Creates a vector of `episodes` episodes of `stage`, which is below [`Spec::stages`].
    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env>;

    /// Returns the settings that suit the task. The command starts from them; files and flags override each.
    fn default_config(&self) -> Config {
        Config::default()
    }

    /// Returns the facts that a solver knows about the task, if it has one.
    fn solver(&self) -> Option<&dyn Solvable> {
        None
    }

    /// Returns the explanations of episodes, if the task has any.
    fn explanations(&self) -> Option<&dyn Explain> {
        None
    }

    /// Returns what makes demonstrations of episodes, if the task can say for which problem an episode is right.
    fn hindsight(&self) -> Option<&dyn Hindsight> {
        None
    }

    /// The relative probability of each discrete action when training explores; empty, the default, if all are equal.
    fn exploration(&self) -> Vec<f64> {
        Vec::new()
    }

    /// A rule that solves every episode by the latest observation alone: each observation that can precede a decision of it, with the
    /// action after it. Empty, the default, if there is none.
    fn rule(&self) -> Vec<(Vec<u32>, u32)> {
        Vec::new()
    }

    /// The mean number of steps of a shortest program, if the task knows it. A [`solver`](Self::solver) knows it, too.
    fn optimum(&self, stage: usize) -> Option<f64> {
        let _ = stage;
        None
    }

    /// The name of a stage in tables; empty if it has none. A solver has goals instead.
    fn label(&self, stage: usize) -> String {
        let _ = stage;
        String::new()
    }

    /// Returns the list of all contexts, if there are finitely many. Tests then play each once.
    fn all_contexts(&self) -> Option<&dyn Contexts> {
        None
    }

    /// Returns other sets of episodes on which a trained policy is tested. Training never plays them.
    fn test_sets(&self) -> Vec<TestSet> {
        Vec::new()
    }
}

/// All contexts of a task whose episodes differ only by their context.
pub trait Contexts {
    /// The number of contexts of a stage.
    fn count(&self, stage: usize) -> usize;

    /// Creates a vector of one episode for each of these contexts. Each is below [`count`](Self::count).
    fn env_with_contexts(&self, stage: usize, contexts: &[usize]) -> Box<dyn Env>;
}

/// Episodes on which a trained policy is tested, beside those of the task.
pub struct TestSet {
    /// The name of the set.
    pub name: String,
    /// The episodes, as a task with the same [`Spec`].
    pub task: Box<dyn Task>,
    /// The predicted share of solved episodes of each stage, for a policy that solves every episode of the task.
    pub predicted: Option<Vec<f64>>,
    /// True to erase the policy's state before each step, so that it acts by its latest observation alone.
    pub is_forgetting: bool,
}

/// Tasks behind a pointer are tasks.
macro_rules! tasks_behind {
    ($($pointer:ty),*) => {$(
        impl<K: Task + ?Sized> Task for $pointer {
            fn spec(&self) -> Spec {
                (**self).spec()
            }
            fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
                (**self).env(stage, episodes)
            }
            fn default_config(&self) -> Config {
                (**self).default_config()
            }

            fn solver(&self) -> Option<&dyn Solvable> {
                (**self).solver()
            }
            fn explanations(&self) -> Option<&dyn Explain> {
                (**self).explanations()
            }

            fn hindsight(&self) -> Option<&dyn Hindsight> {
                (**self).hindsight()
            }

            fn exploration(&self) -> Vec<f64> {
                (**self).exploration()
            }

            fn rule(&self) -> Vec<(Vec<u32>, u32)> {
                (**self).rule()
            }

            fn optimum(&self, stage: usize) -> Option<f64> {
                (**self).optimum(stage)
            }

            fn label(&self, stage: usize) -> String {
                (**self).label(stage)
            }

            fn all_contexts(&self) -> Option<&dyn Contexts> {
                (**self).all_contexts()
            }

            fn test_sets(&self) -> Vec<TestSet> {
                (**self).test_sets()
            }
        }
    )*};
}
tasks_behind!(&K, Box<K>, Arc<K>);

/// A vector of B episodes of one stage. Everything is indexed by the episode: `rngs[i]`, the action `i`, and row `i` of `out`
/// belong to episode `i`. Episodes do not depend on each other.
///
/// Programs usually do not call an `Env`, but [`Episodes`], which checks its results and enforces the horizon.
pub trait Env: Send {
    /// Starts a new episode at each of these indices, and writes its first observation. All randomness comes from `rngs`.
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations);

    /// Takes one action in each of these episodes. Writes the reward and the next observation of each, and whether it ended.
    /// The fields of `out` are cleared before: no episode has ended, and no reward is set. An observation after the end is read
    /// only if the episode is truncated.
    fn step(&mut self, episodes: &[usize], actions: &Actions, rngs: &mut [Philox], out: &mut Transitions);
}

/// The actions of B episodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Actions {
    /// The index of each action, \[B\].
    Discrete(Vec<u32>),
    /// The numbers of each action, \[B,D\].
    Continuous {
        /// D, the numbers of an action.
        size: usize,
        /// The numbers.
        values: Vec<f64>,
    },
}

impl Default for Actions {
    fn default() -> Self {
        Self::Discrete(Vec::new())
    }
}

impl Actions {
    /// Creates `count` actions of a space: the first one, or zeros.
    pub fn zeros(space: &ActionSpace, count: usize) -> Self {
        match space {
            ActionSpace::Discrete { .. } => Self::Discrete(vec![0; count]),
            &ActionSpace::Continuous { size } => Self::Continuous { size, values: vec![0.0; count * size] },
        }
    }

    /// No actions of a space, with room for `count`.
    pub(crate) fn with_capacity(space: &ActionSpace, count: usize) -> Self {
        match space {
            ActionSpace::Discrete { .. } => Self::Discrete(Vec::with_capacity(count)),
            &ActionSpace::Continuous { size } => Self::Continuous { size, values: Vec::with_capacity(count * size) },
        }
    }

    /// Makes these `count` actions of a space: the first one, or zeros.
    pub(crate) fn reset(&mut self, space: &ActionSpace, count: usize) {
        match (&mut *self, space) {
            (Self::Discrete(actions), ActionSpace::Discrete { .. }) => {
                actions.clear();
                actions.resize(count, 0);
            }
            (Self::Continuous { size, values }, ActionSpace::Continuous { size: wanted }) if *size == *wanted => {
                values.clear();
                values.resize(count * *size, 0.0);
            }
            _ => *self = Self::zeros(space, count),
        }
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        match self {
            Self::Discrete(actions) => actions.len(),
            Self::Continuous { size, values } => values.len() / size,
        }
    }

    /// Returns true if there are no actions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The action at index `i`.
    ///
    /// # Panics
    /// If `i` is out of range.
    #[track_caller]
    pub fn get(&self, i: usize) -> Action<'_> {
        match self {
            Self::Discrete(actions) => Action::Discrete(actions[i]),
            Self::Continuous { size, values } => Action::Continuous(&values[i * size..][..*size]),
        }
    }

    /// Replaces the action at index `i`.
    ///
    /// # Panics
    /// If `i` is out of range, or if the action is of another kind or size.
    #[track_caller]
    pub fn set(&mut self, i: usize, action: Action<'_>) {
        match (self, action) {
            (Self::Discrete(actions), Action::Discrete(action)) => actions[i] = action,
            (Self::Continuous { size, values }, Action::Continuous(action)) => {
                values[i * *size..][..*size].copy_from_slice(action)
            }
            (_, action) => panic!("Actions::set: {action:?} is of another kind than the other actions"),
        }
    }

    /// Adds an action.
    ///
    /// # Panics
    /// If the action is of another kind.
    #[track_caller]
    pub fn push(&mut self, action: Action<'_>) {
        match (self, action) {
            (Self::Discrete(actions), Action::Discrete(action)) => actions.push(action),
            (Self::Continuous { values, .. }, Action::Continuous(action)) => values.extend_from_slice(action),
            (_, action) => panic!("Actions::push: {action:?} is of another kind than the other actions"),
        }
    }

    /// Removes all actions. Later ones are of the kind of `other`.
    pub(crate) fn clear_as(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Discrete(actions), Self::Discrete(_)) => actions.clear(),
            (Self::Continuous { size, values }, Self::Continuous { size: wanted, .. }) if *size == *wanted => {
                values.clear()
            }
            (_, Self::Discrete(_)) => *self = Self::default(),
            (_, &Self::Continuous { size, .. }) => *self = Self::Continuous { size, values: Vec::new() },
        }
    }

    /// Adds the first action, or one of zeros.
    pub(crate) fn push_zero(&mut self) {
        match self {
            Self::Discrete(actions) => actions.push(0),
            Self::Continuous { size, values } => values.resize(values.len() + *size, 0.0),
        }
    }

    /// The numbers of the continuous action at index `i`, to write.
    ///
    /// # Panics
    /// If the actions are discrete.
    #[track_caller]
    pub(crate) fn continuous_mut(&mut self, i: usize) -> &mut [f64] {
        match self {
            Self::Continuous { size, values } => &mut values[i * *size..][..*size],
            Self::Discrete(_) => panic!("continuous_mut: each action is an index"),
        }
    }

    /// The indices of discrete actions.
    ///
    /// # Panics
    /// If the actions are continuous.
    #[track_caller]
    pub fn discrete(&self) -> &[u32] {
        match self {
            Self::Discrete(actions) => actions,
            Self::Continuous { size, .. } => panic!("discrete: each action is {size} numbers"),
        }
    }
}

/// The results of one action in each of B episodes.
#[derive(Clone, Debug)]
pub struct Transitions {
    /// The rewards, \[B\].
    pub rewards: Vec<f64>,
    /// True for each episode that ended by the rules of the task, \[B\].
    pub terminated: Vec<bool>,
    /// True for each episode that was cut off, \[B\].
    pub truncated: Vec<bool>,
    /// True for each episode that ended with success, \[B\]. Only tasks with [`Spec::with_success`] set it.
    pub solved: Vec<bool>,
    /// The next observations.
    pub observations: Observations,
}

impl Transitions {
    /// Creates room for the results of `episodes` episodes of a task.
    pub fn new(spec: &Spec, episodes: usize) -> Self {
        Self {
            rewards: vec![f64::NAN; episodes],
            terminated: vec![false; episodes],
            truncated: vec![false; episodes],
            solved: vec![false; episodes],
            observations: Observations::new(spec, episodes),
        }
    }

    /// Returns true if episode `i` has ended.
    pub fn is_done(&self, i: usize) -> bool {
        self.terminated[i] || self.truncated[i]
    }

    /// Clears the results of these episodes.
    fn clear(&mut self, episodes: &[usize]) {
        for &i in episodes {
            (self.rewards[i], self.terminated[i]) = (f64::NAN, false);
            (self.truncated[i], self.solved[i]) = (false, false);
            self.observations.clear(i);
        }
    }

    /// The faults of the latest step of episode `i`.
    fn faults(&self, i: usize) -> impl Iterator<Item = Fault> {
        let value = self.rewards[i];
        let observation = (!self.terminated[i]).then(|| self.observations.faults(i));
        (!observations::is_finite(value))
            .then_some(Fault::Reward { value })
            .into_iter()
            .chain(observation.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point on a line that moves by at most 0.5 a step. The reward is minus its squared distance to the target.
    struct Reach;

    struct Point {
        place: f64,
        target: f64,
        taken: usize,
    }

    impl Task for Reach {
        fn spec(&self) -> Spec {
            Spec::new("reach", Space::vector(2), ActionSpace::continuous(1), 5)
        }
        fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
            vector(episodes, || Point { place: 0.0, target: 0.0, taken: 0 })
        }
    }

    impl SingleEnv for Point {
        fn reset(&mut self, rng: &mut Philox) {
            let [place, target] = [(); 2].map(|()| 2.0 * rng.uniform_f64() - 1.0);
            *self = Self { place, target, taken: 0 };
        }
        fn observe(&self, mut out: Observer<'_>) {
            out.vector(&[self.place, self.target]);
        }
        fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
            self.place += action.continuous()[0].clamp(-0.5, 0.5);
            self.taken += 1;
            let (distance, truncated) = (self.place - self.target, self.taken == 5);
            Step { truncated, ..Step::reward(-distance * distance) }
        }
    }

    /// The mean return is −3.33 without any move, and −0.256 at best: with a first distance d, the rewards are then −(d − 0.5)²,
    /// −(d − 1)², … while d is that large.
    #[test]
    fn update_gaussian_policy_learns_to_reach_the_target() {
        use crate::a2c::{Learner, Update};
        use crate::evaluate::validate;
        use crate::policy::{Architecture, Policy};

        assert_eq!(check::check(&Reach), Ok(()));
        let mut params = nn::Params::<f32>::new();
        let architecture = Architecture { memory: None, ..Architecture::gru(16) };
        let policy = Policy::new(&mut params, &Reach.spec(), architecture, 0);
        let optimizer = nn::Optimizer::new(nn::UpdateRule::adam(), &params);
        let mut learner = Learner::new(policy, params, optimizer);
        let test = |learner: &Learner<f32>| validate(learner.trained(), &Reach, 0, (0, 500)).expect("finite")[0].reward;
        let before = test(&learner);
        for number in 0..200 {
            let update = Update { number, rate: 0.01, entropy: 0.0, normalize: true, ..Update::default() };
            learner.update(&Reach, &update).expect("finite");
        }
        let after = test(&learner);
        assert!(before < -3.0 && after > -0.5, "{before} before, {after} after");
    }

    #[test]
    #[should_panic(expected = "Actions::set: Continuous([1.0]) is of another kind than the other actions")]
    fn actions_set_another_kind_panics() {
        Actions::Discrete(vec![0]).set(0, Action::Continuous(&[1.0]));
    }

    #[test]
    fn actions_set_and_push_are_got_back() {
        let mut actions = Actions::zeros(&ActionSpace::continuous(2), 2);
        actions.set(1, Action::Continuous(&[1.0, 2.0]));
        actions.push(Action::Continuous(&[3.0, 4.0]));
        assert_eq!((actions.len(), actions.get(1)), (3, Action::Continuous(&[1.0, 2.0])));
        assert_eq!(actions, Actions::Continuous { size: 2, values: vec![0.0, 0.0, 1.0, 2.0, 3.0, 4.0] });
    }
}
