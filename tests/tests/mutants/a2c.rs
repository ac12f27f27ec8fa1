//! What can be wrong with judging and with the A2C loss, against their definitions in plain loops.

use autograd::Tape;
use autograd::gradcheck::by_hand;
use gradus_tests::levels::Verdict;
use proofs::Draw;
use rl::a2c::{Terms, Update};
use rl::mutants::{Slip, with};
use rl::policy::Decisions;
use rl::returns::{Estimator, Judged, judge};
use rl::trajectories::Trajectories;
use tensor::Tensor;

use crate::level::Level::L5;
use crate::mutant::Mutant;

/// All of them.
pub(crate) fn mutants() -> Vec<Mutant> {
    let of = |place, slip: Slip, wrong, law: fn() -> Verdict| {
        Mutant::new(place, wrong, L5, law, move |check| with(slip, check))
    };
    vec![
        of("a2c::Terms", Slip::EntropySign, "the entropy's sign", loss),
        of("a2c::Terms", Slip::PolicySign, "the policy's sign", loss),
        of("a2c::Terms", Slip::AdvantageNotDetached, "an advantage that was not detached", loss),
        of("a2c::Terms", Slip::NotPerEpisode, "a missing 1/B", loss),
        of("a2c::Terms", Slip::NotPerStep, "a missing 1/N", loss),
        of("a2c::Terms", Slip::MeanOverAllPlaces, "the mean over all places, not over steps that count", loss),
        of("a2c::Terms", Slip::ValueMaskForgotten, "the critic learns from what follows the end", loss),
        of("a2c::Terms", Slip::EntropyMaskForgotten, "entropy counts after the end", loss),
        of("a2c::Terms", Slip::LogarithmForgotten, "Σ p² for Σ p·ln p", loss),
        of("a2c::Terms", Slip::ValueHalved, "½ on top of c_v", loss),
        of("returns::judge", Slip::RewardLate, "the reward of the next step", judging),
        of("returns::judge", Slip::BootstrapUndiscounted, "γ forgotten at the bootstrap", judging),
        of("returns::judge", Slip::LambdaOnValue, "λ misplaced: on V′", judging),
        of("returns::judge", Slip::GammaForgotten, "λ misplaced: in the place of γλ", judging),
        of("returns::judge", Slip::ValueOfNextStep, "the value of the next step subtracted", judging),
        of("returns::judge", Slip::TargetIsAdvantage, "the critic's target without V", judging),
        of("returns::judge", Slip::EpisodesJoined, "an episode's end is not the end", judging),
        of("returns::judge", Slip::EndHasValue, "the end is worth what the critic says", judging),
    ]
}

const GAMMA: f64 = 0.9;
const LAMBDA: f64 = 0.7;
/// T, B and the number of actions.
const SIZES: [usize; 3] = [4, 3, 5];

/// Three episodes, of four steps, of two and of one.
fn played() -> Trajectories {
    let [steps, episodes, actions] = SIZES;
    let mut d = Draw::new(11);
    Trajectories {
        episodes,
        steps,
        actions: (0..steps * episodes).map(|k| (3 * k % actions) as u32).collect(),
        rewards: d.normal([steps * episodes]).to_vec(),
        values: d.normal([steps * episodes]).to_vec(),
        valid: (0..steps * episodes).map(|k| k / episodes < [4, 2, 1][k % episodes]).collect(),
        ..Trajectories::default()
    }
}

