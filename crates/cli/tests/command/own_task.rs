//! The example `own_task`: every command with a task of a program's own. `cargo test` builds the example.

use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::{AssertContains, CommandResult, Sandbox, assert_same_files, assert_self_contained, concat_args};

const SMALL: [&str; 8] = [
    "train",
    "--width=8",
    "--batch=16",
    "--max-updates=4",
    "--validate-every=2",
    "--validation-episodes=8",
    "--test-episodes=10",
    "--chunk=8",
];

/// Returns the path of the example, beside the folder of this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("a folder");
    let path = folder.join("examples").join(format!("own_task{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing; build it with: cargo build -p gradus --example own_task", path.display());
    path
}

fn run(sandbox: &Sandbox, args: &[&str]) -> CommandResult {
    CommandResult::from_output(sandbox.command(program(), args).output().expect("the program starts"))
}

#[track_caller]
fn expect_success(sandbox: &Sandbox, args: &[&str]) -> String {
    let CommandResult { code, out, err } = run(sandbox, args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}: {out}");
    out
}

#[track_caller]
fn expect_refusal(sandbox: &Sandbox, args: &[&str], parts: &[&str]) {
    let before = sandbox.files();
    let CommandResult { code, out, err } = run(sandbox, args);
    assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
    err.assert_contains(parts);
    assert!(sandbox.files() == before, "{args:?} has changed files");
}

#[test]
fn own_task_has_every_command() {
    let sandbox = Sandbox::new();
    let out = expect_success(&sandbox, &concat_args(&SMALL, &["--out", "run"]));
    out.assert_contains(&["update    4/4  reward -", "mean reward", "The cart has no friction"]);
    expect_success(&sandbox, &concat_args(&SMALL, &["--out", "parts", "--stop-after", "1"]))
        .assert_contains(&["resume with: own_task train --resume parts"]);
    expect_success(&sandbox, &["train", "--resume", "parts"]);
    assert_same_files(&sandbox, "run", "parts");

    let config = sandbox.text("run/config.toml");
    config.assert_contains(&["task = \"parking\"", "width = 8"]);
    assert!(!config.contains("actions") && !config.contains("reward_"), "{config}");
    expect_success(&sandbox, &["train", "--config", "run/config.toml", "--out", "again"]);
    assert_same_files(&sandbox, "run", "again");

    let seeds = expect_success(&sandbox, &concat_args(&SMALL, &["--seeds", "0..2", "--out", "seeds"]));
    seeds.assert_contains(&[
        "parking, default settings except width = 8",
        "reward 0",
        "interquartile mean",
        "| median",
    ]);
    assert!(!seeds.contains("perfect") && !seeds.contains("shuffled |") && !seeds.contains("share at"), "{seeds}");
    assert!(sandbox.json("seeds/table.json")["mean_reward"]["all"]["iqm"]["estimate"].is_number());

    let eval: Value = serde_json::from_str(&expect_success(&sandbox, &["eval", "run", "--json"])).expect("JSON");
    assert_eq!(eval["stages"], sandbox.json("run/test.json")["stages"]);
    expect_success(&sandbox, &["explain", "run"]).assert_contains(&["parking, stage 0, test episode 0", "observed "]);
    expect_success(&sandbox, &["explain", "run", "--episode", "3", "--sampled", "--html"]);
    expect_success(&sandbox, &["watch", "run", "--once"]).assert_contains(&["parking  seed 0  update 4/4", "reward 0"]);
    expect_success(&sandbox, &["watch", "seeds"]).assert_contains(&["reward 0"]);
    expect_success(&sandbox, &["report", "run"]).assert_contains(&["mean reward"]);
    expect_success(&sandbox, &["report", "run", "seeds"]).assert_contains(&["mean reward", "in training"]);
    for page in ["run/report.html", "run/explain.html", "seeds/report.html", "compare.html"] {
        let text = sandbox.text(page);
        assert_self_contained(&text);
        text.assert_contains(&["The cart has no friction"]);
        let text = text.split("<h2>Settings").next().expect("a part"); // a setting's meaning names the exact match
        assert!(!text.contains("xact match") && !text.contains("a·b"), "{page}: {text}");
    }
    expect_success(&sandbox, &["tasks"]).assert_contains(&["| parking", "| calculator", "| cartpole"]);
    expect_success(&sandbox, &["tasks", "--task", "parking"]).assert_contains(&[
        "vectors of 2 numbers",
        "LEFT, COAST, RIGHT",
        "The cart has no friction",
    ]);
    let help = expect_success(&sandbox, &["train", "--help"]);
    help.assert_contains(&["\n  own_task train --resume eight\n", "`own_task devices`"]);
    assert!(!help.contains("  gradus train"), "{help}");
    let shown = expect_success(&sandbox, &["config"]);
    shown.assert_contains(&["task = \"parking\""]);
    sandbox.write("run.toml", shown);
    expect_success(&sandbox, &["config", "--check", "run.toml"]).assert_contains(&["valid: task parking"]);
}

