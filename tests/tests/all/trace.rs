//! Tests of the trace of episodes: it equals a rollout, and plain loops reproduce every number in it.

use autograd::Tape;
use gradus_tests::golden::assert_close;
use gradus_tests::loops::{affine, gru_step};
use nn::{Params, Variant};
use rl::env::{Episodes, Task};
use rl::evaluate::{Trained, test_stream};
use rl::explain::Explain;
use rl::policy::{Architecture, Policy};
use rl::rollout::{self, Options, Streams};
use rl::tasks::calculator_stages::{ActionSet, Rewards};
use rl::tasks::{CalculatorStages, token};
use rl::trace::{self, Trace};

const EPISODES: usize = 5;
const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

fn network(task: &dyn Task, variant: Variant) -> (Params<f64>, Policy) {
    let mut params = Params::new();
    let architecture = Architecture { memory: Some(variant), ..Architecture::gru(8) };
    let policy = Policy::new(&mut params, &task.spec(), architecture, 3);
    (params, policy)
}

fn start_env(task: &dyn Task, stage: usize) -> (Episodes, Streams) {
    let rngs = (0..EPISODES).map(|i| test_stream(7, stage, i)).collect();
    (Episodes::new(task, stage, EPISODES), Streams::shared(rngs))
}

fn options(sampled: bool) -> Options<'static> {
    if sampled { Options::SAMPLED } else { Options::GREEDY }
}

fn trace_episodes(
    (params, policy): &(Params<f64>, Policy),
    (mut episodes, mut streams): (Episodes, Streams),
    options: Options<'_>,
) -> Trace {
    trace::trace_episodes(Trained::new(policy, params), &mut episodes, &mut streams, options).expect("finite")
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Returns the tasks with the tools as actions and with all tokens.
fn tasks() -> [CalculatorStages; 2] {
    [ActionSet::Tools, ActionSet::Tokens].map(|actions| CalculatorStages::new(actions, Rewards::default()))
}

/// Runs a check for every task and variant, greedy and sampled.
fn for_each_case(check: impl Fn(&CalculatorStages, Variant, bool)) {
    for task in tasks() {
        for variant in VARIANTS {
            [false, true].into_iter().for_each(|sampled| check(&task, variant, sampled));
        }
    }
}

#[test]
fn trace_equals_acting_bit_for_bit() {
    for_each_case(|task, variant, sampled| {
        let network = network(task, variant);
        let traced = trace_episodes(&network, start_env(task, 2), options(sampled)).played;
        let (params, policy) = &network;
        let ((mut env, mut streams), tape) = (start_env(task, 2), &mut Tape::no_grad());
        let played = rollout::play((policy, params), tape, &mut env, &mut streams, options(sampled), None, |_| ())
            .expect("finite");

        assert!(played.steps > 0);
        assert_eq!((traced.stage, traced.episodes, traced.steps), (played.stage, played.episodes, played.steps));
        assert_eq!((&traced.observed, &traced.actions), (&played.observed, &played.actions));
        assert_eq!((&traced.valid, &traced.solved), (&played.valid, &played.solved));
        assert_eq!(bits(&traced.rewards), bits(&played.rewards));
        assert_eq!(bits(&traced.values), bits(&played.values));
    });
}

/// The same network in plain loops.
struct Loops<'a> {
    params: &'a Params<f64>,
    variant: Variant,
}

/// The results of one step: the state, the means of the gates, the logits and the value.
struct StepResult {
    h: Vec<f64>,
    gates: [f64; 2],
    logits: Vec<f64>,
    value: f64,
}

impl Loops<'_> {
    fn get(&self, name: &str) -> Vec<f64> {
        self.params.get(self.params.find(name).expect("a parameter")).to_vec()
    }

    fn read(&self, token: u32, h: &[f64]) -> StepResult {
        let d = h.len();
        let x = &self.get("emb.weight")[token as usize * d..][..d];
        let [r, z, h] = gru_step(self.params, "rnn.", self.variant, x, h);
        let mean = |gate: &[f64]| gate.iter().sum::<f64>() / d as f64;
        let [logits, value] = [["pi.weight", "pi.bias"], ["v.weight", "v.bias"]].map(|of| affine(self.params, of, &h));
        StepResult { h, gates: [mean(&r), mean(&z)], logits, value: value[0] }
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|x| x.exp()).sum();
    logits.iter().map(|x| x.exp() / sum).collect()
}