/// Equation 16 of the GAE paper before it is simplified: the mean of the advantages over n steps, weighing (1 − λ)·λⁿ⁻¹,
/// each the definition of a return.
fn judging() -> Verdict {
    let (played, got) = (played(), judge(&played(), GAMMA, Estimator::Gae(LAMBDA)));
    for k in 0..played.valid.len() {
        let later = |n: usize| Some(k + n * played.episodes).filter(|&k| k < played.valid.len() && played.valid[k]);
        let value = |n: usize| later(n).map_or(0.0, |k| played.values[k]);
        let reward = |n: usize| later(n).map_or(0.0, |k| played.rewards[k]);
        let over = |n: usize| -> f64 {
            let earned = (0..n).map(|m| GAMMA.powi(m as i32) * reward(m)).sum::<f64>();
            earned + GAMMA.powi(n as i32) * value(n) - value(0)
        };
        // From the end on, an advantage over more steps is the same, and the weights of all that follow add up to λᵀ.
        let weighed = (1..=played.steps).map(|n| (1.0 - LAMBDA) * LAMBDA.powi(n as i32 - 1) * over(n)).sum::<f64>();
        let whole = weighed + LAMBDA.powi(played.steps as i32) * over(played.steps);
        let (advantage, target) = if played.valid[k] { (whole, whole + value(0)) } else { (0.0, 0.0) };
        let [a, t] = [got.advantages[k] - advantage, got.targets[k] - target];
        if a.abs().max(t.abs()) > 1e-13 {
            return Err(format!("place {k}: advantage off by {a}, target by {t}"));
        }
    }
    Ok(())
}

fn update() -> Update {
    Update { entropy: 0.3, ..Update::default() }
}

/// Advantages are targets minus values, as they are after a rollout: so one that is a function of the parameters has the
/// right value, and only its gradient is wrong.
fn judged(played: &Trajectories, values: &[f64]) -> Judged {
    let targets = judge(played, GAMMA, Estimator::Gae(LAMBDA)).targets;
    let advantages = (0..targets.len()).map(|k| if played.valid[k] { targets[k] - values[k] } else { 0.0 }).collect();
    Judged { advantages, targets }
}

/// The loss as its definition says, from logits\[T·B,A\] and values\[T·B\].
fn defined(played: &Trajectories, judged: &Judged, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (actions, n) = (SIZES[2], played.valid_steps() as f64);
    let (logits, values) = (x[0].to_vec(), x[1].to_vec());
    let mut loss = 0.0;
    for k in (0..played.valid.len()).filter(|&k| played.valid[k]) {
        let row = &logits[k * actions..][..actions];
        let norm = row.iter().map(|x| x.exp()).sum::<f64>().ln();
        let log_prob = |a: usize| row[a] - norm;
        let entropy: f64 = (0..actions).map(|a| -log_prob(a).exp() * log_prob(a)).sum();
        loss -= judged.advantages[k] * log_prob(played.actions[k] as usize) / played.episodes as f64;
        loss += 0.5 * (values[k] - judged.targets[k]).powi(2) / n - update().entropy * entropy / n;
    }
    Tensor::scalar(loss)
}

/// Value and gradient of the loss, against the definition and its slopes by Richardson.
fn loss() -> Verdict {
    let mut d = Draw::new(12);
    let size = SIZES[0] * SIZES[1];
    let inputs = [d.normal([size, SIZES[2]]), d.normal([size])];
    let played = played();
    let judged = judged(&played, &inputs[1].to_vec());
    let on_tape = |x: &[Tensor<f64>]| {
        let tape = Tape::new();
        let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
        let decisions = Decisions { log_probs: x[0].log_softmax(), values: x[1] };
        let loss = Terms::of(decisions, &played, &judged).loss(&update(), played.episodes, played.valid_steps());
        loss.backward().expect("no parameters");
        (loss.value().item(), x.iter().map(|x| x.grad().expect("reached")).collect::<Vec<_>>())
    };
    let (got, want) = (on_tape(&inputs).0, defined(&played, &judged, &inputs).item());
    if (got - want).abs() > 1e-13 {
        return Err(format!("the loss is {got}, by its definition {want}"));
    }
    let gradients = |x: &[Tensor<f64>], dy: &Tensor<f64>| on_tape(x).1.iter().map(|dx| dx * dy).collect();
    let report = by_hand(|x| defined(&played, &judged, x), gradients, &inputs);
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}

/// Without a slip that concerns it, each wrong version is the right one.
#[test]
fn slips_elsewhere_change_nothing() {
    with(Slip::RewardLate, loss).expect("the loss is not concerned");
    with(Slip::EntropySign, judging).expect("judging is not concerned");
}
