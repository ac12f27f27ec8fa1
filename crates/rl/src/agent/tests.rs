use alloc::vec::Vec;

use super::*;
use crate::config::{Actions, GruVariant};
use crate::tasks::token;
use crate::train::Run;
use tensor::Map;
use tensor::philox::{Purpose, Stream};

/// An untrained agent with weights so large that different contexts lead to different decisions.
fn agent(actions: Actions, gru: GruVariant) -> Agent<f64> {
    let (task, policy, mut params) = build_network(&Config { width: 7, actions, gru, ..Config::default() }, 3);
    params.flat_mut().apply(Map::Scale(4.0));
    Agent::new(&task, policy, params)
}

/// The context of `stage` with these digits as operands.
fn context(stage: usize, digits: [u32; 5]) -> Vec<u32> {
    digits[..3 + stage].iter().copied().chain([token::CTX]).collect()
}

/// The agent reads one token per step and keeps its state. Its decisions agree with one pass over the whole sequence.
#[test]
fn episode_step_by_step_decides_as_one_pass() {
    for actions in [Actions::Tools, Actions::Tokens] {
        for gru in [GruVariant::ResetAfter, GruVariant::ResetBefore] {
            let agent = agent(actions, gru);
            (0..3).for_each(|stage| check_steps(&agent, stage));
        }
    }
}

fn check_steps(agent: &Agent<f64>, stage: usize) {
    let context = context(stage, [4, 2, 7, 3, 1]);
    let taken = [1, 4, 0, 5, 5, 2];
    let after = Tensor::from_fn([taken.len(), 1], |t| agent.token(taken[t]));
    let tape = Tape::no_grad();
    let network = agent.policy.on(agent.params.bind(&tape));
    let all = network.decisions(stage, &Tensor::new([context.len(), 1], context.clone()), &after);
    let (log_probs, values) = (all.log_probs.value().to_vec(), all.values.value().to_vec());

    let mut episode = agent.begin(stage, &context);
    for (t, &action) in taken.iter().enumerate() {
        let probabilities = episode.probabilities();
        let expected = log_probs[t * agent.actions()..][..agent.actions()].iter().map(|log_prob| log_prob.exp());
        assert!(probabilities.iter().zip(expected).all(|(p, expected)| (p - expected).abs() < 1e-13));
        assert!((episode.value() - values[t]).abs() < 1e-12);
        episode.took(action);
    }
}

#[test]
fn sample_frequencies_match_probabilities() {
    let agent = agent(Actions::Tools, GruVariant::ResetAfter);
    let episode = agent.begin(0, &context(0, [4, 2, 7, 0, 0]));
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
    let config = Config { width: 7, gru: GruVariant::ResetBefore, ..Config::default() };
    let run = Run::<f32>::new(&config, 5);
    let bytes = run.learner.params.to_le_bytes();
    let agent = Agent::<f32>::from_le_bytes(&config, &bytes).expect("as many");
    let agent_of_run = Agent::new(&run.task, run.learner.policy, run.learner.params);
    let [one, other] =
        [&agent, &agent_of_run].map(|agent| agent.begin(1, &context(1, [1, 2, 3, 4, 0])).probabilities());
    assert_eq!(one, other);
    assert!(Agent::<f32>::from_le_bytes(&config, &bytes[1..]).is_err());
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
    let (task, policy, mut params) = build_network::<f32>(&Config { width: 7, ..Config::default() }, 3);
    let never = f32::NEG_INFINITY;
    params.set(policy.pi.bias, &Tensor::from([never, 0.5, never, 0.1, -0.3, never]));
    let agent = Agent::new(&task, policy, params);
    let episode = agent.begin(0, &context(0, [4, 2, 7, 0, 0]));
    let mut rng = Philox::stream(1, Stream { purpose: Purpose(256), update: 0, episode: 0 });
    let drawn: Vec<u32> = (0..10_000).map(|_| episode.sample(&mut rng)).collect();
    assert!(drawn.iter().all(|action| [1, 3, 4].contains(action)));
    assert!([1, 3, 4].iter().all(|action| drawn.contains(action)));
    assert!([1, 3, 4].contains(&episode.greedy()));
}

/// An agent with a number that is not finite in the bias of its last action.
fn undecided() -> Agent<f64> {
    let (task, policy, mut params) = build_network(&Config { width: 7, ..Config::default() }, 3);
    params.set(policy.pi.bias, &Tensor::from([0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN]));
    Agent::new(&task, policy, params)
}

#[test]
#[should_panic(expected = "is NaN at step 1 of the episode: parameter pi.bias holds a number that is not finite")]
fn greedy_nan_panics_with_step_and_parameter() {
    let agent = undecided();
    let mut episode = agent.begin(0, &context(0, [4, 2, 7, 0, 0]));
    episode.took(2);
    episode.greedy();
}

#[test]
#[should_panic(expected = "sample: the log-probability of action 0")]
fn sample_nan_panics_with_the_action() {
    let mut rng = Philox::stream(1, Stream { purpose: Purpose(256), update: 0, episode: 0 });
    undecided().begin(0, &context(0, [4, 2, 7, 0, 0])).sample(&mut rng);
}

#[test]
#[should_panic(expected = "begin: a context of 3 tokens, but contexts of stage 1 have 5")]
fn begin_context_of_wrong_length_panics() {
    agent(Actions::Tools, GruVariant::ResetAfter).begin(1, &[4, 2, 7]);
}

#[test]
#[should_panic(expected = "begin: token 18 at 2 of the context is outside the vocabulary of 18")]
fn begin_unknown_token_panics() {
    agent(Actions::Tools, GruVariant::ResetAfter).begin(0, &[4, 2, 18, token::CTX]);
}

#[test]
#[should_panic(expected = "begin: stage 3, but there are 3 stages")]
fn begin_unknown_stage_panics() {
    agent(Actions::Tools, GruVariant::ResetAfter).begin(3, &[4, 2, 7, token::CTX]);
}

#[test]
#[should_panic(expected = "action 6, but there are 6")]
fn took_unknown_action_panics() {
    agent(Actions::Tools, GruVariant::ResetAfter).begin(0, &context(0, [4, 2, 7, 0, 0])).took(6);
}
