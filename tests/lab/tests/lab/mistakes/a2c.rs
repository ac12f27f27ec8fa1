//! Mistakes in advantages and in the A2C loss, which are compared with their definitions in plain loops.

use autograd::gradcheck::by_hand;
use autograd::{Tape, Var};
use gradus_tests::levels::Verdict;
use proofs::RandomTensors;
use rl::a2c::{LossTerms, Update};
use rl::distribution::Distribution;
use rl::env::Actions;
use rl::model::Decisions;
use rl::returns::{AdvantageEstimator, Advantages, compute_advantages};
use rl::trajectories::Trajectories;
use tensor::Tensor;

use super::Mistake;

/// A function that computes the advantages and targets of trajectories.
type ComputeAdvantages = fn(&Trajectories) -> Advantages;

/// A function that computes the loss of decisions.
type Loss = for<'t> fn(Decisions<'t, f64>, &Trajectories, &Advantages) -> Var<'t, f64>;

/// Returns all mistakes in advantages and in the loss.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let of_loss = |wrong, mistaken: Loss| {
        Mistake::new(["a2c::LossTerms", wrong, "L5"], || check_loss(right_loss), move || check_loss(mistaken))
    };
    let of_advantages = |wrong, mistaken: ComputeAdvantages| {
        Mistake::new(
            ["returns::compute_advantages", wrong, "L5"],
            || check_advantages(right_advantages),
            move || check_advantages(mistaken),
        )
    };
    vec![
        of_loss("the entropy's sign", |x, p, j| {
            LossTerms::compute(x, p, j).loss(
                &Update { entropy: -update().entropy, ..update() },
                p.episodes,
                p.valid_step_count(),
            )
        }),
        of_loss("the policy's sign", |x, p, j| {
            let terms = LossTerms::compute(x, p, j);
            weighted_loss(LossTerms { policy: -terms.policy, ..terms }, p)
        }),
        of_loss("the advantage is not detached", |x, p, j| {
            let advantages = constant(x, |k| f64::from(p.valid[k])) * (constant(x, |k| j.targets[k]) - x.values);
            weighted_loss(
                LossTerms { policy: -(advantages * chosen_log_probs(x, p)).sum(), ..LossTerms::compute(x, p, j) },
                p,
            )
        }),
        of_loss("a missing 1/B", |x, p, j| LossTerms::compute(x, p, j).loss(&update(), 1, p.valid_step_count())),
        of_loss("a missing 1/N", |x, p, j| LossTerms::compute(x, p, j).loss(&update(), p.episodes, 1)),
        of_loss("the mean over all steps instead of valid steps", |x, p, j| {
            LossTerms::compute(x, p, j).loss(&update(), p.episodes, p.valid.len())
        }),
        of_loss("the critic learns from steps after the end", |x, p, j| {
            weighted_loss(
                LossTerms { value: LossTerms::compute(x, &without_ends(p), j).value, ..LossTerms::compute(x, p, j) },
                p,
            )
        }),
        of_loss("the entropy includes steps after the end", |x, p, j| {
            weighted_loss(
                LossTerms {
                    entropy: LossTerms::compute(x, &without_ends(p), j).entropy,
                    ..LossTerms::compute(x, p, j)
                },
                p,
            )
        }),
        of_loss("Σ p² instead of Σ p·ln p", |x, p, j| {
            let squares = x.actions.log_probs().exp().square().sum_axis(1) * constant(x, |k| f64::from(p.valid[k]));
            weighted_loss(LossTerms { entropy: squares.sum(), ..LossTerms::compute(x, p, j) }, p)
        }),
        of_loss("an additional ½ on c_v", |x, p, j| {
            let half = Update { value_coefficient: 0.5 * update().value_coefficient, ..update() };
            LossTerms::compute(x, p, j).loss(&half, p.episodes, p.valid_step_count())
        }),
        of_advantages("the reward of the next step", |p| {
            advantages_with(p, |step| step.next.map_or(0.0, |next| p.rewards[next]))
        }),
        of_advantages("γ forgotten at the bootstrap", |p| {
            advantages_with(p, |step| step.reward + (1.0 - GAMMA) * step.next_value)
        }),
        of_advantages("λ misplaced: on V′", |p| {
            advantages_with(p, |step| step.reward + GAMMA * (LAMBDA - 1.0) * step.next_value)
        }),
        of_advantages("λ misplaced: λ instead of γλ", |p| {
            let rewards = changed_rewards(p, |step| step.reward + (GAMMA - 1.0) * step.next_value);
            compute_advantages(&Trajectories { rewards, ..p.clone() }, 1.0, AdvantageEstimator::Gae(LAMBDA))
        }),
        of_advantages("the value of the next step subtracted", |p| {
            advantages_with(p, |step| step.reward + step.value - step.next_value)
        }),
        of_advantages("the critic's target without V", |p| {
            let advantages = right_advantages(p).advantages;
            Advantages { targets: advantages.clone(), advantages }
        }),
        of_advantages("advantages continue past the end of an episode", |p| {
            let advantages = right_advantages(p).advantages;
            let next_episode = |k: usize| (k + 1) % p.episodes; // the first step of the next episode
            advantages_with(p, |step| {
                step.reward + if step.next.is_none() { GAMMA * LAMBDA * advantages[next_episode(step.k)] } else { 0.0 }
            })
        }),
        of_advantages("the end of an episode is bootstrapped with the critic's value", |p| {
            advantages_with(p, |step| step.reward + if step.next.is_none() { GAMMA * step.value } else { 0.0 })
        }),
    ]
}

