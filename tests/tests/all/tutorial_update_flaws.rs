//! What is wrong with the tutorial's network and its update, each point shown on the update itself.

use autograd::Tape;
use nn::{Grads, Params};
use rl::policy::Policy;
use rl::tasks::token::{ADD, ANS, CTX, MUL, SUB};
use tensor::Tensor;
use tutorial::Tutorial;
use tutorial::network::{Network, Start, loss};
use tutorial::run::TutorialConfig;

fn network() -> (Policy, Params<f64>) {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, &Tutorial, 12, 5);
    (policy, params)
}

/// The state before the first token, \[B,d\], for contexts\[B\]\[L\].
fn start(start: Start, contexts: &[[u32; 4]]) -> Tensor<f64> {
    let (policy, params) = network();
    let tape = Tape::evaluating();
    let by_step = Tensor::from_fn([4, contexts.len()], |k| contexts[k % contexts.len()][k / contexts.len()]);
    Network::new(&policy, params.bind(&tape), start).start(0, &by_step).value()
}

/// `[B,d] + [B,1,d]` broadcasts to `[B,B,d]`, whose mean over the batch leaves one state for all: no episode can see
/// its own context, and each sees a little of everybody else's.
#[test]
fn all_episodes_of_a_batch_start_alike() {
    let h = start(Start::BatchMean, &[[1, 2, 3, CTX], [9, 9, 9, CTX], [0, 4, 7, CTX]]);
    assert_eq!(h.select(0, 0), h.select(0, 1));
    assert_eq!(h.select(0, 0), h.select(0, 2));
    let alone = start(Start::BatchMean, &[[1, 2, 3, CTX]]);
    assert_ne!(h.select(0, 0), alone.select(0, 0));
}

/// Without that slip the context is still a bag: a·b+c and c·b+a begin in the same state. CTX is in the bag as well.
#[test]
fn a_mean_is_blind_to_order() {
    let h = start(Start::EpisodeMean, &[[1, 2, 3, CTX], [3, 2, 1, CTX], [CTX, 1, 2, 3], [1, 2, 3, 0]]);
    let apart = |i: usize| (&h.select(0, 0) - &h.select(0, i)).to_vec().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert!(apart(1) < 1e-12 && apart(2) < 1e-12, "{} {}", apart(1), apart(2));
    assert!(apart(3) > 0.01);
}

/// The tokens behind ANS are never executed, and train all the same.
#[test]
fn tokens_after_the_answer_still_train() {
    let gradient = |last: u32| {
        let (policy, params) = network();
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let contexts = Tensor::new([4, 1], vec![1, 2, 3, CTX]);
        let actions = Tensor::new([6, 1], vec![MUL, ANS, ADD, ADD, ADD, last]);
        let reward = tape.constant(Tensor::from([1.06]));
        let network = Network::new(&policy, weights, Start::BatchMean);
        let terms = loss(&network, 0, &contexts, &actions, reward, &TutorialConfig::default());
        terms.loss.backward().expect("every parameter is used");
        let mut grads = Grads::zeros(&params);
        grads.collect(&params, weights);
        grads.flat().to_vec()
    };
    let difference: f64 = gradient(ADD).iter().zip(gradient(SUB)).map(|(a, b)| (a - b).powi(2)).sum();
    assert!(difference.sqrt() > 0.01, "{difference}");
}

/// A baseline may not depend on the actions that it is subtracted for; theirs is the sum of values of states that have
/// seen them. Over two steps all 324 sequences can be listed, so that expectations are exact: with a constant in its
/// place the expected gradient is the policy gradient, with the summed values it points elsewhere.
#[test]
fn the_summed_baseline_biases_the_gradient() {
    let (policy, params) = network();
    let sequences: Vec<[u32; 2]> = (0..18).flat_map(|a| (0..18).map(move |b| [a, b])).collect();
    let count = sequences.len();
    let contexts = Tensor::from_fn([4, count], |k| [1, 2, 3, CTX][k / count]);
    let actions = Tensor::from_fn([2, count], |k| sequences[k % count][k / count]);
    let reward = |k: usize| f64::from(sequences[k] == [MUL, ANS]);

    // The gradient of Σ π(sequence)·weight·ln π(sequence), with π and the weight as numbers.
    let expected = |weight: &dyn Fn(usize, f64) -> f64| {
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let rewards = tape.constant(Tensor::zeros([count]));
        let network = Network::new(&policy, weights, Start::BatchMean);
        let terms = loss(&network, 0, &contexts, &actions, rewards, &TutorialConfig::default());
        let log_probs = terms.log_probs.sum_axis(0);
        let (p, values) = (log_probs.value().to_vec(), terms.values.sum_axis(0).value().to_vec());
        assert!((p.iter().map(|l| l.exp()).sum::<f64>() - 1.0).abs() < 1e-12, "all sequences are there");
        let scale = tape.constant(Tensor::from_fn([count], |k| p[k].exp() * weight(k, values[k])));
        // The critic takes no part in this objective; that it is not reached is no error here.
        let unreached = (log_probs * scale).sum().backward().expect_err("the critic is not reached");
        assert_eq!(unreached.names, ["v.weight", "v.bias"]);
        let mut grads = Grads::zeros(&params);
        grads.collect(&params, weights);
        grads.flat().to_vec()
    };
    let cosine = |a: &[f64], b: &[f64]| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let truth = expected(&|k, _| reward(k));
    let constant = expected(&|k, _| reward(k) - 0.7);
    let summed = expected(&|k, value| reward(k) - value);
    assert!((cosine(&truth, &constant) - 1.0).abs() < 1e-12);
    assert!(cosine(&truth, &summed) < 0.9, "{}", cosine(&truth, &summed));
}
