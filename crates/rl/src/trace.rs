//! Traces: plays episodes as [`rollout`] does, and also records probabilities, entropies and gates of the network.
//!
//! ```
//! use nn::Params;
//! use rl::env::{Episodes, Task};
//! use rl::evaluate::{Trained, test_stream};
//! use rl::policy::{Architecture, Policy};
//! use rl::rollout::{Options, Streams};
//! use rl::{tasks::CalculatorStages, trace};
//!
//! let task = CalculatorStages::default();
//! let mut params = Params::<f32>::new();
//! let policy = Policy::new(&mut params, &task.spec(), Architecture::gru(16), 0);
//! let mut episodes = Episodes::new(&task, 0, 1);
//! let mut streams = Streams::shared(vec![test_stream(42, 0, 0)]);
//! let trace = trace::trace_episodes(Trained::new(&policy, &params), &mut episodes, &mut streams, Options::GREEDY)?;
//! assert_eq!(trace.probabilities(0, 0).len(), 6);
//! assert_eq!(trace.gates.len(), trace.context_len() + trace.played.steps - 1);
//! # Ok::<(), rl::rollout::RolloutError>(())
//! ```

use alloc::vec::Vec;

use autograd::{Tape, Var};
use tensor::Real;

use crate::distribution::Distribution;
use crate::env::Episodes;
use crate::evaluate::Trained;
use crate::model::Inputs;
use crate::policy::Policy;
use crate::rollout::{self, Options, RolloutError, StepView, Streams};
use crate::trajectories::{Observed, Trajectories};

/// The trace of B episodes of one stage: their trajectories, and the network's outputs at each of their T steps.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The trajectories as [`rollout::play`] returns them, but with vectors as the environment wrote them.
    pub played: Trajectories,
    /// A, the number of actions.
    pub actions: usize,
    /// π(a | h), \[T,B,A\]; empty if the actions are continuous.
    pub probabilities: Vec<f64>,
    /// The mean of each number of an action, \[T,B,D\]; empty if the actions are discrete.
    pub means: Vec<f64>,
    /// The standard deviation of each number of an action, \[T,B,D\]; empty if the actions are discrete.
    pub deviations: Vec<f64>,
    /// The entropy of each decision in nats, \[T,B\]; −Σ p·ln p if the actions are discrete.
    pub entropies: Vec<f64>,
    /// The mean gates of the GRU at each token that the network read, \[K+T−1,B\]. These are the K tokens of the context and
    /// the tokens after all actions except the last, if each is one. Empty without a GRU.
    pub gates: Vec<GateMeans>,
    /// The weights of the attention at each step, \[T,B,K\], over the tokens of the context; empty without attention.
    pub attention: Vec<f64>,
    /// The tokens that the network read, \[K+T−1,B\].
    pub tokens: Vec<u32>,
    /// The number of observations that the network read before each decision, \[T\]: the tokens of the longest one.
    pub read: Vec<usize>,
}

/// The means of a GRU's gates over its units, at one token. Both are between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateMeans {
    /// The mean of the reset gate r. Near 0 the candidate depends on the token alone; near 1 also on the old state.
    pub reset: f64,
    /// The mean of the update gate z, as defined by PyTorch. Near 1 the old state stays; near 0 the candidate replaces it.
    pub update: f64,
}

/// Plays `episodes` from their reset, and traces them.
///
/// # Errors
/// If the policy cannot choose an action, or if the environment has a fault.
///
/// # Panics
/// If `streams` does not have one generator per episode.
#[track_caller]
pub fn trace_episodes<T: Real>(
    trained: Trained<'_, T, Policy>,
    episodes: &mut Episodes,
    streams: &mut Streams,
    options: Options<'_>,
) -> Result<Trace, RolloutError> {
    let (mut trace, mut tape) = (Trace::default(), Tape::no_grad());
    let Trained { model, params, normalizer } = trained;
    let options = Options { normalizer, ..options };
    let mut vectors = Vec::new();
    let see = |view: StepView<'_, '_, T>| {
        (0..view.observations.len()).for_each(|i| vectors.extend_from_slice(view.observations.vector(i)));
        trace.record_step(model, &view);
    };
    let mut played = rollout::play((model, params), &mut tape, episodes, streams, options, None, see)?;
    if let Observed::Vectors { values, .. } = &mut played.observed {
        *values = vectors;
    }
    Ok(Trace { played, ..trace })
}

