//! Cases of the policy gradient: the distributions of the actions, and the loss of A2C on every path that a rollout can take.

use autograd::function;
use autograd::gradcheck::Input;
use nn::{BoundParams, Param, Params, Variant};
use rl::a2c::{LossTerms, Update};
use rl::distribution::Distribution;
use rl::env::{ActionSpace, Actions, Space, Spec};
use rl::model::Pass;
use rl::policy::{Architecture, Policy};
use rl::returns::{AdvantageEstimator, Advantages, compute_advantages};
use rl::trajectories::{Row, Trajectories};
use tensor::Tensor;

use crate::layers::draw_values;
use crate::{Case, RandomTensors, Target};

/// H.
const HIDDEN: usize = 3;
/// V. Every token occurs in each case of tokens, since a row of the embedding that is not read would get 0 · NaN from poison.
const TOKENS: usize = 5;
/// The numbers of an observation.
const NUMBERS: usize = 4;
/// The numbers of an action.
const ACTION_NUMBERS: usize = 2;
/// A.
const ACTIONS: usize = 4;

/// Returns the cases of the policy gradient. All parameters of the network are inputs.
pub fn policy_gradient_cases() -> Vec<Case> {
    let d = &mut RandomTensors::new(300);
    let mut cases = distribution_cases(d);
    cases.extend(token_cases(d));
    cases.extend(vector_cases(d));
    cases.extend(attention_cases(d));
    cases
}

fn distribution_cases(d: &mut RandomTensors) -> Vec<Case> {
    let legal = vec![true, false, true, true, false, false, true, true, true, false, true, false];
    let chosen = Actions::Discrete(vec![3, 2, 0]);
    let numbers = Actions::Continuous { size: ACTION_NUMBERS, values: d.normal([3, ACTION_NUMBERS]).to_vec() };
    let logits = d.normal([3, ACTIONS]);
    let (mean, log_std) = (d.normal([3, ACTION_NUMBERS]), d.normal([ACTION_NUMBERS]));
    let masked = legal.clone();
    let [categorical, gaussian] = ["Categorical", "Gaussian"].map(Target::Layer);
    vec![
        Case::new(
            categorical,
            "ln π(a) of legal actions",
            [logits.clone()],
            function!([legal: Vec<bool>, chosen: Actions] |x| Distribution::categorical(x[0], legal).log_prob(chosen)),
        ),
        Case::new(
            categorical,
            "entropy of legal actions",
            [logits],
            function!([masked: Vec<bool>] |x| Distribution::categorical(x[0], masked).entropy()),
        ),
        Case::new(
            gaussian,
            "ln π(a)",
            [mean, log_std.clone()],
            function!([numbers: Actions] |x| Distribution::gaussian(x[0], x[1]).log_prob(numbers)),
        ),
        Case::new(
            gaussian,
            "entropy",
            [log_std],
            function!(|tape, x| {
                let mean = tape.constant(Tensor::zeros([3, ACTION_NUMBERS]));
                Distribution::gaussian(mean, x[0]).entropy()
            }),
        ),
    ]
}

fn token_cases(d: &mut RandomTensors) -> Vec<Case> {
    let spec = token_spec();
    let mut cases = Vec::new();
    for variant in [Variant::ResetAfter, Variant::ResetBefore] {
        let even = [read_tokens(d, &[&[0, 4], &[1], &[2]]), read_tokens(d, &[&[3, 1]])];
        let uneven: [&[&[u32]]; 3] = [&[&[0, 4, 1], &[2], &[3, 0]], &[&[3]], &[&[1, 4], &[2, 2, 0]]];
        let [a, b, c] = uneven.map(|reads| read_tokens(d, reads));
        let segment = [carry(d, a.clone()), carry(d, b.clone()), c.clone()];
        let all = [
            ("a segment with masked actions", &segment.clone().map(mask)[..]),
            ("contexts of one length", &even),
            ("masked actions", &even.clone().map(mask)),
            ("contexts and answers of several lengths", &[a, b, c]),
            ("a segment in which episodes go on and start", &segment),
        ];
        for (name, rows) in if variant == Variant::ResetAfter { &all[..] } else { &all[..1] } {
            let architecture = Architecture { memory: Some(variant), ..Architecture::gru(HIDDEN) };
            cases.push(loss_case(d, format!("tokens, {variant:?}, {name}"), &spec, architecture, rows));
        }
    }
    cases
}

/// Policies that look up the tokens of their context. The weight of the query is square.
fn attention_cases(d: &mut RandomTensors) -> Vec<Case> {
    let even = [read_tokens(d, &[&[0, 4], &[1], &[2]]), read_tokens(d, &[&[3, 1]])];
    let several = [read_tokens(d, &[&[0, 4, 1], &[2], &[3, 0]]), read_tokens(d, &[&[3]])];
    [("contexts of one length", even), ("contexts of several lengths", several)]
        .map(|(name, rows)| {
            let name = format!("attention, {name}, square");
            loss_case(d, name, &token_spec(), Architecture::attention(HIDDEN), &rows)
        })
        .into()
}

