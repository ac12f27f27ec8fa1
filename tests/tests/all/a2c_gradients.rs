//! Tests of the complete A2C loss: its gradient at every level, and its value against plain loops.

use std::sync::Arc;

use autograd::gradcheck::{Function, Input, Real};
use autograd::{Tape, Var};
use gradus_tests::RandomTensors;
use gradus_tests::levels::{CHECKS, Check, check_close, check_dot_products};
use nn::{BoundParams, Optimizer, Params, UpdateRule, Variant};
use proofs::{Case, Target};
use rl::a2c::{Learner, LossTerms, Update};
use rl::config::Config;
use rl::env::{Actions, Episodes, Task};
use rl::model::Pass;
use rl::policy::{Architecture, Policy};
use rl::returns::{AdvantageEstimator, Advantages, compute_advantages};
use rl::rollout::{self, Options, Streams};
use rl::tasks::CalculatorStages;
use rl::trajectories::{Observed, Trajectories};
use tensor::Tensor;
use tensor::philox::{Philox, Purpose, Stream};

const WIDTH: usize = 4;
const EPISODES: usize = 3;

fn update() -> Update {
    Update { gamma: 0.9, estimator: AdvantageEstimator::Gae(0.8), entropy: 0.3, ..Update::default() }
}

/// The loss of given episodes as a function of the parameters.
struct Loss {
    policy: Policy,
    played: Trajectories,
    advantages: Advantages,
}

impl Loss {
    fn new(variant: Variant, width: usize, episodes: usize) -> (Self, Params<f64>) {
        let (task, mut params) = (CalculatorStages::default(), Params::new());
        let architecture = Architecture { memory: Some(variant), ..Architecture::gru(width) };
        let policy = Policy::new(&mut params, &task.spec(), architecture, 3);
        let streams = |purpose| {
            let stream = |episode| Philox::stream(5, Stream { purpose, update: 0, episode });
            (0..episodes as u32).map(stream).collect()
        };
        let mut streams = Streams { env: streams(Purpose::OPERANDS), actions: Some(streams(Purpose::ACTIONS)) };
        let (tape, env) = (&mut Tape::no_grad(), &mut Episodes::new(&task, 2, episodes));
        let played = rollout::play((&policy, &params), tape, env, &mut streams, Options::SAMPLED, None, |_| ());
        let played = played.expect("finite");
        assert!(played.valid.contains(&false), "an episode must end before the others, or the mask is not tested");
        let advantages = compute_advantages(&played, update().gamma, update().estimator);
        (Self { policy, played, advantages }, params)
    }
}

impl Function for Loss {
    fn call<'t, T: Real>(&self, _: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        let played = &self.played;
        let decisions = played.decisions(&self.policy, Pass::new(&self.policy, BoundParams::from_vars(x)), None);
        LossTerms::compute(decisions, played, &self.advantages).loss(
            &update(),
            played.episodes,
            played.valid_step_count(),
        )
    }
}

/// Draws new parameters, because the initial policy is nearly uniform and hardly depends on the GRU's initial state.
///
/// A bias opens the update gate. Otherwise the GRU would forget the stage, which it reads first, before it matters.
fn inputs(params: &Params<f64>, width: usize) -> Vec<Input> {
    let mut draw = RandomTensors::new(12);
    let open = Tensor::from_fn([3 * width], |row| if row / width == 1 { 2.0 } else { 0.0 });
    let scale = Tensor::scalar((WIDTH as f64 / width as f64).sqrt());
    let value = |param| match (params.name(param), &draw.normal(params.shape(param)) * &scale) {
        ("rnn.bias_ih", bias) => &bias + &open,
        (_, value) => value,
    };
    params
        .handles()
        .map(value)
        .zip(params.handles())
        .map(|(x, param)| Input::from(x).named(params.name(param)))
        .collect()
}

fn case(variant: Variant, width: usize, episodes: usize) -> Case {
    let (loss, params) = Loss::new(variant, width, episodes);
    Case {
        target: Target::Layer("A2C"),
        name: format!("{variant:?}"),
        inputs: inputs(&params, width),
        f: Arc::new(loss),
        batch: None,
        recurrent: false,
    }
}

/// The checks that do not apply, because the inputs are parameters and not a batch or a sequence. Tests below cover these.
const NOT_APPLICABLE: [&str; 2] = ["adds up over rows", "goes step by step"];

/// The check that is left out. The input part is a table over all tokens, and its gradient is one product with all
/// embeddings. A token that does not occur is multiplied by zero, and zero times NaN is NaN. A test below covers values
/// after the end of an episode.
const LEFT_OUT: &str = "withstands poison";

/// The loss must pass every check that an operation passes, except for NaN in parameters.
#[test]
fn a2c_loss_both_gru_variants_pass_every_gradient_level() {
    for variant in [Variant::ResetAfter, Variant::ResetBefore] {
        let case = case(variant, WIDTH, EPISODES);
        let (applicable, others): (Vec<&Check>, Vec<_>) = CHECKS.iter().partition(|check| (check.applies)(&case));
        assert_eq!(others.iter().map(|check| check.name).collect::<Vec<_>>(), NOT_APPLICABLE);
        let (left_out, checks): (Vec<_>, Vec<_>) = applicable.into_iter().partition(|check| check.name == LEFT_OUT);
        assert_eq!(left_out.len(), 1, "{LEFT_OUT:?} is a check that applies");
        for Check { level, name, check, .. } in checks {
            check(&case).unwrap_or_else(|error| panic!("{level}, {name}, of {case}\n{error}"));
        }
    }
}

