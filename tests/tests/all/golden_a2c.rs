//! Tests of the tutorial's complete update against PyTorch: loss, its terms, gradients, clipping and Adam's step; for one
//! update, and for twenty in a row.

use autograd::Tape;
use gradus_tests::golden::{self, Case, assert_close};
use nn::{Grads, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
use rl::policy::{Architecture, Policy};
use tensor::Tensor;
use tutorial::network::{InitialState, Network, loss};
use tutorial::run::TutorialConfig;

/// The tolerance of a complete update, relative to the largest entry.
const TOLERANCE: f64 = 1e-12;

/// Converts the file's tokens \[B,K\] to \[K,B\], without the padding of −1.
fn tokens(rows: &[i64], width: usize) -> Tensor<u32> {
    let used = rows[..width].iter().take_while(|&&token| token >= 0).count();
    let by_row: Vec<u32> = rows.chunks(width).flat_map(|row| row[..used].iter().map(|&token| token as u32)).collect();
    let by_step = Tensor::new([rows.len() / width, used], by_row).transpose();
    Tensor::new(by_step.shape(), by_step.to_vec())
}

/// Builds the tutorial's network at the width of the files, with the case's initial parameters.
fn network(case: &Case) -> (Policy, Params<f64>) {
    let mut params = Params::new();
    let policy = Policy::new(&mut params, &tutorial::spec(), Architecture::gru(12), 0);
    for param in params.handles() {
        let value = case.read(&format!("param.{}", params.name(param)));
        params.set(param, &value);
    }
    assert_eq!(params.handles().len(), case.names("param.").len());
    (policy, params)
}

fn assert_params(case: &Case, prefix: &str, params: &Params<f64>, value: impl Fn(nn::Param) -> Tensor<f64>) {
    for param in params.handles() {
        let name = format!("{prefix}.{}", params.name(param));
        assert_close(&name, &value(param).to_vec(), &case.f64(&name).1, TOLERANCE);
    }
}

fn assert_update_matches(name: &str, start: InitialState) {
    let case = Case::load(name);
    let (policy, mut params) = network(&case);
    let stage: usize = case.meta("stage").parse().expect("a number");
    let ((shape, contexts), (_, actions)) = (case.i64("in.ctx"), case.i64("in.actions"));
    let (contexts, actions) = (tokens(&contexts, shape[1]), tokens(&actions, 6));

    let mut grads = Grads::zeros(&params);
    let pass = differentiate(&params, &mut Tape::new(), &mut grads, |tape, weights| {
        let network = Network::new(&policy, weights, start);
        let rewards = tape.constant(case.read("in.rewards"));
        let terms = loss(&network, stage, &contexts, &actions, rewards, &TutorialConfig::default());
        let check = |what: &str, got: Tensor<f64>| assert_close(what, &got.to_vec(), &case.f64(what).1, TOLERANCE);
        check("out.h0", network.start(stage, &contexts).value());
        check("out.loss", terms.loss.value());
        check("out.pg", terms.policy.value());
        check("out.vloss", terms.value.value());
        check("out.logps", terms.log_probs.value().transpose());
        check("out.entropies", terms.entropies.value().transpose());
        check("out.values", terms.values.value().transpose());
        terms.loss
    });
    pass.expect("every parameter is used");
    assert_params(&case, "grad", &params, |param| grads.get(&params, param));
    let norm = clip_global_norm(&params, &mut grads, 1.0).expect("finite");
    assert_close("out.grad_norm", &[norm], &case.f64("out.grad_norm").1, TOLERANCE);
    assert_params(&case, "clipped", &params, |param| grads.get(&params, param));
    let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
    optimizer.step(3e-4, &mut params, &grads);
    assert_params(&case, "after", &params, |param| params.get(param));
}

#[test]
fn a2c_update_batch_mean_start_matches_pytorch() {
    assert_update_matches("a2c_update_batch_mean_h0", InitialState::BatchMean);
}

#[test]
fn a2c_update_per_example_start_matches_pytorch() {
    assert_update_matches("a2c_update_per_example_h0", InitialState::EpisodeMean);
}

#[test]
fn a2c_twenty_updates_match_pytorch() {
    let case = Case::load("a2c_chain");
    let (policy, mut params) = network(&case);
    let (stages, contexts, actions) = (case.i64("in.stage").1, case.i64("in.ctx").1, case.i64("in.actions").1);
    let rewards = case.read("in.rewards");
    let (mut tape, mut grads) = (Tape::new(), Grads::zeros(&params));
    let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for (k, &stage) in stages.iter().enumerate() {
        let pass = differentiate(&params, &mut tape, &mut grads, |tape, weights| {
            let rewards = tape.constant(rewards.select(0, k));
            let (contexts, actions) = (tokens(&contexts[k * 30..][..30], 6), tokens(&actions[k * 30..][..30], 6));
            let config = TutorialConfig::default();
            let network = Network::new(&policy, weights, InitialState::BatchMean);
            loss(&network, stage as usize, &contexts, &actions, rewards, &config).loss
        });
        losses.push(pass.expect("every parameter is used"));
        norms.push(clip_global_norm(&params, &mut grads, 1.0).expect("finite"));
        optimizer.step(3e-4, &mut params, &grads);
    }
    assert_close("out.losses", &losses, &case.f64("out.losses").1, TOLERANCE);
    assert_close("out.grad_norms", &norms, &case.f64("out.grad_norms").1, TOLERANCE);
    assert_params(&case, "after", &params, |param| params.get(param));
}

/// Every reference file has a test. The tests of `golden_ops.rs` and `golden_optim.rs` iterate over families of files. All
/// other files are listed here.
#[test]
fn golden_files_all_have_a_test() {
    let families = ["op_", "gru_cell_", "gru_bptt_", "optim_", "clip_grad_norm_"];
    let mut others: Vec<_> = golden::list_stems()
        .into_iter()
        .filter(|name| !families.iter().any(|family| name.starts_with(family)))
        .collect();
    others.sort();
    let here = ["a2c_chain", "a2c_update_batch_mean_h0", "a2c_update_per_example_h0"];
    // Used by the command's statistics, by `tutorial_env.rs`, and by `tutorial::results`, which counts 40 runs.
    let elsewhere = ["rliable", "tutorial_env", "tutorial_finals"];
    assert_eq!(others, [&here[..], &elsewhere].concat());
}