/// Runs the plain loops on the tokens of the traced `episode` and compares every number.
fn check_episode(loops: &Loops<'_>, trace: &Trace, episode: usize) {
    let Trace { played, .. } = trace;
    let stage = loops.get("stage_emb.weight");
    let mut h: Vec<f64> = stage[played.stage * 8..][..8].iter().map(|x| x.tanh()).collect();
    for (k, token) in trace.tokens.iter().skip(episode).step_by(EPISODES).enumerate() {
        let step = loops.read(*token, &h);
        h = step.h;
        let gates = trace.gates[k * EPISODES + episode];
        assert_close("gates", &[gates.reset, gates.update], &step.gates, 1e-12);
        let Some(t) = (k + 1).checked_sub(trace.context_len()) else { continue };
        let probabilities = softmax(&step.logits);
        assert_close("probabilities", trace.probabilities(t, episode), &probabilities, 1e-12);
        let entropy = -probabilities.iter().map(|p| p * p.ln()).sum::<f64>();
        let at = t * EPISODES + episode;
        // Trajectories have no value after the end of an episode.
        let value = if played.valid[at] { step.value } else { 0.0 };
        assert_close("entropy and value", &[trace.entropies[at], played.values[at]], &[entropy, value], 1e-12);
        assert_eq!(trace.gates(t, episode), gates);
    }
}

#[test]
fn trace_numbers_match_plain_loops() {
    let task = CalculatorStages::default();
    for variant in VARIANTS {
        let network = network(&task, variant);
        for stage in 0..3 {
            let trace = trace_episodes(&network, start_env(&task, stage), Options::SAMPLED);
            assert_eq!(trace.context_len(), 4 + stage);
            assert_eq!(trace.tokens.len(), (3 + stage + trace.played.steps) * EPISODES);
            assert_eq!(trace.tokens[(3 + stage) * EPISODES..][..EPISODES], [token::CTX; EPISODES]);
            (0..EPISODES).for_each(|episode| check_episode(&Loops { params: &network.0, variant }, &trace, episode));
        }
    }
}

#[test]
fn trace_probabilities_sum_to_one_and_greedy_is_the_maximum() {
    for_each_case(|task, variant, sampled| {
        let trace = trace_episodes(&network(task, variant), start_env(task, 1), options(sampled));
        assert_eq!(trace.actions, task.spec().action.size());
        for t in 0..trace.played.steps {
            for i in 0..EPISODES {
                let p = trace.probabilities(t, i);
                let action = trace.played.actions.discrete()[t * EPISODES + i] as usize;
                assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                assert!(sampled || p.iter().all(|&other| other <= p[action]), "{p:?}");
            }
        }
    });
}

/// An episode that is given the operands of a test episode equals this test episode.
#[test]
fn env_given_operands_gives_the_episode_that_drew_them() {
    for task in &tasks() {
        let mut drawn = Episodes::new(task, 2, 1);
        drawn.reset(&[0], &mut [test_stream(7, 2, 1)]).expect("no fault");
        let operands = drawn.observations().tokens(0)[..task.operand_count(2)].to_vec();
        let given = Episodes::with_env(task.spec(), 2, task.env_with_operands(2, &operands), 1);
        // The operands are drawn from the first generator; the actions of both episodes from equal ones.
        let streams = |env| Streams { env: vec![env], actions: Some(vec![test_stream(8, 2, 1)]) };
        let network = network(task, Variant::ResetAfter);
        let drawn = trace_episodes(&network, (drawn, streams(test_stream(7, 2, 1))), Options::SAMPLED);
        let given = trace_episodes(&network, (given, streams(test_stream(9, 2, 1))), Options::SAMPLED);
        assert_eq!(drawn.played.observed, given.played.observed);
        assert_eq!((&drawn.played.actions, &drawn.played.solved), (&given.played.actions, &given.played.solved));
        assert_eq!(bits(&drawn.played.rewards), bits(&given.played.rewards));
        assert_eq!(drawn.probabilities, given.probabilities);
    }
}
