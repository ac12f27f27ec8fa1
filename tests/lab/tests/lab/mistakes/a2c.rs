//! Mistakes in advantages and in the A2C loss, which are held to their definitions in plain loops.

use autograd::gradcheck::by_hand;
use autograd::{Tape, Var};
use gradus_tests::levels::Verdict;
use proofs::Draw;
use rl::a2c::{Terms, Update};
use rl::policy::Decisions;
use rl::returns::{Estimator, Judged, judge};
use rl::trajectories::Trajectories;
use tensor::Tensor;

use super::Mistake;

/// Computes advantages and targets of trajectories.
type Judge = fn(&Trajectories) -> Judged;

/// The loss of decisions.
type Loss = for<'t> fn(Decisions<'t, f64>, &Trajectories, &Judged) -> Var<'t, f64>;

/// All of them.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let of_loss = |wrong, mistaken: Loss| {
        Mistake::new(["a2c::Terms", wrong, "L5"], || defined_loss(right_loss), move || defined_loss(mistaken))
    };
    let of_judge = |wrong, mistaken: Judge| {
        Mistake::new(
            ["returns::judge", wrong, "L5"],
            || defined_advantages(right_judge),
            move || defined_advantages(mistaken),
        )
    };
    vec![
        of_loss("the entropy's sign", |x, p, j| {
            Terms::of(x, p, j).loss(&Update { entropy: -update().entropy, ..update() }, p.episodes, p.valid_steps())
        }),
        of_loss("the policy's sign", |x, p, j| {
            let terms = Terms::of(x, p, j);
            weighed(Terms { policy: -terms.policy, ..terms }, p)
        }),
        of_loss("an advantage that was not detached", |x, p, j| {
            let advantages = constant(x, |k| f64::from(p.valid[k])) * (constant(x, |k| j.targets[k]) - x.values);
            weighed(Terms { policy: -(advantages * chosen(x, p)).sum(), ..Terms::of(x, p, j) }, p)
        }),
        of_loss("a missing 1/B", |x, p, j| Terms::of(x, p, j).loss(&update(), 1, p.valid_steps())),
        of_loss("a missing 1/N", |x, p, j| Terms::of(x, p, j).loss(&update(), p.episodes, 1)),
        of_loss("the mean over all places, not over steps that count", |x, p, j| {
            Terms::of(x, p, j).loss(&update(), p.episodes, p.valid.len())
        }),
        of_loss("the critic learns from what follows the end", |x, p, j| {
            weighed(Terms { value: Terms::of(x, &endless(p), j).value, ..Terms::of(x, p, j) }, p)
        }),
        of_loss("entropy counts after the end", |x, p, j| {
            weighed(Terms { entropy: Terms::of(x, &endless(p), j).entropy, ..Terms::of(x, p, j) }, p)
        }),
        of_loss("Σ p² for Σ p·ln p", |x, p, j| {
            let squares = x.log_probs.exp().square().sum_axis(1) * constant(x, |k| f64::from(p.valid[k]));
            weighed(Terms { entropy: squares.sum(), ..Terms::of(x, p, j) }, p)
        }),
        of_loss("½ on top of c_v", |x, p, j| {
            let half = Update { value_coefficient: 0.5 * update().value_coefficient, ..update() };
            Terms::of(x, p, j).loss(&half, p.episodes, p.valid_steps())
        }),
        of_judge("the reward of the next step", |p| earning(p, |at| at.next.map_or(0.0, |next| p.rewards[next]))),
        of_judge("γ forgotten at the bootstrap", |p| earning(p, |at| at.reward + (1.0 - GAMMA) * at.next_value)),
        of_judge("λ misplaced: on V′", |p| earning(p, |at| at.reward + GAMMA * (LAMBDA - 1.0) * at.next_value)),
        of_judge("λ misplaced: in the place of γλ", |p| {
            let rewards = earned(p, |at| at.reward + (GAMMA - 1.0) * at.next_value);
            judge(&Trajectories { rewards, ..p.clone() }, 1.0, Estimator::Gae(LAMBDA))
        }),
        of_judge("the value of the next step subtracted", |p| earning(p, |at| at.reward + at.value - at.next_value)),
        of_judge("the critic's target without V", |p| {
            let advantages = right_judge(p).advantages;
            Judged { targets: advantages.clone(), advantages }
        }),
        of_judge("an episode's end is not the end", |p| {
            let advantages = right_judge(p).advantages;
            let of_next = |k: usize| (k + 1) % p.episodes; // the first step of the next episode
            earning(p, |at| {
                at.reward + if at.next.is_none() { GAMMA * LAMBDA * advantages[of_next(at.k)] } else { 0.0 }
            })
        }),
        of_judge("the end is worth what the critic says", |p| {
            earning(p, |at| at.reward + if at.next.is_none() { GAMMA * at.value } else { 0.0 })
        }),
    ]
}