const GAMMA: f64 = 0.9;
const LAMBDA: f64 = 0.7;
/// T, B and A.
const SIZES: [usize; 3] = [4, 3, 5];

/// A valid step, its successor in the same episode, and the numbers of both.
struct StepView {
    k: usize,
    next: Option<usize>,
    reward: f64,
    value: f64,
    next_value: f64,
}

/// Returns changed rewards. With them, the right code computes the result of wrong equations.
fn changed_rewards(p: &Trajectories, reward: impl Fn(StepView) -> f64) -> Vec<f64> {
    let at = |k: usize| {
        let next = Some(k + p.episodes).filter(|&next| next < p.valid.len() && p.valid[next]);
        let next_value = next.map_or(0.0, |next| p.values[next]);
        StepView { k, next, reward: p.rewards[k], value: p.values[k], next_value }
    };
    (0..p.valid.len()).map(|k| reward(at(k))).collect()
}

fn advantages_with(p: &Trajectories, reward: impl Fn(StepView) -> f64) -> Advantages {
    let values = p.values.clone();
    right_advantages(&Trajectories { rewards: changed_rewards(p, reward), values, ..p.clone() })
}

fn right_advantages(trajectories: &Trajectories) -> Advantages {
    compute_advantages(trajectories, GAMMA, AdvantageEstimator::Gae(LAMBDA))
}

fn right_loss<'t>(decisions: Decisions<'t, f64>, trajectories: &Trajectories, advantages: &Advantages) -> Var<'t, f64> {
    weighted_loss(LossTerms::compute(decisions, trajectories, advantages), trajectories)
}

fn weighted_loss<'t>(terms: LossTerms<'t, f64>, trajectories: &Trajectories) -> Var<'t, f64> {
    terms.loss(&update(), trajectories.episodes, trajectories.valid_step_count())
}

fn constant<'t>(decisions: Decisions<'t, f64>, f: impl Fn(usize) -> f64) -> Var<'t, f64> {
    decisions.values.tape().constant(Tensor::from_fn(decisions.values.shape(), f))
}

/// Computes ln π of the chosen actions.
fn chosen_log_probs<'t>(decisions: Decisions<'t, f64>, trajectories: &Trajectories) -> Var<'t, f64> {
    let size = trajectories.valid.len();
    let actions = Tensor::new([size, 1], trajectories.actions.discrete().to_vec());
    decisions.actions.log_probs().gather(&actions).reshape([size])
}

/// Returns the same trajectories with every step valid.
fn without_ends(trajectories: &Trajectories) -> Trajectories {
    Trajectories { valid: vec![true; trajectories.valid.len()], ..trajectories.clone() }
}

/// Returns three episodes: of four steps, of two and of one.
fn trajectories() -> Trajectories {
    let [steps, episodes, actions] = SIZES;
    let mut d = RandomTensors::new(11);
    Trajectories {
        episodes,
        steps,
        actions: Actions::Discrete((0..steps * episodes).map(|k| (3 * k % actions) as u32).collect()),
        rewards: d.normal([steps * episodes]).to_vec(),
        values: d.normal([steps * episodes]).to_vec(),
        valid: (0..steps * episodes).map(|k| k / episodes < [4, 2, 1][k % episodes]).collect(),
        ..Trajectories::default()
    }
}

