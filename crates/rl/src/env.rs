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

    /// The number of actions after which an episode is broken off.
    fn horizon(&self) -> usize;

    /// `episodes` episodes of `stage`, not yet started.
    ///
    /// # Panics
    /// On a stage that the task does not have.
    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env>;
}

/// The check that opens every [`Env::step`].
#[track_caller]
pub(crate) fn check_step(episodes: usize, actions: &[u32], out: &[Step]) {
    assert!(
        actions.len() == episodes && out.len() == episodes,
        "Env::step: {episodes} episodes, but {} actions and room for {} results",
        actions.len(),
        out.len()
    );
}

/// The check that opens every [`Env::reset`].
#[track_caller]
pub(crate) fn check_reset(episodes: usize, rngs: &[Philox]) {
    assert!(rngs.len() == episodes, "Env::reset: {episodes} episodes, but {} generators", rngs.len());
}