const GAMMA: f64 = 0.9;
const LAMBDA: f64 = 0.7;
/// T, B and the number of actions.
const SIZES: [usize; 3] = [4, 3, 5];

/// A step that counts, its successor in the same episode, and the numbers of both.
struct At {
    k: usize,
    next: Option<usize>,
    reward: f64,
    value: f64,
    next_value: f64,
}

/// Other rewards, for which the right code computes the result of wrong equations.
fn earned(p: &Trajectories, reward: impl Fn(At) -> f64) -> Vec<f64> {
    let at = |k: usize| {
        let next = Some(k + p.episodes).filter(|&next| next < p.valid.len() && p.valid[next]);
        let next_value = next.map_or(0.0, |next| p.values[next]);
        At { k, next, reward: p.rewards[k], value: p.values[k], next_value }
    };
    (0..p.valid.len()).map(|k| reward(at(k))).collect()
}

fn earning(p: &Trajectories, reward: impl Fn(At) -> f64) -> Judged {
    let values = p.values.clone();
    right_judge(&Trajectories { rewards: earned(p, reward), values, ..p.clone() })
}

fn right_judge(played: &Trajectories) -> Judged {
    judge(played, GAMMA, Estimator::Gae(LAMBDA))
}

fn right_loss<'t>(decisions: Decisions<'t, f64>, played: &Trajectories, judged: &Judged) -> Var<'t, f64> {
    weighed(Terms::of(decisions, played, judged), played)
}

fn weighed<'t>(terms: Terms<'t, f64>, played: &Trajectories) -> Var<'t, f64> {
    terms.loss(&update(), played.episodes, played.valid_steps())
}

fn constant<'t>(decisions: Decisions<'t, f64>, f: impl Fn(usize) -> f64) -> Var<'t, f64> {
    decisions.values.tape().constant(Tensor::from_fn(decisions.values.shape(), f))
}

/// ln π of the actions that were chosen.
fn chosen<'t>(decisions: Decisions<'t, f64>, played: &Trajectories) -> Var<'t, f64> {
    let size = played.valid.len();
    decisions.log_probs.gather(&played.actions().reshape([size, 1])).reshape([size])
}

/// The same trajectories, as if every step counted.
fn endless(played: &Trajectories) -> Trajectories {
    Trajectories { valid: vec![true; played.valid.len()], ..played.clone() }
}

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
fn defined_advantages(judge: Judge) -> Verdict {
    let (played, got) = (played(), judge(&played()));
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
    let targets = right_judge(played).targets;
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
fn defined_loss(loss: Loss) -> Verdict {
    let mut d = Draw::new(12);
    let size = SIZES[0] * SIZES[1];
    let inputs = [d.normal([size, SIZES[2]]), d.normal([size])];
    let played = played();
    let judged = judged(&played, &inputs[1].to_vec());
    let on_tape = |x: &[Tensor<f64>]| {
        let tape = Tape::new();
        let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
        let loss = loss(Decisions { log_probs: x[0].log_softmax(), values: x[1] }, &played, &judged);
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
