//! Tests of the trace of episodes: it equals a rollout, and plain loops reproduce every number in it.

use autograd::Tape;
use gradus_tests::golden::assert_close;
use gradus_tests::loops::{affine, gru_step};
use nn::{Params, Variant};
use rl::env::{Env, Task};
use rl::evaluate::test_stream;
use rl::explain::Explain;
use rl::policy::Policy;
use rl::rollout::{self, Choice};
use rl::tasks::calculator::{ActionSet, Rewards};
use rl::tasks::{Calculator, token};
use rl::trace::{self, Trace};
use tensor::philox::Philox;

const EPISODES: usize = 5;
const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

fn network(task: &dyn Task, variant: Variant) -> (Params<f64>, Policy) {
    let mut params = Params::new();
    let mut policy = Policy::new(&mut params, task, 8, 3);
    policy.rnn = policy.rnn.with_variant(variant);
    (params, policy)
}

fn start_env(task: &dyn Task, stage: usize) -> (Box<dyn Env>, Vec<Philox>) {
    let mut env = task.env(stage, EPISODES);
    let mut rngs: Vec<_> = (0..EPISODES).map(|i| test_stream(7, stage, i)).collect();
    env.reset(&mut rngs);
    (env, rngs)
}

fn choice(sampled: bool, rngs: &mut [Philox]) -> Choice<'_> {
    if sampled { Choice::Sampled(rngs) } else { Choice::Greedy }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Returns the tasks with the tools as actions and with all tokens.
fn tasks() -> [Calculator; 2] {
    [ActionSet::Tools, ActionSet::Tokens].map(|actions| Calculator::new(actions, Rewards::default()))
}

/// Runs a check for every task and variant, greedy and sampled.
fn for_each_case(check: impl Fn(&Calculator, Variant, bool)) {
    for task in tasks() {
        for variant in VARIANTS {
            [false, true].into_iter().for_each(|sampled| check(&task, variant, sampled));
        }
    }
}

#[test]
fn trace_equals_acting_bit_for_bit() {
    for_each_case(|task, variant, sampled| {
        let (params, policy) = network(task, variant);
        let (mut env, mut rngs) = start_env(task, 2);
        let traced =
            trace::trace_episodes(&policy, &params, &mut *env, choice(sampled, &mut rngs)).expect("finite").played;
        let (mut env, mut rngs) = start_env(task, 2);
        let (contexts, mut tape) = (rollout::contexts(&*env), Tape::no_grad());
        let choice = choice(sampled, &mut rngs);
        let played = rollout::play(&policy, &params, &mut tape, &mut *env, contexts, choice).expect("finite");

        assert!(played.steps > 0);
        assert_eq!((traced.stage, traced.episodes, traced.steps), (played.stage, played.episodes, played.steps));
        assert_eq!((&traced.contexts, &traced.actions), (&played.contexts, &played.actions));
        assert_eq!((&traced.tokens, &traced.valid, &traced.solved), (&played.tokens, &played.valid, &played.solved));
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
        assert_close("entropy and value", &[trace.entropies[at], played.values[at]], &[entropy, step.value], 1e-12);
        assert_eq!(trace.gates(t, episode), gates);
    }
}

#[test]
fn trace_numbers_match_plain_loops() {
    let task = Calculator::default();
    for variant in VARIANTS {
        let (params, policy) = network(&task, variant);
        for stage in 0..3 {
            let (mut env, mut rngs) = start_env(&task, stage);
            let trace = trace::trace_episodes(&policy, &params, &mut *env, Choice::Sampled(&mut rngs)).expect("finite");
            assert_eq!(trace.context_len(), 4 + stage);
            assert_eq!(trace.tokens.len(), (3 + stage + trace.played.steps) * EPISODES);
            assert_eq!(trace.tokens[(3 + stage) * EPISODES..][..EPISODES], [token::CTX; EPISODES]);
            (0..EPISODES).for_each(|episode| check_episode(&Loops { params: &params, variant }, &trace, episode));
        }
    }
}

#[test]
fn trace_probabilities_sum_to_one_and_greedy_is_the_maximum() {
    for_each_case(|task, variant, sampled| {
        let (params, policy) = network(task, variant);
        let (mut env, mut rngs) = start_env(task, 1);
        let trace = trace::trace_episodes(&policy, &params, &mut *env, choice(sampled, &mut rngs)).expect("finite");
        assert_eq!(trace.actions, task.actions());
        for t in 0..trace.played.steps {
            for i in 0..EPISODES {
                let p = trace.probabilities(t, i);
                let action = trace.played.actions[t * EPISODES + i] as usize;
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
        let mut drawn = task.env(2, 1);
        drawn.reset(&mut [test_stream(7, 2, 1)]);
        let operands = drawn.context(0)[..task.operand_count(2)].to_vec();
        let mut given = task.env_with_operands(2, &operands);
        assert_eq!((given.stage(), given.len(), given.context(0)), (2, 1, drawn.context(0)));
        let (params, policy) = network(task, Variant::ResetAfter);
        let [drawn, given] = [&mut drawn, &mut given].map(|env| {
            let mut rng = [test_stream(8, 2, 1)];
            trace::trace_episodes(&policy, &params, &mut **env, Choice::Sampled(&mut rng)).expect("finite")
        });
        assert_eq!((&drawn.played.actions, &drawn.played.solved), (&given.played.actions, &given.played.solved));
        assert_eq!(bits(&drawn.played.rewards), bits(&given.played.rewards));
        assert_eq!(drawn.probabilities, given.probabilities);
    }
}