#[test]
fn own_task_program_trains_calculator_too() {
    let sandbox = Sandbox::new();
    let calculator = concat_args(&SMALL, &["--task", "calculator-stages", "--actions", "tokens", "--out", "run"]);
    expect_success(&sandbox, &calculator).assert_contains(&["exact match"]);
    sandbox.expect_success(&["eval", "run", "--episodes", "2"]);
    expect_success(&sandbox, &["explain", "run", "--context", "4,2,7"]).assert_contains(&["goal     a·b+c = 15"]);
    expect_success(&sandbox, &concat_args(&SMALL, &["--out", "own"]));
    expect_refusal(
        &sandbox,
        &["report", "run", "own"],
        &["own holds runs of the task parking, but run those of calculator-stages; compare folders of one task"],
    );
}

#[test]
fn own_task_bad_input_is_refused() {
    let sandbox = Sandbox::new();
    let train = |more: &[&'static str]| concat_args(&["train", "--out=run"], more);
    let actions = ["--actions: actions is a setting of the task calculator-stages, but the task is parking"];
    expect_refusal(&sandbox, &train(&["--actions", "tokens"]), &actions);
    expect_refusal(
        &sandbox,
        &train(&["--reward-step", "1"]),
        &["--reward-step: reward_step is a setting of the tasks"],
    );
    expect_refusal(&sandbox, &train(&["--task", "park"]), &["there is no task park", "did you mean parking?"]);
    expect_refusal(&sandbox, &train(&["--imitate", "3"]), &["imitate = 3, but episodes of parking are never solved"]);
    expect_refusal(
        &sandbox,
        &train(&["--device", "cuda"]),
        &["a GPU trains only the task calculator-stages, not parking"],
    );
    for (text, message) in [
        ("actions = \"tokens\"\n", "run.toml, line 1, column 1: actions is a setting of the task calculator-stages"),
        ("task = \"calculator-stages\"\nnormalize_observations = true\n", "calculator-stages observes tokens"),
        (
            "task = \"other\"\n",
            "there is no task other; `own_task tasks` lists the tasks; a task of your own needs the program that has it",
        ),
    ] {
        sandbox.write("run.toml", text);
        expect_refusal(&sandbox, &["train", "--config", "run.toml", "--out", "run"], &[message]);
        expect_refusal(&sandbox, &["config", "--check", "run.toml"], &[message]);
    }
    expect_success(&sandbox, &concat_args(&SMALL, &["--out", "run"]));
    expect_refusal(
        &sandbox,
        &["explain", "run", "--context", "4,2,7"],
        &["do not start on given operands", "--episode"],
    );
    expect_refusal(&sandbox, &["eval", "run", "--stage", "1"], &["'1' for '--stage <N>'", "from 0 to 0"]);
    sandbox.expect_refusal(&["eval", "run"], &["there is no task parking; "]);
    sandbox
        .expect_refusal(&["train", "--resume", "run"], &["there is no task parking", "needs the program that has it"]);
    let edited = sandbox.text("run/config.toml").replace("task = \"parking\"", "task = \"calculator-stages\"");
    sandbox.write("run/config.toml", edited);
    let missing = ["run/config.toml: the setting actions is missing"];
    expect_refusal(&sandbox, &["train", "--resume", "run"], &missing);
    expect_refusal(
        &sandbox,
        &["eval", "run"],
        &["its task is parking, expected calculator-stages; use another checkpoint"],
    );
}
