//! The policy gradient against the exact gradient of the expected return, on problems so small that all sequences can be listed.
//!
//! Rollouts with many seeds find the sequences. Their probabilities must add up to 1, so none is missing. The gradient of A2C,
//! weighted by these probabilities, must equal the derivative of J(θ) = Σ p(sequence)·R. Dual numbers compute the derivative,
//! one parameter after the other, from the model's outputs for one episode at a time. The critic's values are a baseline, which
//! cancels; the values after a truncated episode or at the end of a segment are constants of R.

use std::collections::BTreeMap;

use autograd::Tape;
use nn::{Grads, Params, differentiate};
use rl::a2c::{LossTerms, Update};
use rl::env::{self, Action, ActionSpace, Actions, Env, Episodes, Observer, SingleEnv, Space, Spec, Step, Task};
use rl::model::{ActionHead, Inputs, Model, Pass};
use rl::policy::{Architecture, Policy};
use rl::returns::{AdvantageEstimator, compute_advantages};
use rl::rollout::{self, Carry, Options, Streams};
use rl::trajectories::{Row, Trajectories};
use tensor::philox::Philox;
use tensor::{Dual, Real, Tensor};

/// A row with the probability of all that led to it and of the row itself, at the present parameters.
struct Weighted {
    row: Row,
    probability: f64,
}

/// Creates a policy of width 3 with large parameters, so that its probabilities are far from uniform.
fn policy(spec: &Spec) -> (Policy, Params<f64>) {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, spec, Architecture::gru(3), 5);
    let mut draw = gradus_tests::RandomTensors::new(13);
    *params.flat_mut() = &draw.normal(params.flat().shape()) * 0.7;
    (policy, params)
}

/// Computes the outputs of the model before each decision of a row: the action head's numbers.
fn heads<T: Real>(policy: &Policy, params: &Params<T>, row: &Row) -> Vec<(Vec<T>, Vec<T>)> {
    let tape = Tape::no_grad();
    let pass = Pass::new(policy, params.bind(&tape));
    let mut state = match &row.carried {
        None => policy.start(pass, 0, 1),
        Some(state) => tape.constant(Tensor::from_fn([1, state.len()], |k| T::from_f64(state[k]))),
    };
    let (steps, mut read) = (row.rewards.len(), 0);
    let size = row.vectors.len() / steps;
    let mut decide = |t: usize| {
        let inputs: Vec<Inputs<T>> = if size > 0 {
            vec![Inputs::Vectors(Tensor::from_fn([1, 1, size], |d| T::from_f64(row.vectors[t * size + d])))]
        } else {
            let tokens = &row.tokens[read..=row.ends[t] as usize];
            read += tokens.len();
            tokens.iter().map(|&token| Inputs::Tokens(Tensor::from([[token]]))).collect()
        };
        inputs.iter().for_each(|inputs| state = policy.read(pass, inputs, state));
        match policy.decide(pass, state).actions {
            ActionHead::Logits(logits) => (logits.value().to_vec(), Vec::new()),
            ActionHead::Gaussian { mean, log_std } => (mean.value().to_vec(), log_std.value().to_vec()),
        }
    };
    (0..steps).map(&mut decide).collect()
}

/// Computes the probability of the actions of a row: Π e^l / Σ e^l over the legal actions.
fn probability<T: Real>(policy: &Policy, params: &Params<T>, row: &Row) -> T {
    let mut product = T::one();
    for (t, (logits, _)) in heads(policy, params, row).into_iter().enumerate() {
        let is_legal = |a: usize| row.legal.get(t * logits.len() + a).copied().unwrap_or(true);
        let legal = (0..logits.len()).filter(|&a| is_legal(a));
        let sum = legal.fold(T::zero(), |sum, a| sum + logits[a].exp());
        product = product * logits[row.actions.discrete()[t] as usize].exp() / sum;
    }
    product
}

/// The gradient of a function of the parameters, by dual numbers.
fn derivative(params: &Params<f64>, f: impl Fn(&Params<Dual<f64>>) -> Dual<f64>) -> Vec<f64> {
    let unit = |k| Grads::new(params, Tensor::from_fn([params.size()], |n| f64::from(u8::from(n == k))));
    (0..params.size()).map(|k| f(&params.to_dual(&unit(k))).tangent).collect()
}

/// The gradient of J(θ) = Σ P·(p(row; θ)/p(row; now))·R. R is the sum of rewards with the value of what follows.
fn exact_gradient(policy: &Policy, params: &Params<f64>, rows: &[Weighted]) -> Vec<f64> {
    derivative(params, |dual| {
        rows.iter().fold(Dual::constant(0.0), |sum, Weighted { row, probability: weight }| {
            let now = probability(policy, params, row);
            let gain = row.rewards.iter().sum::<f64>() + row.bootstrap;
            sum + probability(policy, dual, row) * Dual::constant(weight / now * gain)
        })
    })
}

