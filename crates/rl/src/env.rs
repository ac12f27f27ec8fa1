//! Environments. A [`Task`] describes a problem in stages; it creates [`Env`]s, which are vectors of episodes.
//!
//! All episodes of a vector belong to one stage, so their contexts have the same length. A policy reads the context of
//! an episode token by token. It then takes an action and reads the token of this action, until the episode is done:
//!
//! ```
//! use rl::{env::Task, tasks::{Calculator, token}};
//! use tensor::philox::{Philox, Purpose, Stream};
//!
//! let task = Calculator::default();
//! let mut env = task.env(0, 1);
//! let stream = Stream { purpose: Purpose::OPERANDS, update: 0, episode: 0 };
//! env.reset(&mut [Philox::stream(42, stream)]);
//! assert_eq!(env.context(0).last(), Some(&token::CTX));
//!
//! let mut steps = [Default::default()];
//! for name in ["MUL", "ADD", "ANS"] {
//!     let action = (0..task.actions()).find(|&a| task.action_name(a) == name).unwrap();
//!     env.step(&[action as u32], &mut steps);
//! }
//! assert!(steps[0].done && env.solved(0));
//! ```
//!
//! In the test with shuffled contexts, the policy reads the context of another episode. The caller passes that episode's
//! [`Env::context`] to the policy. The operands inside the environment do not change.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::philox::Philox;

/// The result of one action.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The reward.
    pub reward: f64,
    /// True if this action or an earlier one ended the episode.
    pub done: bool,
}

/// A vector of B episodes of one stage.
pub trait Env: Send {
    /// The stage of all episodes.
    fn stage(&self) -> usize;

    /// B, the number of episodes.
    fn len(&self) -> usize;

    /// Returns true if the vector has no episodes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of tokens that a policy reads before its first action.
    fn context_len(&self) -> usize;

    /// Restarts all episodes; episode `i` draws from `rngs[i]`.
    ///
    /// # Panics
    /// If the number of generators differs from the number of episodes.
    fn reset(&mut self, rngs: &mut [Philox]);

    /// The context of `episode`: [`Env::context_len`] tokens.
    fn context(&self, episode: usize) -> &[u32];

    /// The token that a policy reads after its own `action`.
    fn token(&self, action: u32) -> u32;

    /// Takes one action in every episode. An episode that is done does not change and has reward 0.
    ///
    /// # Panics
    /// If `actions` or `out` does not have one entry per episode, or if the task has no such action.
    fn step(&mut self, actions: &[u32], out: &mut [Step]);

    /// Returns true if `episode` has ended with an exact match of the goal of its stage. The rewards do not matter.
    fn solved(&self, episode: usize) -> bool;
}

/// A problem that consists of stages.
pub trait Task: Send + Sync {
    /// The name of the task on the command line.
    fn name(&self) -> &'static str;

    /// A warning for everyone who reads results of this task, in one or two sentences.
    fn caveat(&self) -> &'static str;

    /// The number of stages.
    fn stages(&self) -> usize;

    /// V, the number of tokens.
    fn vocabulary(&self) -> usize;

    /// A, the number of actions.
    fn actions(&self) -> usize;

    /// The name of `action`.
    fn action_name(&self, action: usize) -> &'static str;

    /// The maximum number of actions in an episode, at least 1. Training and evaluation enforce it with a [`TimeLimit`].
    fn horizon(&self) -> usize;

    /// Creates an environment of `episodes` episodes of `stage`. It must be reset before its first step.
    ///
    /// # Panics
    /// If the task has no such stage.
    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env>;
}

/// An environment whose episodes end at the horizon of their task, even if the inner environment goes on. An episode that
/// the time limit ends has failed: it is not solved, and its later rewards are 0.
pub struct TimeLimit {
    env: Box<dyn Env>,
    horizon: usize,
    /// Actions since the last reset.
    taken: usize,
    /// True for each episode that the inner environment has ended.
    done: Vec<bool>,
}

impl TimeLimit {
    /// Creates an environment of `episodes` episodes of a stage of `task`. It must be reset before its first step.
    ///
    /// # Panics
    /// If the task has no such stage, or if its horizon is 0.
    #[track_caller]
    pub fn new(task: &dyn Task, stage: usize, episodes: usize) -> Self {
        let horizon = task.horizon();
        assert!(horizon > 0, "TimeLimit: the horizon of {} is 0 actions, but an episode has at least one", task.name());
        Self { env: task.env(stage, episodes), horizon, taken: 0, done: alloc::vec![false; episodes] }
    }
}

impl Env for TimeLimit {
    fn stage(&self) -> usize {
        self.env.stage()
    }

    fn len(&self) -> usize {
        self.env.len()
    }

    fn context_len(&self) -> usize {
        self.env.context_len()
    }

    fn reset(&mut self, rngs: &mut [Philox]) {
        self.env.reset(rngs);
        self.taken = 0;
        self.done.fill(false);
    }

    fn context(&self, episode: usize) -> &[u32] {
        self.env.context(episode)
    }

