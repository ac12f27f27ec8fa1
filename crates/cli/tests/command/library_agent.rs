//! A program that uses the library loads the checkpoint of `train`.

use rl::agent::Agent;
use rl::config::{Actions, Config, GruVariant};
use rl::env::Task;
use rl::train::Run;

use crate::sandbox::{Sandbox, small_training};

#[test]
fn train_checkpoint_equals_the_agent_trained_by_the_library() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&[
        "--out",
        "run",
        "--seed",
        "3",
        "--actions",
        "tokens",
        "--gru",
        "reset-before",
    ]));
    let loaded = Agent::<f32>::load(sandbox.path("run/model.safetensors")).expect("an agent");

    let (actions, gru) = (Actions::Tokens, GruVariant::ResetBefore);
    let config = Config { width: 16, batch: 32, chunk: 8, max_updates: 3, actions, gru, ..Config::default() };
    let mut run = Run::<f32, _>::new(config.calculator_stages(), &config, 3);
    (0..3).for_each(|_| drop(run.advance().expect("finite numbers")));
    let trained = Agent::new(run.task.spec(), run.learner.model, run.learner.params);

    let context = [4, 2, 7, 3, 1, rl::tasks::token::CTX];
    let decide = |agent: &Agent| {
        let mut episode = agent.begin(2);
        episode.observe(&context);
        episode.probabilities()
    };
    assert_eq!(decide(&loaded), decide(&trained));
    assert_eq!(loaded.spec(), trained.spec());
}
