use alloc::vec::Vec;

use super::*;
use crate::a2c::Learner;
use crate::config::{self, Config, GruVariant};
use crate::env::Task;
use crate::model::Inputs;
use crate::tasks::calculator_stages::{ActionSet, spec};
use crate::tasks::token;
use crate::test_tasks::{Chance, learner};
use crate::train::Run;
use tensor::Map;
use tensor::philox::{Purpose, Stream};

/// An untrained agent with weights so large that different contexts lead to different decisions.
fn agent(actions: config::Actions, gru: GruVariant) -> Agent<f64> {
    let mut run = new_run(Config { actions, gru, ..Config::default() });
    run.learner.params.flat_mut().apply(Map::Scale(4.0));
    Agent::new(run.task.spec(), run.learner.model, run.learner.params)
}

/// A run of a small network.
fn new_run<T: Real>(config: Config) -> Run<T, crate::tasks::CalculatorStages> {
    let config = Config { width: 7, ..config };
    Run::new(config.calculator_stages(), &config, 3)
}

/// The context of `stage` with these digits as operands.
fn context(stage: usize, digits: [u32; 5]) -> Vec<u32> {
    digits[..3 + stage].iter().copied().chain([token::CTX]).collect()
}

/// The agent reads one token per step and keeps its state. Its decisions agree with one pass over the whole sequence.
#[test]
fn episode_step_by_step_decides_as_one_pass() {
    for actions in [config::Actions::Tools, config::Actions::Tokens] {
        for gru in [GruVariant::ResetAfter, GruVariant::ResetBefore] {
            let agent = agent(actions, gru);
            (0..3).for_each(|stage| check_steps(&agent, stage));
        }
    }
}

fn check_steps(agent: &Agent<f64>, stage: usize) {
    let context = context(stage, [4, 2, 7, 3, 1]);
    let taken =
        [1, 4, 0, 5, 5, 2].map(|action| agent.spec().token(agent.spec().action_name(action)).expect("its token"));
    let tokens = [&context[..], &taken].concat();
    let tape = Tape::no_grad();
    let pass = agent.on(&tape);
    let inputs = Inputs::Tokens(Tensor::new([tokens.len(), 1], tokens.clone()));
    let states = agent.model.read_all(pass, &inputs, agent.model.start(pass, stage, 1));
    let all = Decisions::new(agent.model.decide(pass, states.select(1, 0)), &[]);
    let (rows, values) = (all.actions.to_rows(), all.values.value().to_vec());

    let mut episode = agent.begin(stage);
    episode.observe(&context[..]);
    for (t, &token) in (context.len() - 1..).zip(&taken) {
        let (probabilities, expected) = (episode.probabilities(), rows.probabilities(t));
        assert_eq!(probabilities.len(), expected.len());
        assert!(probabilities.iter().zip(expected).all(|(p, expected)| (p - expected).abs() < 1e-13));
        assert!((episode.value() - values[t]).abs() < 1e-12);
        episode.observe(&[token]);
    }
}

/// An episode of stage 0 after its first observation.
fn observed<T: Real>(agent: &Agent<T>) -> Episode<'_, T> {
    let mut episode = agent.begin(0);
    episode.observe(&[4, 2, 7, token::CTX]);
    episode
}

#[test]
fn sample_frequencies_match_probabilities() {
    let agent = agent(config::Actions::Tools, GruVariant::ResetAfter);
    let episode = observed(&agent);
    let mut rng = Philox::stream(1, Stream { purpose: Purpose(256), update: 0, episode: 0 });
    let mut counts = [0.0; 6];
    (0..10_000).for_each(|_| counts[episode.sample(&mut rng) as usize] += 1e-4);
    let gap = |(count, p): (&f64, &f64)| (count - p).abs();
    let probabilities = episode.probabilities();
    // The tolerance is at least five standard deviations of a frequency in 10,000 draws.
    assert!(counts.iter().zip(&probabilities).map(gap).all(|gap| gap < 0.025), "{counts:?} {probabilities:?}");
    assert_eq!(
        probabilities.iter().position(|&p| probabilities.iter().all(|&q| q <= p)),
        Some(episode.greedy() as usize)
    );
}

#[test]
fn agent_from_le_bytes_is_the_same() {
    let run = new_run(Config { gru: GruVariant::ResetBefore, ..Config::default() });
    let (spec, architecture, bytes) = (run.task.spec(), run.config.architecture(), run.learner.params.to_le_bytes());
    let agent = Agent::<f32>::from_le_bytes(spec.clone(), architecture, &bytes).expect("as many");
    let agent_of_run = Agent::new(spec.clone(), run.learner.model, run.learner.params);
    let [one, other] = [&agent, &agent_of_run].map(|agent| observed(agent).probabilities());
    assert_eq!(one, other);
    assert!(Agent::<f32>::from_le_bytes(spec, architecture, &bytes[1..]).is_err());
}

#[test]
fn agent_is_shared_by_threads() {
    fn assert_shared<X: Send + Sync>() {}
    fn assert_sent<X: Send>() {}
    assert_shared::<Agent>();
    assert_sent::<Episode<'_>>();
}