/// The gradient that A2C follows, in expectation: each row's advantages are multiplied by its probability.
fn a2c_gradient(policy: &Policy, params: &Params<f64>, rows: &[Weighted]) -> Vec<f64> {
    let played = Trajectories::from_rows(0, &rows.iter().map(|weighted| &weighted.row).collect::<Vec<_>>());
    let update = Update { gamma: 1.0, value_coefficient: 0.0, entropy: 0.0, ..Update::default() };
    let mut estimates = compute_advantages(&played, update.gamma, AdvantageEstimator::Gae(1.0));
    let weights = rows.iter().map(|weighted| weighted.probability).cycle();
    estimates.advantages.iter_mut().zip(weights).for_each(|(advantage, weight)| *advantage *= weight);
    let mut grads = Grads::zeros(params);
    differentiate(params, &mut Tape::new(), &mut grads, |_, weights| {
        let decisions = played.decisions(policy, Pass::new(policy, weights), None);
        LossTerms::compute(decisions, &played, &estimates).loss(&update, 1, played.valid_step_count())
    })
    .expect("the loss uses every parameter");
    grads.flat().to_vec().iter().map(|x| -x).collect()
}

#[track_caller]
fn assert_equal(got: &[f64], want: &[f64]) {
    let largest = want.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    let error = got.iter().zip(want).fold(0.0_f64, |max, (a, b)| max.max((a - b).abs()));
    assert!(largest > 0.01 && got.len() == want.len(), "the gradient is {largest} at most");
    assert!(error < 1e-12 * largest.max(1.0), "the gradients differ by {error}, of {largest}");
}

#[track_caller]
fn assert_complete(rows: impl IntoIterator<Item = f64>) {
    let total: f64 = rows.into_iter().sum();
    assert!((total - 1.0).abs() < 1e-12, "the found sequences have probability {total}");
}

/// ASK gives one of two answers of different lengths, by chance. SAY ends the episode. Contexts have two lengths.
struct Tool {
    /// The number of questions after which ASK is no longer legal.
    questions: usize,
    horizon: usize,
}

struct Question {
    questions: usize,
    asked: usize,
    seen: &'static [u32],
    score: u32,
}

impl Task for Tool {
    fn spec(&self) -> Spec {
        Spec::new("tool", Space::tokens(0..5), ActionSpace::discrete(["ASK", "SAY 0", "SAY 1"]), self.horizon)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        let questions = self.questions;
        env::vector(episodes, move || Question { questions, asked: 0, seen: &[], score: 0 })
    }
}

impl SingleEnv for Question {
    fn reset(&mut self, rng: &mut Philox) {
        let score = rng.below(2);
        *self = Self { asked: 0, seen: [&[0][..], &[1, 2, 0]][score as usize], score, ..*self };
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.tokens(self.seen);
        out.legal(&[self.asked < self.questions, true, true]);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Philox) -> Step {
        if action.discrete() == 0 {
            let answer = rng.below(2);
            (self.asked, self.score) = (self.asked + 1, 2 * self.score + answer);
            self.seen = [&[3][..], &[4, 3]][answer as usize];
            return Step::reward(-0.1);
        }
        let right = action.discrete() == 1 + self.score % 2;
        Step::terminated(if right { 1.0 } else { -0.5 } + 0.3 * f64::from(self.score))
    }
}

/// Plays episodes of a task until all sequences have occurred.
fn all_episodes(task: &Tool) -> (Policy, Params<f64>, Vec<Weighted>) {
    let (policy, params) = policy(&task.spec());
    let mut streams = Streams::shared((0..3000).map(Philox::new).collect());
    let (tape, mut episodes) = (&mut Tape::no_grad(), Episodes::new(task, 0, 3000));
    let played = rollout::play((&policy, &params), tape, &mut episodes, &mut streams, Options::SAMPLED, None, |_| ());
    let played = played.expect("no fault");
    let rows = (0..3000).map(|i| played.row(i));
    // The last answer of a truncated episode is known by the value after it.
    let distinct: BTreeMap<_, Row> =
        rows.map(|row| ((row.tokens.clone(), row.actions.discrete().to_vec(), row.bootstrap.to_bits()), row)).collect();
    let weighted = distinct.into_values().map(|row| {
        let coins = 1 + row.actions.discrete().iter().filter(|&&action| action == 0).count();
        Weighted { probability: probability(&policy, &params, &row) * 0.5_f64.powi(coins as i32), row }
    });
    let rows: Vec<Weighted> = weighted.collect();
    assert_complete(rows.iter().map(|row| row.probability));
    (policy, params, rows)
}

