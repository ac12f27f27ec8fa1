//! Output of `eval` and `tasks`.

use crate::sandbox::{AssertContains, Sandbox, small_training};
use serde_json::Value;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn eval_repeats_the_test_of_the_training_run() {
    let sandbox = Sandbox::new();
    let trained = sandbox.expect_success(&small_training(&["--out", "run"]));
    let json = parse(&sandbox.expect_success(&["eval", "run", "--json"]));
    let test = sandbox.json("run/test.json");
    assert_eq!((&json["stages"], &json["caveat"]), (&test["stages"], &test["caveat"]));
    let printed = sandbox.expect_success(&["eval", "run"]);
    let table = |text: &str| text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n");
    assert_eq!(table(&printed), table(&trained));
}

#[test]
fn eval_plays_the_requested_stage_episodes_and_seed() {
    let sandbox = Sandbox::with_trained_run();
    let json =
        parse(&sandbox.expect_success(&["eval", "run", "--json", "--stage", "1", "--episodes", "30", "--seed", "9"]));
    let stages = json["stages"].as_array().expect("a list");
    assert_eq!((stages.len(), &stages[0]["stage"], &stages[0]["episodes"]), (1, &1.into(), &30.into()));
    assert_eq!(json["seed"], 9);
}

#[test]
fn tasks_prints_states_optimum_and_programs() {
    let out = Sandbox::new().expect_success(&["tasks", "--task", "calculator-stages"]);
    out.assert_contains(&["MUL ADD STO MUL RCL SUB ANS, MUL ADD STO RCL MUL SUB ANS", "no context"]);
    let json = parse(&Sandbox::new().expect_success(&["tasks", "--task", "calculator-stages", "--json"]));
    let figure = |name: &str| [0, 1, 2].map(|stage| json[0]["stages"][stage][name].as_u64().expect("a number"));
    assert_eq!((figure("states"), figure("optimum")), ([13, 51, 206], [3, 4, 7]));
    let json =
        parse(&Sandbox::new().expect_success(&["tasks", "--task", "calculator-stages", "--stage", "2", "--json"]));
    assert_eq!(json[0]["stages"][0]["stage"], 2);
}