/// Level L3 at the sizes of a training run: a chunk of 48 episodes, width 96.
#[test]
fn a2c_loss_large_chunk_vjp_is_transpose_of_jvp() {
    check_dot_products(&case(Variant::ResetAfter, 96, 48)).unwrap_or_else(|error| panic!("{error}"));
}

/// The rollout computes values step by step. The learning pass reads the whole sequence at once and must give the same
/// values. The loss must equal its definition, summed in plain loops.
#[test]
fn a2c_loss_matches_plain_loops() {
    let (loss, params) = Loss::new(Variant::ResetAfter, WIDTH, EPISODES);
    let (tape, played, advantages) = (Tape::new(), &loss.played, &loss.advantages);
    let decisions = played.decisions(&loss.policy, Pass::new(&loss.policy, params.bind(&tape)), None);
    let (log_probs, values) = (decisions.actions.log_probs().value(), decisions.values.value().to_vec());

    let n = played.valid_step_count() as f64;
    let mut want = 0.0;
    for k in (0..played.valid.len()).filter(|&k| played.valid[k]) {
        assert!((values[k] - played.values[k]).abs() < 1e-12, "value {k}");
        let row: Vec<f64> = (0..6).map(|a| log_probs.get(&[k, a])).collect();
        let entropy: f64 = row.iter().map(|l| -l.exp() * l).sum();
        want -= advantages.advantages[k] * row[played.actions.discrete()[k] as usize] / EPISODES as f64;
        want += 0.5 * (values[k] - advantages.targets[k]).powi(2) / n - 0.3 * entropy / n;
    }
    let got = LossTerms::compute(decisions, played, advantages)
        .loss(&update(), EPISODES, played.valid_step_count())
        .value()
        .item();
    assert!((got - want).abs() < 1e-12, "{got} is not {want}");
}

/// Actions and numbers after the end of an episode do not change the loss or the gradient.
#[test]
fn a2c_loss_values_after_episode_end_change_nothing() {
    let (mut loss, params) = Loss::new(Variant::ResetAfter, WIDTH, EPISODES);
    let run = |loss: &Loss| {
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let vars: Vec<_> = params.handles().map(|param| weights.get(param)).collect();
        let out = loss.call(&tape, &vars);
        out.backward().expect("every parameter is used");
        let grads: Vec<_> = vars.iter().map(|var| var.grad().expect("reached").to_vec()).collect();
        (out.value().item(), grads)
    };
    let before = run(&loss);
    let Trajectories { observed, actions, rewards, values, valid, .. } = &mut loss.played;
    let (Observed::Tokens { tokens, ends }, Actions::Discrete(actions)) = (observed, actions) else {
        panic!("tokens and discrete actions")
    };
    for k in (0..valid.len()).filter(|&k| !valid[k]) {
        actions[k] = 5 - actions[k];
        // The token at the position of this step is one that follows the end.
        tokens[ends[k] as usize * EPISODES + k % EPISODES] = 17;
        (rewards[k], values[k]) = (f64::NAN, 1e300);
    }
    loss.advantages = compute_advantages(&loss.played, update().gamma, update().estimator);
    assert_eq!(run(&loss), before);
}

/// Splitting the batch into chunks changes only the order of sums.
#[test]
fn update_split_into_chunks_gives_the_same_metrics() {
    let after = |chunk: usize| {
        let config = Config { width: 8, batch: 23, chunk, ..Config::default() };
        let mut run = rl::train::Run::<f64, _>::new(config.calculator_stages(), &config, 4);
        let metrics = run.advance().expect("finite").metrics;
        (metrics.loss, metrics.grad_norm, metrics.steps)
    };
    let (loss, norm, steps) = after(23);
    for chunk in [1, 4, 7] {
        let (other_loss, other_norm, other_steps) = after(chunk);
        assert!((loss - other_loss).abs() < 1e-12 && (norm - other_norm).abs() < 1e-12 && steps == other_steps);
    }
}

/// Computes the gradient of a batch of 23 episodes, as the change by one step of plain gradient descent at rate 1.
fn gradient(chunk: usize) -> Tensor<f64> {
    let (task, mut params) = (CalculatorStages::default(), Params::new());
    let policy = Policy::new(&mut params, &task.spec(), Architecture::gru(8), 3);
    let optimizer = Optimizer::new(UpdateRule::Sgd { momentum: 0.0 }, &params);
    let (before, mut learner) = (params.flat().clone(), Learner::new(policy, params, optimizer));
    let update = Update { counts: vec![23], chunk, clip: f64::INFINITY, rate: 1.0, ..update() };
    learner.update(&task, &update).expect("finite");
    &before - learner.params.flat()
}

/// Compares all entries of the gradient, not only its norm.
#[test]
fn gradient_split_into_chunks_gives_the_same_entries() {
    let whole = gradient(23);
    assert!(whole.to_vec().iter().filter(|&&dx| dx != 0.0).count() > whole.size() / 2, "most entries must not be zero");
    for chunk in [1, 4, 7] {
        check_close(&format!("chunks of {chunk}"), &gradient(chunk), &whole, 1e-13)
            .unwrap_or_else(|error| panic!("{error}"));
    }
}
