//! Tests that show the flaws of the tutorial's network and update, each on the update itself.

use autograd::Tape;
use nn::{Grads, Params, differentiate};
use rl::policy::{Architecture, Policy};
use rl::tasks::token::{ADD, ANS, CTX, MUL, SUB};
use tensor::Tensor;
use tutorial::network::{InitialState, Network, loss};
use tutorial::run::TutorialConfig;

fn network() -> (Policy, Params<f64>) {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, &tutorial::spec(), Architecture::gru(12), 5);
    (policy, params)
}

/// Computes the state before the first token, \[B,d\], for contexts\[B\]\[L\].
fn start(start: InitialState, contexts: &[[u32; 4]]) -> Tensor<f64> {
    let (policy, params) = network();
    let tape = Tape::no_grad();
    let by_step = Tensor::from_fn([4, contexts.len()], |k| contexts[k % contexts.len()][k / contexts.len()]);
    Network::new(&policy, params.bind(&tape), start).start(0, &by_step).value()
}

/// `[B,d] + [B,1,d]` broadcasts to `[B,B,d]`. Its mean over the batch is one state for all episodes. So no episode sees its own
/// context; each sees the mean over all contexts.
#[test]
fn tutorial_network_batch_mean_start_is_the_same_for_all_episodes() {
    let h = start(InitialState::BatchMean, &[[1, 2, 3, CTX], [9, 9, 9, CTX], [0, 4, 7, CTX]]);
    assert_eq!(h.select(0, 0), h.select(0, 1));
    assert_eq!(h.select(0, 0), h.select(0, 2));
    let alone = start(InitialState::BatchMean, &[[1, 2, 3, CTX]]);
    assert_ne!(h.select(0, 0), alone.select(0, 0));
}

/// Without that mistake, the context is still a bag of tokens: a·b+c and c·b+a start in the same state. CTX is in the bag, too.
#[test]
fn tutorial_network_episode_mean_start_ignores_order() {
    let h = start(InitialState::EpisodeMean, &[[1, 2, 3, CTX], [3, 2, 1, CTX], [CTX, 1, 2, 3], [1, 2, 3, 0]]);
    let distance = |i: usize| (&h.select(0, 0) - &h.select(0, i)).to_vec().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert!(distance(1) < 1e-12 && distance(2) < 1e-12, "{} {}", distance(1), distance(2));
    assert!(distance(3) > 0.01);
}

/// The tokens after ANS are never executed, but they still contribute to the gradient.
#[test]
fn tutorial_loss_tokens_after_the_answer_change_the_gradient() {
    let gradient = |last: u32| {
        let (policy, params) = network();
        let contexts = Tensor::new([4, 1], vec![1, 2, 3, CTX]);
        let actions = Tensor::new([6, 1], vec![MUL, ANS, ADD, ADD, ADD, last]);
        let mut grads = Grads::zeros(&params);
        let pass = differentiate(&params, &mut Tape::new(), &mut grads, |tape, weights| {
            let reward = tape.constant(Tensor::from([1.06]));
            let network = Network::new(&policy, weights, InitialState::BatchMean);
            loss(&network, 0, &contexts, &actions, reward, &TutorialConfig::default()).loss
        });
        pass.expect("every parameter is used");
        grads.flat().to_vec()
    };
    let difference: f64 = gradient(ADD).iter().zip(gradient(SUB)).map(|(a, b)| (a - b).powi(2)).sum();
    assert!(difference.sqrt() > 0.01, "{difference}");
}

/// A baseline must not depend on the actions whose rewards it is subtracted from. The tutorial's baseline is a sum of values of
/// states that depend on these actions. Over two steps, all 324 sequences can be enumerated, so expectations are exact. With a
/// constant baseline the expected gradient is the policy gradient. With the summed values it points elsewhere.
#[test]
fn tutorial_loss_summed_baseline_biases_the_gradient() {
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
        let network = Network::new(&policy, weights, InitialState::BatchMean);
        let terms = loss(&network, 0, &contexts, &actions, rewards, &TutorialConfig::default());
        let log_probs = terms.log_probs.sum_axis(0);
        let (p, values) = (log_probs.value().to_vec(), terms.values.sum_axis(0).value().to_vec());
        assert!(
            (p.iter().map(|l| l.exp()).sum::<f64>() - 1.0).abs() < 1e-12,
            "the probabilities of all sequences must add up to 1"
        );
        let scale = tape.constant(Tensor::from_fn([count], |k| p[k].exp() * weight(k, values[k])));
        // This objective does not involve the critic, so unreached critic parameters are expected.
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