fn token_spec() -> Spec {
    Spec::new("tokens", Space::tokens(0..TOKENS), ActionSpace::discrete(0..ACTIONS), 9).with_stages(2)
}

fn vector_cases(d: &mut RandomTensors) -> Vec<Case> {
    let discrete = Spec::new("vectors", Space::vector(NUMBERS), ActionSpace::discrete(0..ACTIONS), 9);
    let continuous = Spec { action: ActionSpace::continuous(ACTION_NUMBERS), ..discrete.clone() };
    let gru = Architecture::gru(HIDDEN);
    let [no_memory, deep] = [Architecture { memory: None, ..gru }, Architecture { encoder_layers: 2, ..gru }];
    let separate = Architecture { has_separate_critic: true, ..no_memory };
    let whole = [3, 1, 2].map(|steps| read_vectors(d, steps));
    let [a, b, c] = whole.clone();
    let segment = [carry(d, a), carry(d, b), c];
    let [moves, moving_segment] = [&whole, &segment].map(|rows| rows.clone().map(|row| take_numbers(d, row)));
    [
        ("GRU", &discrete, gru, &whole),
        ("no memory", &discrete, no_memory, &whole),
        ("no memory, masked actions", &discrete, no_memory, &whole.clone().map(mask)),
        ("GRU, a segment", &discrete, gru, &segment),
        ("Gaussian, GRU", &continuous, gru, &moves),
        ("Gaussian, no memory", &continuous, no_memory, &moves),
        ("Gaussian, GRU, a segment", &continuous, gru, &moving_segment),
        ("two layers and a GRU, square", &discrete, deep, &whole),
        ("separate critic", &discrete, separate, &whole),
        ("Gaussian, separate critic", &continuous, separate, &moves),
    ]
    .map(|(name, spec, architecture, rows)| loss_case(d, format!("vectors, {name}"), spec, architecture, rows))
    .into()
}

/// The loss of given rows as a function of the parameters. States that an earlier segment left are constants.
fn loss_case(d: &mut RandomTensors, name: String, spec: &Spec, architecture: Architecture, rows: &[Row]) -> Case {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, spec, architecture, 0);
    let played = Trajectories::from_rows(spec.stages - 1, &rows.iter().collect::<Vec<_>>());
    let update = Update { gamma: 0.9, estimator: AdvantageEstimator::Gae(0.8), entropy: 0.3, ..Update::default() };
    let advantages = compute_advantages(&played, update.gamma, update.estimator);
    let f = function!([policy: Policy, played: Trajectories, advantages: Advantages, update: Update] |x| {
        let decisions = played.decisions(policy, Pass::new(policy, BoundParams::from_vars(x)), None);
        LossTerms::compute(decisions, played, advantages).loss(update, played.episodes, played.valid_step_count())
    });
    let name_gates = |(input, param): (Input, Param)| match params.name(param).starts_with("rnn") {
        true => input.gates(0, &["r", "z", "n"]),
        false => input,
    };
    let inputs = draw_values(d, &params).into_iter().zip(params.handles()).map(name_gates);
    Case::new(Target::Layer("A2C"), name, inputs, f)
}

/// A row that reads these tokens before each decision.
fn read_tokens(d: &mut RandomTensors, reads: &[&[u32]]) -> Row {
    let ends = reads.iter().scan(0, |read, tokens| {
        *read += tokens.len() as u32;
        Some(*read - 1)
    });
    Row { tokens: reads.concat(), ends: ends.collect(), ..decide(d, reads.len()) }
}

/// A row that reads a vector before each decision.
fn read_vectors(d: &mut RandomTensors, steps: usize) -> Row {
    Row { vectors: d.normal([steps, NUMBERS]).to_vec(), ..decide(d, steps) }
}

/// The decisions of a row.
fn decide(d: &mut RandomTensors, steps: usize) -> Row {
    Row {
        actions: Actions::Discrete((0..steps).map(|t| (3 * t % ACTIONS) as u32).collect()),
        rewards: d.normal([steps]).to_vec(),
        values: d.normal([steps]).to_vec(),
        bootstrap: d.normal([1]).item(),
        ..Row::default()
    }
}

/// The row after an earlier segment.
fn carry(d: &mut RandomTensors, row: Row) -> Row {
    Row { carried: Some(d.normal([HIDDEN]).to_vec()), ..row }
}

/// The row with one or two other legal actions at each step.
fn mask(row: Row) -> Row {
    let is_legal = |t: usize, a: usize| row.actions.discrete()[t] as usize == a || (t + a).is_multiple_of(2);
    let legal = (0..row.rewards.len()).flat_map(|t| (0..ACTIONS).map(move |a| (t, a)));
    Row { legal: legal.map(|(t, a)| is_legal(t, a)).collect(), ..row.clone() }
}

/// The row with actions that are numbers.
fn take_numbers(d: &mut RandomTensors, row: Row) -> Row {
    let values = d.normal([row.rewards.len(), ACTION_NUMBERS]).to_vec();
    Row { actions: Actions::Continuous { size: ACTION_NUMBERS, values }, ..row }
}