impl Trace {
    fn record_step<T: Real>(&mut self, model: &Policy, view: &StepView<'_, '_, T>) {
        let StepView { pass, inputs, states, decisions, .. } = view;
        let [before, states] = states.expect("no stepper keeps the states");
        match decisions.actions {
            Distribution::Categorical { log_probs } => {
                self.actions = log_probs.shape()[1];
                self.probabilities.extend(to_f64s(log_probs.exp()));
            }
            Distribution::Gaussian { mean, log_std } => {
                self.means.extend(to_f64s(mean));
                self.deviations.extend(to_f64s(log_std.exp()));
            }
        }
        self.entropies.extend(to_f64s(decisions.actions.entropy()));
        if let Some(gates) = model.gates(*pass, inputs, before, states) {
            let [reset, update] = [gates.r, gates.z].map(|gate| to_f64s(gate.mean_axis(1)));
            self.gates.extend(reset.zip(update).map(|(reset, update)| GateMeans { reset, update }));
        }
        if let (Some(attention), Some(context)) = (model.attention, pass.context) {
            let h = states.slice(0, inputs.len() - 1..inputs.len());
            self.attention.extend(to_f64s(attention.weights(pass.weights, h, context)));
        }
        if let Inputs::Tokens(tokens) = inputs {
            self.tokens.extend(tokens.to_vec());
        }
        self.read.push(inputs.len());
    }

    /// Returns true if all numbers are finite. They need not be for a policy whose training diverged.
    pub fn is_finite(&self) -> bool {
        let gates = self.gates.iter().flat_map(|gates| [gates.reset, gates.update]);
        let actions = self.probabilities.iter().chain(&self.means).chain(&self.deviations);
        let outputs = actions.chain(&self.entropies).chain(&self.played.values);
        outputs.chain(&self.attention).copied().chain(gates).all(f64::is_finite)
    }

    /// K, the number of tokens read before the first decision; 0 if there is no step.
    pub fn context_len(&self) -> usize {
        self.read.first().copied().unwrap_or(0)
    }

    /// The probabilities of all actions at step `t` of `episode`.
    ///
    /// # Panics
    /// If the step or the episode is out of range.
    #[track_caller]
    pub fn probabilities(&self, t: usize, episode: usize) -> &[f64] {
        &self.probabilities[self.index(t, episode) * self.actions..][..self.actions]
    }

    /// The weights of the attention at step `t` of `episode` over the tokens of its context; empty without attention.
    ///
    /// # Panics
    /// If the step or the episode is out of range.
    #[track_caller]
    pub fn attention(&self, t: usize, episode: usize) -> &[f64] {
        let (index, keys) = (self.index(t, episode), self.context_len());
        if self.attention.is_empty() { &[] } else { &self.attention[index * keys..][..keys] }
    }

    /// The gates at the last token read before the decision of step `t` of `episode`.
    ///
    /// # Panics
    /// If the step or the episode is out of range, or the policy has no GRU.
    #[track_caller]
    pub fn gates(&self, t: usize, episode: usize) -> GateMeans {
        let index = self.index(t, episode);
        let before: usize = self.read[..t].iter().sum();
        let own = match &self.played.observed {
            Observed::Vectors { .. } => 1,
            Observed::Tokens { ends, .. } if t == 0 => ends[index] as usize + 1,
            Observed::Tokens { ends, .. } => (ends[index] - ends[index - self.played.episodes]) as usize,
        };
        self.gates[(before + own.max(1) - 1) * self.played.episodes + episode]
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
