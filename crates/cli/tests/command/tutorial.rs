//! Output and files of `tutorial`.

use crate::sandbox::{AssertContains, SMALL_TUTORIAL, Sandbox, concat_args};

const CAVEAT: &str = "rewards follow a target that is off by one";

#[test]
fn tutorial_one_run_prints_a_line_per_evaluation_and_a_table() {
    let out = Sandbox::new().expect_success(&SMALL_TUTORIAL);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    let lines: Vec<_> = out.lines().filter(|line| line.starts_with("update ")).collect();
    assert!(lines.len() == 2 && lines[0].starts_with("update    5/6  stage 1  "), "{out}");
    out.assert_contains(&[
        "'accuracy'",
        "exact match",
        "shuffled contexts",
        "most frequent program",
        "(a·b+c)−(d·e)",
        CAVEAT,
    ]);
}

#[test]
fn tutorial_several_runs_with_other_settings_are_counted_but_not_compared() {
    let sandbox = Sandbox::new();
    let out = sandbox.expect_success(&concat_args(&SMALL_TUTORIAL, &["--seeds=0..1", "--threads=2", "--out=two.json"]));
    out.assert_contains(&["0 of 2 runs end", "'accuracy' 0", "exact 0", "seed 1: update ", "median", "range", CAVEAT]);
    assert!(!out.contains("Fisher"), "{out}");
    let json = sandbox.json("two.json");
    assert_eq!((&json["above_one"], &json["of"], &json["p"]), (&0.into(), &2.into(), &serde_json::Value::Null));
    assert_eq!((&json["runs"][1]["seed"], &json["settings"]["width"]), (&1.into(), &"8".into()));
    sandbox.expect_success(&concat_args(&SMALL_TUTORIAL, &["--seed=1", "--threads=1", "--out=one.json"]));
    assert_eq!(sandbox.json("one.json")["runs"][0], json["runs"][1]);
}

#[test]
fn tutorial_invalid_arguments_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("mine", "mine");
    sandbox.expect_refusal(
        &concat_args(&SMALL_TUTORIAL, &["--out", "mine"]),
        &["mine already exists", "name another file"],
    );
    sandbox.expect_refusal(
        &concat_args(&SMALL_TUTORIAL, &["--out", "no/file"]),
        &["cannot write no/file", "name another file"],
    );
    sandbox.expect_refusal(
        &["tutorial", "--rate=-1"],
        &["'-1' for '--rate <VALUE>': it is out of range", "numbers above 0"],
    );
    sandbox.expect_refusal(&["tutorial", "--clip=1e-50"], &["'1e-50' for '--clip <VALUE>': it becomes 0.0 in f32"]);
    let result = sandbox.run_gradus(&concat_args(&SMALL_TUTORIAL, &["--rate", "1e30"]));
    assert!(result.code == 1 && result.err.starts_with("error: seed 0: update 2: "), "{result:?}");
}
