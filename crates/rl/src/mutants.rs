//! Wrong judging and wrong losses in the place of right ones, so that tests can show that they would notice.
//!
//! Behind the feature `mutants`, which the tests of the workspace enable and nothing else.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use core::hint::black_box;

use autograd::Var;
use tensor::{Real, Tensor};

use crate::a2c::{Terms, Update};
use crate::policy::Decisions;
use crate::returns::{Estimator, Judged};
use crate::trajectories::Trajectories;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Entropy is punished.
    EntropySign,
    /// Good actions become rarer.
    PolicySign,
    /// Â is a function of the parameters, so that the policy's term moves the critic.
    AdvantageNotDetached,
    /// The policy's term is a sum over episodes, not their mean.
    NotPerEpisode,
    /// The other terms are sums over steps, not their means.
    NotPerStep,
    /// Means over all T·B places, also those after an episode's end.
    MeanOverAllPlaces,
    /// The critic learns from what follows an episode's end.
    ValueMaskForgotten,
    /// Entropy is counted after an episode's end.
    EntropyMaskForgotten,
    /// The entropy of the probabilities, its logarithm forgotten: Σ p·p.
    LogarithmForgotten,
    /// Half the squared error, on top of c_v.
    ValueHalved,
    /// Each step earns the reward of the one after it.
    RewardLate,
    /// δ = r + V′ − V: no discount where the critic takes over.
    BootstrapUndiscounted,
    /// δ = r + γλ·V′ − V.
    LambdaOnValue,
    /// Â = δ + λ·Â′: γ forgotten.
    GammaForgotten,
    /// δ = r + γV′ − V′.
    ValueOfNextStep,
    /// The critic's target is Â.
    TargetIsAdvantage,
    /// What the next episode earned flows into this one's end.
    EpisodesJoined,
    /// The value after the last step is the critic's, not zero.
    EndHasValue,
}

std::thread_local! {
    static ACTIVE: Cell<Option<Slip>> = const { Cell::new(None) };
}

/// Runs `f` on this thread with this slip.
///
/// # Panics
/// Within another call.
pub fn with<R>(slip: Slip, f: impl FnOnce() -> R) -> R {
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }
    assert_eq!(ACTIVE.replace(Some(slip)), None, "{}, one at a time", autograd::mutants::MARKER);
    let _off = Off;
    f()
}

/// Wrong advantages and targets, if a slip is on. Generalised advantages only.
pub(crate) fn judge(played: &Trajectories, gamma: f64, estimator: Estimator) -> Option<Judged> {
    let slip = black_box(&ACTIVE).get()?;
    let Estimator::Gae(lambda) = estimator else { return None };
    let is = |other| slip == other;
    let size = played.valid.len();
    let mut judged = Judged { advantages: vec![0.0; size], targets: vec![0.0; size] };
    let mut later = 0.0;
    for i in (0..played.episodes).rev() {
        let places = (0..played.steps).map(|t| t * played.episodes + i);
        let steps: Vec<usize> = places.filter(|&k| played.valid[k]).collect();
        let value = |n: usize| steps.get(n).map_or(0.0, |&k| played.values[k]);
        let end = if is(Slip::EndHasValue) { value(steps.len().saturating_sub(1)) } else { 0.0 };
        let reward = |n: usize| steps.get(n).map_or(0.0, |&k| played.rewards[k]);
        later = if is(Slip::EpisodesJoined) { later } else { 0.0 };
        for n in (0..steps.len()).rev() {
            let next = if n + 1 < steps.len() { value(n + 1) } else { end };
            let earned = reward(n + usize::from(is(Slip::RewardLate)));
            let discount = match slip {
                Slip::BootstrapUndiscounted => 1.0,
                Slip::LambdaOnValue => gamma * lambda,
                _ => gamma,
            };
            let here = if is(Slip::ValueOfNextStep) { next } else { value(n) };
            later *= if is(Slip::GammaForgotten) { lambda } else { gamma * lambda };
            later += earned + discount * next - here;
            judged.advantages[steps[n]] = later;
            judged.targets[steps[n]] = later + if is(Slip::TargetIsAdvantage) { 0.0 } else { value(n) };
        }
    }
    Some(judged)
}

/// Wrong terms of the loss, if a slip is on.
pub(crate) fn terms<'t, T: Real>(
    decisions: Decisions<'t, T>,
    played: &Trajectories,
    judged: &Judged,
) -> Option<Terms<'t, T>> {
    let slip = black_box(&ACTIVE).get()?;
    let (tape, size) = (decisions.values.tape(), played.valid.len());
    let row = |f: &dyn Fn(usize) -> f64| tape.constant(Tensor::from_fn([size], |k| T::of(f(k))));
    let valid = row(&|k| f64::from(played.valid[k]));
    let mask = |forgotten: Slip| if slip == forgotten { row(&|_| 1.0) } else { valid };
    let targets = row(&|k| judged.targets[k]);
    let advantages: Var<'t, T> = match slip {
        Slip::AdvantageNotDetached => valid * (targets - decisions.values),
        _ => row(&|k| judged.advantages[k]),
    };
    let chosen = decisions.log_probs.gather(&played.actions().reshape([size, 1])).reshape([size]);
    let entropy = match slip {
        Slip::LogarithmForgotten => decisions.log_probs.exp().square().sum_axis(1),
        _ => decisions.log_probs.entropy(),
    };
    let share = match slip {
        Slip::MeanOverAllPlaces => played.valid_steps() as f64 / size as f64,
        _ => 1.0,
    };
    Some(Terms {
        policy: -(advantages * chosen).sum(),
        value: (mask(Slip::ValueMaskForgotten) * (decisions.values - targets).square()).sum().scale(T::of(share)),
        entropy: (mask(Slip::EntropyMaskForgotten) * entropy).sum().scale(T::of(share)),
    })
}

/// The loss with wrong weights, if a slip is on.
pub(crate) fn loss<'t, T: Real>(
    terms: &Terms<'t, T>,
    update: &Update,
    episodes: usize,
    steps: usize,
) -> Option<Var<'t, T>> {
    let slip = black_box(&ACTIVE).get()?;
    let (mut b, mut n) = (episodes as f64, steps as f64);
    match slip {
        Slip::NotPerEpisode => b = 1.0,
        Slip::NotPerStep => n = 1.0,
        _ => {}
    }
    let sign = |of| if slip == of { -1.0 } else { 1.0 };
    let half = if slip == Slip::ValueHalved { 0.5 } else { 1.0 };
    let [policy, value, entropy] = [
        sign(Slip::PolicySign) / b,
        half * update.value_coefficient / n,
        -sign(Slip::EntropySign) * update.entropy / n,
    ]
    .map(T::of);
    Some(terms.policy.scale(policy) + terms.value.scale(value) + terms.entropy.scale(entropy))
}