    fn token(&self, action: u32) -> u32 {
        self.env.token(action)
    }

    fn step(&mut self, actions: &[u32], out: &mut [Step]) {
        if self.taken == self.horizon {
            check_step(self.len(), actions, out);
            return out.fill(Step { reward: 0.0, done: true });
        }
        self.env.step(actions, out);
        self.taken += 1;
        for (done, step) in self.done.iter_mut().zip(out) {
            *done = step.done;
            step.done |= self.taken == self.horizon;
        }
    }

    fn solved(&self, episode: usize) -> bool {
        self.done[episode] && self.env.solved(episode)
    }
}

/// Checks the lengths of the arguments of [`Env::step`]. Implementations call it first.
#[track_caller]
pub fn check_step(episodes: usize, actions: &[u32], out: &[Step]) {
    assert!(
        actions.len() == episodes && out.len() == episodes,
        "Env::step: {episodes} episodes, but {} actions and room for {} results",
        actions.len(),
        out.len()
    );
}

/// Checks the number of generators of [`Env::reset`]. Implementations call it first.
#[track_caller]
pub fn check_reset(episodes: usize, rngs: &[Philox]) {
    assert!(rngs.len() == episodes, "Env::reset: {episodes} episodes, but {} generators", rngs.len());
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A task whose episodes pay `pays[action]` and report that they are solved. They end after `ends` actions, or never
    /// if `ends` is `None`.
    #[derive(Clone, Copy)]
    pub(crate) struct Endless {
        pub(crate) ends: Option<usize>,
        pub(crate) pays: [f64; 2],
    }

    struct Episodes {
        count: usize,
        taken: usize,
        task: Endless,
    }

    impl Env for Episodes {
        fn stage(&self) -> usize {
            0
        }
        fn len(&self) -> usize {
            self.count
        }
        fn context_len(&self) -> usize {
            1
        }
        fn reset(&mut self, _: &mut [Philox]) {
            self.taken = 0;
        }
        fn context(&self, _: usize) -> &[u32] {
            &[0]
        }
        fn token(&self, action: u32) -> u32 {
            action
        }
        fn step(&mut self, actions: &[u32], out: &mut [Step]) {
            self.taken += 1;
            let done = self.task.ends.is_some_and(|ends| self.taken >= ends);
            for (out, &action) in out.iter_mut().zip(actions) {
                *out = Step { reward: self.task.pays[action as usize], done };
            }
        }
        fn solved(&self, _: usize) -> bool {
            true
        }
    }

    impl Task for Endless {
        fn name(&self) -> &'static str {
            "endless"
        }
        fn caveat(&self) -> &'static str {
            "This task is only for tests."
        }
        fn stages(&self) -> usize {
            1
        }
        fn vocabulary(&self) -> usize {
            2
        }
        fn actions(&self) -> usize {
            2
        }
        fn action_name(&self, action: usize) -> &'static str {
            ["A", "B"][action]
        }
        fn horizon(&self) -> usize {
            3
        }
        fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
            Box::new(Episodes { count: episodes, taken: 0, task: *self })
        }
    }

    #[test]
    fn time_limit_ends_at_the_horizon_as_a_failure() {
        for (ends, done, solved) in [
            (None, [false, false, true], false),
            (Some(3), [false, false, true], true),
            (Some(2), [false, true, true], true),
        ] {
            let mut env = TimeLimit::new(&Endless { ends, pays: [1.0; 2] }, 0, 2);
            for _ in 0..2 {
                env.reset(&mut []);
                let mut out = [Step::default(); 2];
                let ended = [(); 3].map(|()| {
                    env.step(&[0, 1], &mut out);
                    out[0].done && out[1].done
                });
                assert_eq!((ended, out[0].reward, env.solved(1)), (done, 1.0, solved), "{ends:?}");
                env.step(&[0, 1], &mut out);
                assert_eq!(out, [Step { reward: 0.0, done: true }; 2], "{ends:?}");
            }
        }
    }

    #[test]
    fn update_and_evaluation_of_an_endless_task_end_at_its_horizon() {
        use crate::a2c::{Learner, Update};
        use crate::evaluate::validate;
        use crate::policy::Policy;

        let task = Endless { ends: None, pays: [1.0; 2] };
        let mut params = nn::Params::<f32>::new();
        let policy = Policy::new(&mut params, &task, 4, 1);
        let optimizer = nn::Optimizer::new(nn::UpdateRule::adam(), &params);
        let mut learner = Learner::new(policy, params, optimizer);
        let metrics = learner.update(&task, &Update { counts: alloc::vec![5], ..Update::default() }).expect("finite");
        assert_eq!((metrics.steps, metrics.reward, &metrics.stages[..]), (15, 3.0, &[(5, 0)][..]));
        let stats = validate(&learner.policy, &learner.params, &task, 1, (0, 7)).expect("finite");
        assert_eq!((stats[0].steps, stats[0].reward, stats[0].exact), (3.0, 3.0, 0.0));
    }
}
