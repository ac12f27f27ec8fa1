//! The whole A2C loss: its gradient at every level, and its definition against plain loops.

use std::sync::Arc;

use autograd::gradcheck::{Function, Input, Real};
use autograd::{Tape, Var};
use gradus_tests::Draw;
use gradus_tests::levels::{CHECKS, Check, near, products};
use nn::{Optimizer, Params, Rule, Variant, Weights};
use proofs::{Case, Of};
use rl::a2c::{Learner, Terms, Update};
use rl::policy::Policy;
use rl::returns::{Estimator, Judged, judge};
use rl::rollout::{self, Choice};
use rl::tasks::Calculator;
use rl::trajectories::Trajectories;
use rl::{config::Config, env::Task};
use tensor::Tensor;
use tensor::philox::{Philox, Purpose, Stream};

const WIDTH: usize = 4;
const EPISODES: usize = 3;

fn update() -> Update {
    Update { gamma: 0.9, estimator: Estimator::Gae(0.8), entropy: 0.3, ..Update::default() }
}

/// The loss of fixed episodes as a function of the parameters.
struct Loss {
    policy: Policy,
    played: Trajectories,
    judged: Judged,
}

impl Loss {
    fn new(variant: Variant, width: usize, episodes: usize) -> (Self, Params<f64>) {
        let (task, mut params) = (Calculator::default(), Params::new());
        let mut policy = Policy::new(&mut params, &task, width, 3);
        policy.rnn = policy.rnn.with_variant(variant);
        let stream = |purpose| move |episode| Philox::stream(5, Stream { purpose, update: 0, episode });
        let mut env = task.env(2, episodes);
        env.reset(&mut (0..episodes as u32).map(stream(Purpose::OPERANDS)).collect::<Vec<_>>());
        let mut rngs: Vec<_> = (0..episodes as u32).map(stream(Purpose::ACTIONS)).collect();
        let (contexts, choice) = (rollout::contexts(&*env), Choice::Sampled(&mut rngs));
        let tape = &mut Tape::evaluating();
        let played = rollout::play(&policy, &params, tape, &mut *env, contexts, choice).expect("finite");
        assert!(played.valid.contains(&false), "some episode ends before the others, or the mask is not tested");
        let judged = judge(&played, update().gamma, update().estimator);
        (Self { policy, played, judged }, params)
    }
}

impl Function for Loss {
    fn call<'t, T: Real>(&self, _: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T> {
        let network = self.policy.on(Weights::from_vars(x));
        let played = &self.played;
        let decisions = network.decisions_of(played);
        Terms::of(decisions, played, &self.judged).loss(&update(), played.episodes, played.valid_steps())
    }
}

/// Parameters drawn anew: the first policy is nearly uniform, and hardly depends on where the GRU begins. The update gate is
/// opened, so that the stage, which is read first, is not forgotten before it matters.
fn inputs(params: &Params<f64>, width: usize) -> Vec<Input> {
    let mut draw = Draw::new(12);
    let open = Tensor::from_fn([3 * width], |row| if row / width == 1 { 2.0 } else { 0.0 });
    let scale = Tensor::scalar((WIDTH as f64 / width as f64).sqrt());
    let value = |param| match (params.name(param), &draw.normal(params.shape(param)) * &scale) {
        ("rnn.bias_ih", bias) => &bias + &open,
        (_, value) => value,
    };
    params.all().map(value).zip(params.all()).map(|(x, param)| Input::from(x).named(params.name(param))).collect()
}

fn case(variant: Variant, width: usize, episodes: usize) -> Case {
    let (loss, params) = Loss::new(variant, width, episodes);
    Case {
        of: Of::Layer("A2C"),
        name: format!("{variant:?}"),
        inputs: inputs(&params, width),
        f: Arc::new(loss),
        batch: None,
        recurrent: false,
    }
}

/// What does not apply: parameters are not a batch, nor a sequence, which have tests of their own below.
const NOT_ASKED: [&str; 2] = ["adds up over rows", "goes step by step"];

/// What is left out. The input's part is a table over all tokens, and its gradient one product with all embeddings: that of
/// a token which did not occur is multiplied by zero, and zero times NaN is NaN. What follows an episode's end has a test
/// below.
const LEFT_OUT: &str = "withstands poison";

/// Every level that an operation is held to, the whole loss is held to; but for poison in parameters.
#[test]
fn the_gradient_meets_every_level_for_both_variants_of_the_gru() {
    for variant in [Variant::ResetAfter, Variant::ResetBefore] {
        let case = case(variant, WIDTH, EPISODES);
        let (asked, not): (Vec<&Check>, Vec<_>) = CHECKS.iter().partition(|check| (check.applies)(&case));
        assert_eq!(not.iter().map(|check| check.name).collect::<Vec<_>>(), NOT_ASKED);
        let (left_out, asked): (Vec<_>, Vec<_>) = asked.into_iter().partition(|check| check.name == LEFT_OUT);
        assert_eq!(left_out.len(), 1, "{LEFT_OUT:?} is a check that applies");
        for Check { level, name, check, .. } in asked {
            check(&case).unwrap_or_else(|error| panic!("{level}, {name}, of {case}\n{error}"));
        }
    }
}