/// Contexts of two lengths, answers by chance of one or two tokens, and a mask after two questions.
#[test]
fn a2c_masks_and_random_answers_follow_the_gradient_of_the_expected_return() {
    let (policy, params, rows) = all_episodes(&Tool { questions: 2, horizon: 9 });
    assert_eq!(rows.len(), 2 * (2 + 2 * (2 + 2 * 2)));
    assert!(rows.iter().any(|weighted| weighted.row.legal.contains(&false)));
    assert_equal(&a2c_gradient(&policy, &params, &rows), &exact_gradient(&policy, &params, &rows));
}

/// The horizon cuts off the third question. The return then has the critic's value as a constant.
#[test]
fn a2c_truncated_episodes_follow_the_gradient_with_a_constant_bootstrap() {
    let (policy, params, rows) = all_episodes(&Tool { questions: 9, horizon: 2 });
    assert_eq!(rows.len(), 2 * (2 + 2 * (2 + 2)));
    assert_eq!(rows.iter().filter(|weighted| weighted.row.bootstrap != 0.0).count(), 2 * 2 * 2);
    assert_equal(&a2c_gradient(&policy, &params, &rows), &exact_gradient(&policy, &params, &rows));
}

/// GO or STOP. The horizon ends an episode of three GOs.
struct Walk;

struct Place(u32);

impl Task for Walk {
    fn spec(&self) -> Spec {
        Spec::new("walk", Space::tokens(0..4), ActionSpace::discrete(["GO", "STOP"]), 3)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Place(0))
    }
}

