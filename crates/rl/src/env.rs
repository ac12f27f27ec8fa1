//! What a policy meets: a [`Task`] describes a problem in stages and makes [`Env`]s, vectors of episodes.
//!
//! All episodes of a vector are of one stage, so that their contexts have one length. An episode reads its
//! context token by token, then takes an action, reads that action's token, takes the next, until it is done:
//!
//! ```
//! use rl::{env::Task, tasks::{Calculator, token}};
//! use tensor::philox::{Philox, Purpose, Stream};
//!
//! let task = Calculator::default();
//! let mut env = task.env(0, 1);
//! let place = Stream { purpose: Purpose::OPERANDS, update: 0, episode: 0 };
//! env.reset(&mut [Philox::stream(42, place)]);
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
//! A policy that is to be shown a context that is not its own (the test with shuffled contexts) is handed
//! another episode's [`Env::context`] by whoever runs it: the operands stay where they are, in the environment.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::philox::Philox;

/// What one action earned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The reward.
    pub reward: f64,
    /// Whether the episode has ended, by this action or by an earlier one.
    pub done: bool,
}

/// A vector of B episodes of one stage.
pub trait Env: Send {
    /// The stage of all episodes.
    fn stage(&self) -> usize;

    /// B, the number of episodes.
    fn len(&self) -> usize;

    /// Whether there is no episode at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of tokens that are read before the first action.
    fn context_len(&self) -> usize;

    /// Starts all episodes anew; episode `i` draws from `rngs[i]`.
    ///
    /// # Panics
    /// Unless there is one generator an episode.
    fn reset(&mut self, rngs: &mut [Philox]);

    /// The tokens that `episode` is shown, [`Env::context_len`] of them.
    fn context(&self, episode: usize) -> &[u32];

    /// The token that a policy reads after its own `action`.
    fn token(&self, action: u32) -> u32;

    /// Takes one action in every episode. One that is done stays as it is and earns nothing.
    ///
    /// # Panics
    /// Unless `actions` and `out` have one entry an episode, and on an action that the task does not have.
    fn step(&mut self, actions: &[u32], out: &mut [Step]);

    /// Whether `episode` has ended with an exact match of its stage's goal, whatever it was paid.
    fn solved(&self, episode: usize) -> bool;
}

/// A problem in stages.
pub trait Task: Send + Sync {
    /// The name that selects it on the command line.
    fn name(&self) -> &'static str;

    /// What a reader of any of its figures must know, in a sentence or two.
    fn caveat(&self) -> &'static str;

    /// The number of stages.
    fn stages(&self) -> usize;

    /// The number of tokens.
    fn vocabulary(&self) -> usize;

    /// The number of actions.
    fn actions(&self) -> usize;

    /// The name of `action`.
    fn action_name(&self, action: usize) -> &'static str;

    /// The number of actions after which an episode is broken off, at least 1. Training and evaluation enforce it, with a
    /// [`TimeLimit`].
    fn horizon(&self) -> usize;

    /// `episodes` episodes of `stage`, not yet started.
    ///
    /// # Panics
    /// On a stage that the task does not have.
    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env>;
}

/// Episodes that end at their task's horizon, whether or not their environment says so. One that is ended in this way has
/// failed: it is not solved, and it earns nothing any more.
pub struct TimeLimit {
    env: Box<dyn Env>,
    horizon: usize,
    /// Actions since the start.
    taken: usize,
    /// Whether each episode was ended by its environment.
    done: Vec<bool>,
}

impl TimeLimit {
    /// `episodes` episodes of a stage of `task`, not yet started.
    ///
    /// # Panics
    /// On a stage that the task does not have, or a horizon of 0.
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

/// The check that opens every [`Env::step`].
#[track_caller]
pub fn check_step(episodes: usize, actions: &[u32], out: &[Step]) {
    assert!(
        actions.len() == episodes && out.len() == episodes,
        "Env::step: {episodes} episodes, but {} actions and room for {} results",
        actions.len(),
        out.len()
    );
}

/// The check that opens every [`Env::reset`].
#[track_caller]
pub fn check_reset(episodes: usize, rngs: &[Philox]) {
    assert!(rngs.len() == episodes, "Env::reset: {episodes} episodes, but {} generators", rngs.len());
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A task whose episodes pay `pays[action]`, call themselves solved, and end after `ends` actions, if ever.
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
            "It is a test."
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
        let optimizer = nn::Optimizer::new(nn::Rule::adam(), &params);
        let mut learner = Learner::new(policy, params, optimizer);
        let metrics = learner.update(&task, &Update { counts: alloc::vec![5], ..Update::default() }).expect("finite");
        assert_eq!((metrics.steps, metrics.reward, &metrics.stages[..]), (15, 3.0, &[(5, 0)][..]));
        let figures = validate(&learner.policy, &learner.params, &task, 1, (0, 7)).expect("finite");
        assert_eq!((figures[0].steps, figures[0].reward, figures[0].exact), (3.0, 3.0, 0.0));
    }
}
