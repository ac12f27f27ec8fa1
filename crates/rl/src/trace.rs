//! Traces: plays episodes as [`rollout`] does, and also records probabilities, entropies and gates of the network.
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
//! let trace = trace::trace_episodes(&policy, &params, &mut *env, Choice::Greedy)?;
//! assert_eq!(trace.probabilities(0, 0).len(), task.actions());
//! assert_eq!(trace.gates.len(), trace.context_len() + trace.played.steps - 1);
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

/// The trace of B episodes of one stage: their trajectories, and the network's outputs at each of their T steps.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The trajectories, exactly as [`rollout::play`] returns them.
    pub played: Trajectories,
    /// A, the number of actions.
    pub actions: usize,
    /// π(a | h), \[T,B,A\].
    pub probabilities: Vec<f64>,
    /// The entropy of each decision, −Σ p·ln p in nats, \[T,B\].
    pub entropies: Vec<f64>,
    /// The mean gates of the GRU at each token that the network read, \[K+T−1,B\]. These are the K tokens of the context and
    /// the tokens of all actions except the last, which is never read.
    pub gates: Vec<GateMeans>,
    /// The tokens that the network read, \[K+T−1,B\].
    pub tokens: Vec<u32>,
}

/// The means of a GRU's gates over its units, at one token. Both are between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateMeans {
    /// The mean of the reset gate r. Near 0 the candidate depends on the token alone; near 1 also on the old state.
    pub reset: f64,
    /// The mean of the update gate z, as defined by PyTorch. Near 1 the old state stays; near 0 the candidate replaces it.
    pub update: f64,
}

/// Plays the episodes of `env` on their own contexts, and traces them. The caller has reset or started `env`.
///
/// # Errors
/// If the log-probability of an action is NaN.
///
/// # Panics
/// If a sampling `choice` does not have one generator per episode of `env`.
pub fn trace_episodes<T: Real>(
    policy: &Policy,
    params: &Params<T>,
    env: &mut dyn Env,
    choice: Choice<'_>,
) -> Result<Trace, Undecided> {
    let (mut trace, mut tape) = (Trace::default(), Tape::no_grad());
    let contexts = rollout::contexts(env);
    let see = |moment: Moment<'_, '_, T>| trace.record_step(&moment);
    let played = rollout::play_with((policy, params), &mut tape, env, contexts, choice, None, see)?;
    Ok(Trace { played, ..trace })
}

impl Trace {
    fn record_step<T: Real>(&mut self, moment: &Moment<'_, '_, T>) {
        let Moment { network, tokens, before, states, decisions } = moment;
        let log_probs = decisions.log_probs;
        self.actions = log_probs.shape()[1];
        self.probabilities.extend(to_f64s(log_probs.exp()));
        self.entropies.extend(to_f64s(log_probs.entropy()));
        let gates = network.gates(tokens, *before, *states);
        let [reset, update] = [gates.r, gates.z].map(|gate| to_f64s(gate.mean_axis(1)));
        self.gates.extend(reset.zip(update).map(|(reset, update)| GateMeans { reset, update }));
        self.tokens.extend(tokens.to_vec());
    }

    /// Returns true if all numbers are finite. They need not be for a policy whose training diverged.
    pub fn is_finite(&self) -> bool {
        let gates = self.gates.iter().flat_map(|gates| [gates.reset, gates.update]);
        let outputs = self.probabilities.iter().chain(&self.entropies).chain(&self.played.values);
        outputs.copied().chain(gates).all(f64::is_finite)
    }

    /// K, the number of tokens read before the first decision; 0 if there is no step.
    pub fn context_len(&self) -> usize {
        (self.gates.len() / self.played.episodes.max(1) + 1).saturating_sub(self.played.steps)
    }

    /// The probabilities of all actions at step `t` of `episode`.
    ///
    /// # Panics
    /// If the step or the episode is out of range.
    #[track_caller]
    pub fn probabilities(&self, t: usize, episode: usize) -> &[f64] {
        &self.probabilities[self.index(t, episode) * self.actions..][..self.actions]
    }

    /// The gates at the last token read before the decision of step `t` of `episode`.
    ///
    /// # Panics
    /// If the step or the episode is out of range.
    #[track_caller]
    pub fn gates(&self, t: usize, episode: usize) -> GateMeans {
        self.gates[(self.context_len() - 1) * self.played.episodes + self.index(t, episode)]
    }

    #[track_caller]
    fn index(&self, t: usize, episode: usize) -> usize {
        let Trajectories { steps, episodes, .. } = self.played;
        assert!(
            t < steps && episode < episodes,
            "step {t} of episode {episode}, but there are {steps} steps and {episodes} episodes"
        );
        t * episodes + episode
    }
}

fn to_f64s<T: Real>(x: Var<'_, T>) -> impl Iterator<Item = f64> {
    x.value().to_vec().into_iter().map(Real::value)
}