/// The first, a middle and the last action have probability zero.
#[test]
fn sample_never_returns_an_action_of_probability_zero() {
    let never = f32::NEG_INFINITY;
    let agent = with_bias([never, 0.5, never, 0.1, -0.3, never]);
    let episode = observed(&agent);
    let mut rng = Philox::stream(1, Stream { purpose: Purpose(256), update: 0, episode: 0 });
    let drawn: Vec<u32> = (0..10_000).map(|_| episode.sample(&mut rng)).collect();
    assert!(drawn.iter().all(|action| [1, 3, 4].contains(action)));
    assert!([1, 3, 4].iter().all(|action| drawn.contains(action)));
    assert!([1, 3, 4].contains(&episode.greedy()));
}

/// An agent with this bias of its policy head.
fn with_bias<T: Real>(bias: [T; 6]) -> Agent<T> {
    let Learner { model, mut params, .. } = new_run(Config::default()).learner;
    params.set(model.pi.bias, &Tensor::from(bias));
    Agent::new(spec(ActionSet::Tools), model, params)
}

/// An agent with a number that is not finite in the bias of its last action.
fn undecided() -> Agent<f64> {
    with_bias([0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN])
}

#[test]
#[should_panic(expected = "is NaN at step 1 of the episode: parameter pi.bias holds a number that is not finite")]
fn greedy_nan_panics_with_step_and_parameter() {
    let agent = undecided();
    let mut episode = observed(&agent);
    episode.observe(&[token::SUB]);
    episode.greedy();
}

#[test]
#[should_panic(expected = "sample: the log-probability of action 0")]
fn sample_nan_panics_with_the_action() {
    let mut rng = Philox::stream(1, Stream { purpose: Purpose(256), update: 0, episode: 0 });
    observed(&undecided()).sample(&mut rng);
}

#[test]
#[should_panic(expected = "observe: observation 0 of an episode of calculator-stages: no observation was written")]
fn observe_no_token_panics() {
    agent(config::Actions::Tools, GruVariant::ResetAfter).begin(1).observe(&[0_u32; 0]);
}

#[test]
#[should_panic(
    expected = "observe: observation 0 of an episode of calculator-stages: token 18 is outside the vocabulary of 18"
)]
fn observe_unknown_token_panics() {
    agent(config::Actions::Tools, GruVariant::ResetAfter).begin(0).observe(&[4, 2, 18, token::CTX]);
}

#[test]
#[should_panic(expected = "observe: observation 1 of an episode of calculator-stages: the observation is a vector")]
fn observe_vector_for_tokens_panics_with_the_observation() {
    observed(&agent(config::Actions::Tools, GruVariant::ResetAfter)).observe(&[0.5]);
}

#[test]
#[should_panic(expected = "begin: stage 3, but there are 3 stages")]
fn begin_unknown_stage_panics() {
    agent(config::Actions::Tools, GruVariant::ResetAfter).begin(3);
}

#[test]
#[should_panic(expected = "greedy: the episode has no observation yet; call observe")]
fn greedy_before_the_first_observation_panics() {
    agent(config::Actions::Tools, GruVariant::ResetAfter).begin(0).greedy();
}

#[test]
#[should_panic(expected = "observation 0 of an episode of calculator-stages: no action is legal")]
fn observe_legal_none_panics() {
    agent(config::Actions::Tools, GruVariant::ResetAfter).begin(0).observe_legal(&[4], &[false; 6]);
}

#[test]
fn observe_legal_other_actions_have_probability_zero() {
    let agent = agent(config::Actions::Tools, GruVariant::ResetAfter);
    let mut episode = agent.begin(0);
    let all = observed(&agent).probabilities();
    episode.observe_legal(&[4, 2, 7, token::CTX], &[true, false, false, true, false, false]);
    let legal = episode.probabilities();
    let total = all[0] + all[3];
    for action in 0..6 {
        let want = if [0, 3].contains(&action) { all[action] / total } else { 0.0 };
        assert!((legal[action] - want).abs() < 1e-12 && (want > 0.0 || legal[action] == 0.0), "{legal:?} of {all:?}");
    }
}

/// The agent has a method for each kind of action, and normalises what it reads.
#[test]
fn greedy_vector_is_the_mean_of_the_normalized_observation() {
    let task = Chance { has_vectors: true, is_continuous: true, ..Chance::default() };
    let Learner { model, params, .. } = learner::<f64>(&task);
    let mut moments = Moments::new(3);
    [[1.0, 2.0, 3.0], [2.0, 4.0, 7.0]].iter().for_each(|x| moments.push(x));
    let (raw, plain) = ([1.5, 2.0, 9.0], Agent::new(task.spec(), model.clone(), params.clone()));
    let agent = Agent::new(task.spec(), model, params).with_normalizer(moments.clone());
    let mut normal = raw;
    moments.normalize(&mut normal);
    let (mut episode, mut expected, mut other) = (agent.begin(1), plain.begin(1), plain.begin(1));
    episode.observe(&raw);
    expected.observe(&normal);
    other.observe(&raw);
    assert_eq!(episode.greedy_vector(), expected.greedy_vector());
    assert_ne!(episode.greedy_vector(), other.greedy_vector());
    let Rows::Gaussian { mean, .. } = episode.distribution() else { panic!("a Gaussian") };
    assert_eq!(episode.greedy_vector(), *mean);
    let (mut rng, mut same) = (Philox::new(3), Philox::new(3));
    let drawn = episode.sample_vector(&mut rng);
    let Rows::Gaussian { log_std, .. } = episode.distribution() else { panic!("a Gaussian") };
    for k in 0..2 {
        assert!((drawn[k] - mean[k] - log_std[k].exp() * same.normal()).abs() < 1e-12);
    }
    assert!(episode.probabilities().is_empty());
}