impl SingleEnv for Place {
    fn reset(&mut self, _: &mut Philox) {
        self.0 = 0;
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.tokens(&[self.0]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.0 += 1;
        match action.discrete() {
            0 => Step::reward(0.4 - 0.3 * f64::from(self.0)),
            _ => Step::terminated([0.0, 0.2, 1.0, -0.7][self.0 as usize]),
        }
    }
}

/// Plays two segments of two steps, with one seed after the other until all histories have occurred. Returns the rows of the
/// first and the second segment.
fn all_segments(policy: &Policy, params: &Params<f64>) -> [Vec<Weighted>; 2] {
    let mut histories = BTreeMap::new();
    for seed in 0..3000 {
        let (mut episodes, mut streams) = (Episodes::new(&Walk, 0, 1), Streams::shared(vec![Philox::new(seed)]));
        episodes.reset(&[0], &mut streams.env).expect("no fault");
        let mut carry = Carry::new(1);
        let segments = [0, 1].map(|_| {
            let (model, tape) = ((policy, params), &mut Tape::no_grad());
            let options = Options::SAMPLED;
            let played = rollout::play_segment(model, tape, &mut episodes, &mut streams, options, 2, &mut carry);
            let played = played.expect("no fault");
            (0..played.episodes).map(|i| played.row(i)).collect::<Vec<_>>()
        });
        let actions = segments.iter().flatten().map(|row| row.actions.discrete().to_vec()).collect::<Vec<_>>();
        histories.insert(actions, segments);
    }
    let chance = |rows: &[Row]| rows.iter().map(|row| probability(policy, params, row)).product::<f64>();
    assert_eq!(histories.len(), 16);
    let weighted = |which: usize| {
        let rows = histories.values().flat_map(|segments| {
            let probability = segments.iter().map(|rows| chance(rows)).product();
            segments[which].iter().map(move |row| Weighted { row: row.clone(), probability })
        });
        rows.collect()
    };
    assert_complete(histories.values().map(|segments| segments.iter().map(|rows| chance(rows)).product()));
    [0, 1].map(weighted)
}

/// A row is the part of one episode. Its return has the critic's value at the segment's end, and no gradient flows into the
/// state in which it starts.
#[test]
fn a2c_segments_follow_the_gradient_with_a_constant_state_and_bootstrap() {
    let (policy, params) = policy(&Walk.spec());
    let [first, second] = all_segments(&policy, &params);
    let starts = |rows: &[Weighted]| rows.iter().filter(|weighted| weighted.row.carried.is_none()).count();
    assert_eq!(starts(&first), first.len());
    assert!((1..second.len()).contains(&starts(&second)), "episodes both go on and start in the second segment");
    for rows in [first, second] {
        assert!(rows.iter().any(|weighted| weighted.row.bootstrap != 0.0));
        assert_equal(&a2c_gradient(&policy, &params, &rows), &exact_gradient(&policy, &params, &rows));
    }
}

/// The initial state has a parameter of its own, the embedding of the stage. If all rows go on from an earlier segment, its
/// gradient is exactly 0, although other carried states give another loss.
#[test]
fn a2c_segment_of_carried_rows_start_gets_gradient_zero() {
    let (policy, params) = policy(&Walk.spec());
    let [first, mut second] = all_segments(&policy, &params);
    second.retain(|weighted| weighted.row.carried.is_some());
    let stage = params.find("stage_emb.weight").expect("the policy has a memory");
    let start = |gradient: &[f64]| gradient[params.offset(stage)..][..3].to_vec();
    assert!(start(&a2c_gradient(&policy, &params, &first)).iter().all(|&x| x != 0.0));
    let before = a2c_gradient(&policy, &params, &second);
    assert_eq!(start(&before), [0.0; 3]);
    second.iter_mut().for_each(|weighted| weighted.row.carried = Some(vec![0.1, -0.2, 0.3]));
    assert_ne!(a2c_gradient(&policy, &params, &second), before);
}

/// Two steps; the reward is a polynomial of degree 2 in the numbers of both actions. Observations do not depend on actions.
struct Aim([f64; 2], u32);

impl SingleEnv for Aim {
    fn reset(&mut self, _: &mut Philox) {
        *self = Self([0.0; 2], 0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.vector(&[1.0, f64::from(self.1) - 0.3, 0.5]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let &[x, y] = action.continuous() else { panic!("{action:?}") };
        self.1 += 1;
        if self.1 == 1 {
            self.0 = [x, y];
            return Step::reward(x - 0.5 * (x * x + y * y));
        }
        Step::terminated(self.0[1] * y - (self.0[0] + x - 1.0) * (self.0[0] + x - 1.0))
    }
}

struct AimTask;

impl Task for AimTask {
    fn spec(&self) -> Spec {
        Spec::new("aim", Space::vector(3), ActionSpace::continuous(2), 2)
    }

    fn env(&self, _: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Aim([0.0; 2], 0))
    }
}

/// Gauss–Hermite quadrature with three nodes is exact for polynomials of degree 5. The integrand, a reward times the gradient of
/// ln π, has degree 4 in each number. The expected reward itself follows from the means and deviations.
#[test]
fn a2c_gaussian_actions_follow_the_gradient_of_the_expected_return() {
    const NODES: [(f64, f64); 3] =
        [(-1.7320508075688772, 1.0 / 6.0), (0.0, 2.0 / 3.0), (1.7320508075688772, 1.0 / 6.0)];
    let (policy, params) = policy(&AimTask.spec());
    let (mut episodes, mut streams) = (Episodes::new(&AimTask, 0, 1), Streams::shared(vec![Philox::new(3)]));
    let (tape, options) = (&mut Tape::no_grad(), Options::SAMPLED);
    let played = rollout::play((&policy, &params), tape, &mut episodes, &mut streams, options, None, |_| ());
    let row = played.expect("no fault").row(0);
    let outputs = heads(&policy, &params, &row);
    let rows: Vec<Weighted> = (0..3_usize.pow(4))
        .map(|code| {
            let nodes = [1, 3, 9, 27].map(|place| NODES[code / place % 3]);
            let number = |k: usize| outputs[k / 2].0[k % 2] + outputs[k / 2].1[k % 2].exp() * nodes[k].0;
            let values: Vec<f64> = (0..4).map(number).collect();
            let (mut env, rng) = (Aim([0.0; 2], 0), &mut Philox::new(0));
            let rewards = values.chunks(2).map(|action| env.step(Action::Continuous(action), rng).reward).collect();
            let actions = Actions::Continuous { size: 2, values: values.clone() };
            Weighted {
                row: Row { actions, rewards, ..row.clone() },
                probability: nodes.iter().map(|node| node.1).product(),
            }
        })
        .collect();
    assert_complete(rows.iter().map(|row| row.probability));
    let exact = derivative(&params, |dual| {
        let outputs = heads(&policy, dual, &row);
        let mean = |k: usize| outputs[k / 2].0[k % 2];
        let variance = |k: usize| (outputs[k / 2].1[k % 2] * Dual::constant(2.0)).exp();
        let half = Dual::constant(0.5);
        let sum = mean(0) + mean(2) - Dual::constant(1.0);
        let squares = mean(0) * mean(0) + variance(0) + mean(1) * mean(1) + variance(1);
        mean(0) - half * squares + mean(1) * mean(3) - (sum * sum + variance(0) + variance(2))
    });
    assert_equal(&a2c_gradient(&policy, &params, &rows), &exact);
}
