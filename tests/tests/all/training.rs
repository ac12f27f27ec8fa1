//! Tests of training at a small size: it learns, stops by its rule, and reports numbers that are not finite.

use rl::a2c::Update;
use rl::config::{Config, Curriculum};
use rl::evaluate::TestResult;
use rl::tasks::CalculatorStages;
use rl::tasks::calculator_stages::{ActionSet, Rewards};
use rl::train::{Run, StopReason};
use rl::{Cause, NotFinite, TrainError};
use tensor::Tensor;

fn small() -> Config {
    // A third of the default batch finds a third of the successes per update, so exploration lasts three times as long.
    Config {
        width: 32,
        batch: 64,
        entropy_updates: 300,
        test_episodes: 500,
        validation_episodes: 200,
        ..Config::default()
    }
}

fn start_run(config: &Config, seed: u64) -> Run<f32, CalculatorStages> {
    Run::new(config.calculator_stages(), config, seed)
}

fn run_to_the_end(config: &Config, seed: u64) -> Run<f32, CalculatorStages> {
    let mut run = start_run(config, seed);
    while run.stop_reason().is_none() {
        run.advance().expect("finite");
    }
    run
}

#[test]
fn training_small_run_solves_all_three_stages() {
    let run = run_to_the_end(&Config { max_updates: 600, ..small() }, 0);
    assert_eq!(run.stop_reason(), Some(StopReason::Solved));
    let test = run.test().expect("finite");
    for (TestResult { greedy: figures, .. }, shortest) in test.iter().zip([3.0, 4.0, 7.0]) {
        assert_eq!(figures.exact, 1.0, "stage {}", figures.stage);
        assert!(figures.steps >= shortest, "stage {}: no program is shorter than the solver's", figures.stage);
    }
    assert!(test.iter().all(|test| test.shuffled.exact == 1.0), "the task does not need its context");
}

/// The rule requires a number of perfect validations in a row, and the end of the entropy schedule.
#[test]
fn run_end_follows_the_stop_rule() {
    let mut run = start_run(&Config { entropy_updates: 10, patience: 2, max_updates: 12, ..small() }, 0);
    run.perfect = 2;
    run.updates = 9;
    assert_eq!(run.stop_reason(), None);
    run.updates = 10;
    assert_eq!(run.stop_reason(), Some(StopReason::Solved));
    run.perfect = 1;
    assert_eq!(run.stop_reason(), None);
    run.updates = 12;
    assert_eq!(run.stop_reason(), Some(StopReason::OutOfUpdates));
    (run.perfect, run.updates, run.config.a2c) = (2, 3, 0.0);
    assert_eq!(run.stop_reason(), Some(StopReason::Solved), "without A2C there is no schedule");
}

#[test]
fn curriculum_each_kind_trains_the_expected_stages() {
    for (curriculum, want) in [
        (Curriculum::Switch, [64, 0, 0]),
        (Curriculum::Gate, [64, 0, 0]),
        (Curriculum::Mix, [11, 11, 42]),
        (Curriculum::Adapt, [22, 21, 21]),
    ] {
        let mut run = start_run(&Config { curriculum, ..small() }, 0);
        let stages = run.advance().expect("finite").metrics.stages;
        assert_eq!(stages.iter().map(|&(episodes, _)| episodes).collect::<Vec<_>>(), want, "{curriculum:?}");
    }
}

fn not_finite(error: TrainError) -> NotFinite {
    match error {
        TrainError::NotFinite(error) => error,
        error => panic!("{error}"),
    }
}

#[test]
fn run_not_finite_parameter_stops_and_is_named() {
    let mut run = start_run(&small(), 0);
    run.advance().expect("finite");
    let params = &mut run.learner.params;
    let bias = params.find("rnn.bias_hh").expect("a parameter");
    let mut value = params.get(bias);
    value.view_mut().set(&[5], f32::NAN);
    params.set(bias, &value);
    let before = params.flat().to_vec();
    let error = not_finite(run.advance().expect_err("NaN"));
    assert_eq!((error.update, &*error.parameter, error.cause), (2, "rnn.bias_hh", Cause::Value));
    let message =
        "update 2: the loss or its gradient is no longer a finite number; first in the value of parameter rnn.bias_hh";
    assert!(error.to_string().starts_with(message), "{error}");
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
    assert!(run.learner.params.flat().to_vec().iter().zip(&before).all(same), "no step was taken");
}

/// An overflowing gradient is reported as well. The parameters are unchanged.
#[test]
fn run_overflowing_gradient_stops_and_is_named() {
    let mut run = start_run(&Config { reward_correct: 1e30, reward_milestone: 1e30, ..small() }, 0);
    let error = not_finite(run.advance().expect_err("overflow"));
    assert_eq!((error.update, error.cause), (1, Cause::Largest), "{error}");
    assert!(run.learner.params.find(&error.parameter).is_some(), "{error}");
    assert!(run.learner.params.first_not_finite().is_none());
}

#[test]
fn update_frozen_parameter_stays() {
    let mut run = start_run(&small(), 0);
    let params = &mut run.learner.params;
    let table = params.find("emb.weight").expect("a parameter");
    params.set_trainable(table, false);
    let before: Tensor<f32> = params.get(table);
    run.advance().expect("finite");
    assert_eq!(run.learner.params.get(table).to_vec(), before.to_vec());
}

/// A learner can change its task: it plays the episodes of the task that it gets.
#[test]
fn update_plays_the_given_task() {
    let mut run = start_run(&small(), 0);
    let update = Update { counts: vec![8, 0, 0], rate: 0.0, ..Update::default() };
    let costly = CalculatorStages::new(ActionSet::Tools, Rewards { step: -100.0, ..Rewards::default() });
    let cheap = run.learner.update(&run.task, &update).expect("finite").reward;
    let dear = run.learner.update(&costly, &update).expect("finite").reward;
    assert!(cheap > -1.0 && dear < -100.0, "{cheap} {dear}");
}

#[test]
#[should_panic(expected = "update: no stage has an episode: [0, 0, 0]")]
fn update_without_episodes_panics() {
    let mut run = start_run(&small(), 0);
    run.learner.update(&run.task, &Update { counts: vec![0, 0, 0], ..Update::default() }).ok();
}
