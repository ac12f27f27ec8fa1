//! The task `calculator`: what its test shows, its explanations, and what it refuses.

use crate::sandbox::{AssertContains, Sandbox};

const TRAIN: [&str; 9] = ["train", "--task", "calculator", "--width", "8", "--max-updates", "2", "--out", "run"];

#[test]
fn calculator_test_has_the_optimum_and_another_goal() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&TRAIN).assert_contains(&["| optimum |", "another goal shown", "hindsight alone"]);
    let stages = &sandbox.json("run/test.json")["stages"];
    let optimum: Vec<_> = (0..3).map(|stage| stages[stage]["optimum"].as_f64()).collect();
    assert_eq!(optimum, [3.0, 4.0, 7.0].map(Some));
    assert_eq!((&stages[5]["set"], &stages[5]["predicted"]), (&"another goal shown".into(), &0.0.into()));
    assert!(stages[0]["contexts"].is_null(), "its episodes are drawn");
}

#[test]
fn explain_calculator_shows_the_goal_in_its_context() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&TRAIN);
    let text = sandbox.expect_success(&["explain", "run", "--context", "4,2,7,5"]);
    text.assert_contains(&["goal     (a·b+c)−d = 10", "context  4 2 7 5 ( a · b + c ) − d CTX"]);
}

#[test]
fn calculator_bad_input_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&TRAIN);
    let stages = TRAIN.join(" ").replace("calculator", "calculator-stages").replace("run", "stages");
    sandbox.expect_success(&stages.split(' ').collect::<Vec<_>>());
    for (args, message) in [
        (&["explain", "run", "--context", "4,2"][..], "--context"),
        (
            &["train", "--task", "calculator", "--init", "stages/model.safetensors"],
            "its task is calculator-stages, expected calculator",
        ),
        (&["train", "--task", "calculator", "--device", "cuda"], "the task calculator-stages, not calculator"),
        (
            &["train", "--task", "calculator", "--reward-milestone", "1"],
            "but the task is calculator; the calculator of earlier versions is calculator-stages",
        ),
    ] {
        sandbox.expect_refusal(args, &[message]);
    }
}
