//! Training at a small size: it learns, it stops by its rule, and it says so when numbers run away.

use rl::Cause;
use rl::a2c::Update;
use rl::config::{Config, Curriculum};
use rl::evaluate::Test;
use rl::tasks::Calculator;
use rl::tasks::calculator::{ActionSet, Rewards};
use rl::train::{End, Run};
use tensor::Tensor;

fn small() -> Config {
    // A third of the default batch sees a third of the luck in an update: exploration lasts three times as long.
    Config {
        width: 32,
        batch: 64,
        entropy_updates: 300,
        test_episodes: 500,
        validation_episodes: 200,
        ..Config::default()
    }
}

fn to_the_end(config: &Config, seed: u64) -> Run<f32> {
    let mut run = Run::new(config, seed);
    while run.end().is_none() {
        run.advance().expect("finite");
    }
    run
}

#[test]
fn all_three_stages_are_solved() {
    let run = to_the_end(&Config { max_updates: 600, ..small() }, 0);
    assert_eq!(run.end(), Some(End::Solved));
    let test = run.test().expect("finite");
    for (Test { greedy: figures, .. }, shortest) in test.iter().zip([3.0, 4.0, 7.0]) {
        assert_eq!(figures.exact, 1.0, "stage {}", figures.stage);
        assert!(figures.steps >= shortest, "stage {}: no program is shorter than the solver's", figures.stage);
    }
    assert!(test.iter().all(|test| test.shuffled.exact == 1.0), "the task needs no context");
}

/// The rule needs validations in a row, and the end of the entropy's schedule.
#[test]
fn a_run_ends_when_its_rule_says_so() {
    let mut run = Run::<f32>::new(&Config { entropy_updates: 10, patience: 2, max_updates: 12, ..small() }, 0);
    run.perfect = 2;
    run.updates = 9;
    assert_eq!(run.end(), None);
    run.updates = 10;
    assert_eq!(run.end(), Some(End::Solved));
    run.perfect = 1;
    assert_eq!(run.end(), None);
    run.updates = 12;
    assert_eq!(run.end(), Some(End::OutOfUpdates));
}

#[test]
fn every_curriculum_trains_what_it_says() {
    for (curriculum, want) in [
        (Curriculum::Switch, [64, 0, 0]),
        (Curriculum::Gate, [64, 0, 0]),
        (Curriculum::Mix, [11, 11, 42]),
        (Curriculum::Adapt, [22, 21, 21]),
    ] {
        let mut run = Run::<f32>::new(&Config { curriculum, ..small() }, 0);
        let stages = run.advance().expect("finite").metrics.stages;
        assert_eq!(stages.iter().map(|&(episodes, _)| episodes).collect::<Vec<_>>(), want, "{curriculum:?}");
    }
}

#[test]
fn what_is_not_finite_stops_the_run_and_is_named() {
    let mut run = Run::<f32>::new(&small(), 0);
    run.advance().expect("finite");
    let params = &mut run.learner.params;
    let bias = params.find("rnn.bias_hh").expect("a parameter");
    let mut value = params.get(bias);
    value.view_mut().set(&[5], f32::NAN);
    params.set(bias, &value);
    let before = params.flat().to_vec();
    let error = run.advance().expect_err("NaN");
    assert_eq!((error.update, &*error.parameter, error.cause), (2, "rnn.bias_hh", Cause::Value));
    let message =
        "update 2: the loss or its gradient is no longer a finite number; first in the value of parameter rnn.bias_hh";
    assert!(error.to_string().starts_with(message), "{error}");
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
    assert!(run.learner.params.flat().to_vec().iter().zip(&before).all(same), "no step was taken");
}

/// A gradient that overflows is caught as well, with the parameters still as they were.
#[test]
fn a_gradient_that_overflows_is_named() {
    let mut run = Run::<f32>::new(&Config { reward_correct: 1e30, reward_milestone: 1e30, ..small() }, 0);
    let error = run.advance().expect_err("overflow");
    assert_eq!((error.update, error.cause), (1, Cause::Largest), "{error}");
    assert!(run.learner.params.find(&error.parameter).is_some(), "{error}");
    assert!(run.learner.params.first_not_finite().is_none());
}

#[test]
fn frozen_parameters_stay() {
    let mut run = Run::<f32>::new(&small(), 0);
    let params = &mut run.learner.params;
    let table = params.find("emb.weight").expect("a parameter");
    params.set_trainable(table, false);
    let before: Tensor<f32> = params.get(table);
    run.advance().expect("finite");
    assert_eq!(run.learner.params.get(table).to_vec(), before.to_vec());
}

/// One learner may go from task to task: the episodes are those of the task that it is given.
#[test]
fn an_update_plays_the_task_that_it_is_given() {
    let mut run = Run::<f32>::new(&small(), 0);
    let update = Update { counts: vec![8, 0, 0], rate: 0.0, ..Update::default() };
    let costly = Calculator::new(ActionSet::Tools, Rewards { step: -100.0, ..Rewards::default() });
    let cheap = run.learner.update(&run.task, &update).expect("finite").reward;
    let dear = run.learner.update(&costly, &update).expect("finite").reward;
    assert!(cheap > -1.0 && dear < -100.0, "{cheap} {dear}");
}

#[test]
#[should_panic(expected = "update: no stage has an episode: [0, 0, 0]")]
fn an_update_needs_episodes() {
    let mut run = Run::<f32>::new(&small(), 0);
    run.learner.update(&run.task, &Update { counts: vec![0, 0, 0], ..Update::default() }).ok();
}
