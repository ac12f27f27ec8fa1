//! Tracing: episodes played as [`rollout`] plays them, with all that went through the network's head kept.
//!
//! ```
//! use nn::Params;
//! use rl::{env::Task, evaluate::test_stream, policy::Policy, rollout::Choice, tasks::Calculator, trace};
//!
//! let task = Calculator::default();
//! let mut params = Params::<f32>::new();
//! let policy = Policy::new(&mut params, &task, 16, 0);
//! let mut env = task.env(0, 1);
//! env.reset(&mut [test_stream(42, 0, 0)]);
//! let trace = trace::play(&policy, &params, &mut *env, Choice::Greedy)?;
//! assert_eq!(trace.probabilities(0, 0).len(), task.actions());
//! assert_eq!(trace.gates.len(), trace.read() + trace.played.steps - 1);
//! # Ok::<(), rl::rollout::Undecided>(())
//! ```

use alloc::vec::Vec;

use autograd::{Tape, Var};
use nn::Params;
use tensor::Real;

use crate::env::Env;
use crate::policy::Policy;
use crate::rollout::{self, Choice, Moment, Undecided};
use crate::trajectories::Trajectories;

/// What B episodes of one stage did, and what the network thought at each of their T steps.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What they did: exactly what [`rollout::play`] says.
    pub played: Trajectories,
    /// A, the number of actions.
    pub actions: usize,
    /// π(a | h), \[T,B,A\].
    pub probabilities: Vec<f64>,
    /// The entropy of each decision, −Σ p·ln p in nats, \[T,B\].
    pub entropies: Vec<f64>,
    /// How far the GRU's gates were open at each token that was read, \[K+T−1,B\]: the K of the context, and those of all
    /// actions but the last, which nobody reads.
    pub gates: Vec<Activity>,
    /// The tokens that were read, \[K+T−1,B\].
    pub tokens: Vec<u32>,
}

/// How far a GRU's gates are open at a token, as means over its units; both lie between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// The mean of r: near 0 the candidate state comes from the token alone, near 1 from the old state as well.
    pub reset: f64,
    /// The mean of z, in PyTorch's sense: near 1 the old state is kept, near 0 the candidate takes its place.
    pub update: f64,
}

/// Plays the episodes of `env`, which was reset or started, on their own contexts.
///
/// # Errors
/// If the log-probability of an action is NaN.
///
/// # Panics
/// If a sampling `choice` is not for as many episodes as `env` has.
pub fn play<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    env: &mut dyn Env,
    choice: Choice<'_>,
) -> Result<Trace, Undecided> {
    let (mut trace, mut tape) = (Trace::default(), Tape::evaluating());
    let contexts = rollout::contexts(env);
    let see = |moment: Moment<'_, '_, T>| trace.see(&moment);
    let played = rollout::play_with((policy, params), &mut tape, env, contexts, choice, None, see)?;
    Ok(Trace { played, ..trace })
}

impl Trace {
    fn see<T: Real>(&mut self, moment: &Moment<'_, '_, T>) {
        let Moment { network, tokens, before, states, decisions } = moment;
        let log_probs = decisions.log_probs;
        self.actions = log_probs.shape()[1];
        self.probabilities.extend(numbers(log_probs.exp()));
        self.entropies.extend(numbers(log_probs.entropy()));
        let gates = network.gates(tokens, *before, *states);
        let [reset, update] = [gates.r, gates.z].map(|gate| numbers(gate.mean_axis(1)));
        self.gates.extend(reset.zip(update).map(|(reset, update)| Activity { reset, update }));
        self.tokens.extend(tokens.to_vec());
    }

    /// Whether all numbers are: those of a policy whose parameters have run away need not be.
    pub fn is_finite(&self) -> bool {
        let gates = self.gates.iter().flat_map(|gates| [gates.reset, gates.update]);
        let decided = self.probabilities.iter().chain(&self.entropies).chain(&self.played.values);
        decided.copied().chain(gates).all(f64::is_finite)
    }

    /// K, the number of tokens that were read before the first decision; 0 without a step.
    pub fn read(&self) -> usize {
        (self.gates.len() / self.played.episodes.max(1) + 1).saturating_sub(self.played.steps)
    }

    /// The probabilities of all actions at step `t` of `episode`.
    ///
    /// # Panics
    /// If there is no such step or episode.
    #[track_caller]
    pub fn probabilities(&self, t: usize, episode: usize) -> &[f64] {
        &self.probabilities[self.index(t, episode) * self.actions..][..self.actions]
    }

    /// The gates at the token that step `t` of `episode` was decided after.
    ///
    /// # Panics
    /// If there is no such step or episode.
    #[track_caller]
    pub fn gates(&self, t: usize, episode: usize) -> Activity {
        self.gates[(self.read() - 1) * self.played.episodes + self.index(t, episode)]
    }

    #[track_caller]
    fn index(&self, t: usize, episode: usize) -> usize {
        let Trajectories { steps, episodes, .. } = self.played;
        assert!(t < steps && episode < episodes, "step {t} of episode {episode}, but there are {steps} of {episodes}");
        t * episodes + episode
    }
}

fn numbers<T: Real>(x: Var<'_, T>) -> impl Iterator<Item = f64> {
    x.value().to_vec().into_iter().map(Real::value)
}