/// Checks advantages against equation 16 of the GAE paper before its simplification: a mean over n of the n-step advantages,
/// with weights (1 − λ)·λⁿ⁻¹. Each n-step advantage follows the definition of a return.
fn check_advantages(compute_advantages: ComputeAdvantages) -> Verdict {
    let (trajectories, got) = (trajectories(), compute_advantages(&trajectories()));
    for k in 0..trajectories.valid.len() {
        let later = |n: usize| {
            Some(k + n * trajectories.episodes).filter(|&k| k < trajectories.valid.len() && trajectories.valid[k])
        };
        let value = |n: usize| later(n).map_or(0.0, |k| trajectories.values[k]);
        let reward = |n: usize| later(n).map_or(0.0, |k| trajectories.rewards[k]);
        let over = |n: usize| -> f64 {
            let earned = (0..n).map(|m| GAMMA.powi(m as i32) * reward(m)).sum::<f64>();
            earned + GAMMA.powi(n as i32) * value(n) - value(0)
        };
        // For n > T, the n-step advantage is the same as for n = T. The weights of all these n add up to λᵀ.
        let weighed =
            (1..=trajectories.steps).map(|n| (1.0 - LAMBDA) * LAMBDA.powi(n as i32 - 1) * over(n)).sum::<f64>();
        let whole = weighed + LAMBDA.powi(trajectories.steps as i32) * over(trajectories.steps);
        let (advantage, target) = if trajectories.valid[k] { (whole, whole + value(0)) } else { (0.0, 0.0) };
        let [a, t] = [got.advantages[k] - advantage, got.targets[k] - target];
        if a.abs().max(t.abs()) > 1e-13 {
            return Err(format!("step {k}: the error of the advantage is {a}, of the target {t}"));
        }
    }
    Ok(())
}

fn update() -> Update {
    Update { entropy: 0.3, ..Update::default() }
}

/// Computes advantages as targets minus values, as after a rollout. So an advantage that depends on the parameters has the
/// right value, and only its gradient is wrong.
fn advantages(trajectories: &Trajectories, values: &[f64]) -> Advantages {
    let targets = right_advantages(trajectories).targets;
    let advantages =
        (0..targets.len()).map(|k| if trajectories.valid[k] { targets[k] - values[k] } else { 0.0 }).collect();
    Advantages { advantages, targets }
}

/// Computes the loss by its definition, from logits\[T·B,A\] and values\[T·B\].
fn loss_by_definition(trajectories: &Trajectories, advantages: &Advantages, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (actions, n) = (SIZES[2], trajectories.valid_step_count() as f64);
    let (logits, values) = (x[0].to_vec(), x[1].to_vec());
    let mut loss = 0.0;
    for k in (0..trajectories.valid.len()).filter(|&k| trajectories.valid[k]) {
        let row = &logits[k * actions..][..actions];
        let norm = row.iter().map(|x| x.exp()).sum::<f64>().ln();
        let log_prob = |a: usize| row[a] - norm;
        let entropy: f64 = (0..actions).map(|a| -log_prob(a).exp() * log_prob(a)).sum();
        loss -= advantages.advantages[k] * log_prob(trajectories.actions.discrete()[k] as usize)
            / trajectories.episodes as f64;
        loss += 0.5 * (values[k] - advantages.targets[k]).powi(2) / n - update().entropy * entropy / n;
    }
    Tensor::scalar(loss)
}

/// Checks the value of the loss against its definition, and its gradient against Richardson's extrapolation of the definition.
fn check_loss(loss: Loss) -> Verdict {
    let mut d = RandomTensors::new(12);
    let size = SIZES[0] * SIZES[1];
    let inputs = [d.normal([size, SIZES[2]]), d.normal([size])];
    let trajectories = trajectories();
    let advantages = advantages(&trajectories, &inputs[1].to_vec());
    let on_tape = |x: &[Tensor<f64>]| {
        let tape = Tape::new();
        let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
        let actions = Distribution::categorical(x[0], &[]);
        let loss = loss(Decisions { actions, values: x[1] }, &trajectories, &advantages);
        loss.backward().expect("no parameters");
        (loss.value().item(), x.iter().map(|x| x.grad().expect("reached")).collect::<Vec<_>>())
    };
    let (got, want) = (on_tape(&inputs).0, loss_by_definition(&trajectories, &advantages, &inputs).item());
    if (got - want).abs() > 1e-13 {
        return Err(format!("the loss is {got}, by its definition {want}"));
    }
    let gradients = |x: &[Tensor<f64>], dy: &Tensor<f64>| on_tape(x).1.iter().map(|dx| dx * dy).collect();
    let report = by_hand(|x| loss_by_definition(&trajectories, &advantages, x), gradients, &inputs);
    if report.is_ok() { Ok(()) } else { Err(report.to_string()) }
}