/// L3 in the sizes of a training run: a chunk of 48 episodes, width 96.
#[test]
fn the_gradient_of_a_large_chunk_is_the_transpose_of_the_tangent() {
    products(&case(Variant::ResetAfter, 96, 48)).unwrap_or_else(|error| panic!("{error}"));
}

/// The rollout's values and probabilities, computed step by step, are those of the pass that learns, which reads the
/// whole sequence at once; and the loss is its definition, summed in plain loops.
#[test]
fn the_loss_is_its_definition() {
    let (loss, params) = Loss::new(Variant::ResetAfter, WIDTH, EPISODES);
    let (tape, played, judged) = (Tape::new(), &loss.played, &loss.judged);
    let network = loss.policy.on(params.bind(&tape));
    let decisions = network.decisions_of(played);
    let (log_probs, values) = (decisions.log_probs.value(), decisions.values.value().to_vec());

    let n = played.valid_steps() as f64;
    let mut want = 0.0;
    for k in (0..played.valid.len()).filter(|&k| played.valid[k]) {
        assert!((values[k] - played.values[k]).abs() < 1e-12, "value {k}");
        let row: Vec<f64> = (0..6).map(|a| log_probs.at(&[k, a])).collect();
        let entropy: f64 = row.iter().map(|l| -l.exp() * l).sum();
        want -= judged.advantages[k] * row[played.actions[k] as usize] / EPISODES as f64;
        want += 0.5 * (values[k] - judged.targets[k]).powi(2) / n - 0.3 * entropy / n;
    }
    let got = Terms::of(decisions, played, judged).loss(&update(), EPISODES, played.valid_steps()).value().item();
    assert!((got - want).abs() < 1e-12, "{got} is not {want}");
}

/// What happens after an episode's end weighs nothing: other actions and numbers there leave loss and gradient alone.
#[test]
fn what_follows_the_end_changes_nothing() {
    let (mut loss, params) = Loss::new(Variant::ResetAfter, WIDTH, EPISODES);
    let run = |loss: &Loss| {
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let vars: Vec<_> = params.all().map(|param| weights.get(param)).collect();
        let out = loss.call(&tape, &vars);
        out.backward().expect("every parameter is used");
        let grads: Vec<_> = vars.iter().map(|var| var.grad().expect("reached").to_vec()).collect();
        (out.value().item(), grads)
    };
    let before = run(&loss);
    for k in (0..loss.played.valid.len()).filter(|&k| !loss.played.valid[k]).collect::<Vec<_>>() {
        loss.played.actions[k] = 5 - loss.played.actions[k];
        loss.played.tokens[k] = 17;
        (loss.played.rewards[k], loss.played.values[k]) = (f64::NAN, 1e300);
    }
    loss.judged = judge(&loss.played, update().gamma, update().estimator);
    assert_eq!(run(&loss), before);
}

/// Cutting the batch into chunks changes the order of sums and nothing else: the update of one chunk and of many agree.
#[test]
fn chunks_add_up_to_the_batch() {
    let after = |chunk: usize| {
        let config = Config { width: 8, batch: 23, chunk, ..Config::default() };
        let mut run = rl::train::Run::<f64>::new(&config, 4);
        let metrics = run.advance().expect("finite").metrics;
        (metrics.loss, metrics.grad_norm, metrics.steps)
    };
    let (loss, norm, steps) = after(23);
    for chunk in [1, 4, 7] {
        let (other_loss, other_norm, other_steps) = after(chunk);
        assert!((loss - other_loss).abs() < 1e-12 && (norm - other_norm).abs() < 1e-12 && steps == other_steps);
    }
}

/// The gradient of a batch of 23 episodes: what one step of plain descent at rate 1 takes away.
fn gradient(chunk: usize) -> Tensor<f64> {
    let (task, mut params) = (Calculator::default(), Params::new());
    let policy = Policy::new(&mut params, &task, 8, 3);
    let optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0 }, &params);
    let (before, mut learner) = (params.flat().clone(), Learner::new(policy, params, optimizer));
    let update = Update { counts: vec![23], chunk, clip: f64::INFINITY, rate: 1.0, ..update() };
    learner.update(&task, &update).expect("finite");
    &before - learner.params.flat()
}

/// And so does every entry of the gradient.
#[test]
fn every_entry_adds_up_over_chunks() {
    let whole = gradient(23);
    assert!(whole.to_vec().iter().filter(|&&dx| dx != 0.0).count() > whole.size() / 2, "there is a gradient");
    for chunk in [1, 4, 7] {
        near(&format!("chunks of {chunk}"), &gradient(chunk), &whole, 1e-13).unwrap_or_else(|error| panic!("{error}"));
    }
}
