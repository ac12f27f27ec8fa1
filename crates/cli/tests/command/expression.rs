//! The task `expression` with hindsight: its files, its tests, its explanations, and what it refuses.

use serde_json::Value;

use crate::sandbox::{Sandbox, assert_same_files, concat_args};

/// A run of a few small updates.
const TRAIN: &str =
    "train --task expression --width 8 --batch 24 --hindsight 6 --chunk 8 --max-updates 6 --validate-every 3";

fn train(more: &[&str]) -> Vec<&'static str> {
    let own: Vec<&'static str> = more.iter().map(|arg| &*(*arg).to_owned().leak()).collect();
    TRAIN.split(' ').chain(own).collect()
}

#[test]
fn expression_resumed_at_any_update_and_thread_count_gives_the_same_files() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&train(&["--out", "whole", "--threads", "2"]));
    sandbox.expect_success(&train(&["--out", "parts", "--threads", "1", "--stop-after", "2"]));
    sandbox.expect_success(&["train", "--resume", "parts", "--threads", "3", "--stop-after", "3"]);
    sandbox.expect_success(&["train", "--resume", "parts", "--threads", "1"]);
    assert_same_files(&sandbox, "whole", "parts");
}

/// The test plays every context once: those of training, those that are held out, and those of a machine without registers.
#[test]
fn expression_test_has_every_context_and_every_set() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&train(&["--out", "run"]));
    let test = sandbox.json("run/test.json");
    let stages: Vec<_> = test["stages"].as_array().expect("a list").iter().collect();
    let of = |set: &str| -> Vec<(u64, u64)> {
        let own = stages.iter().filter(|test| test["set"].as_str().unwrap_or("") == set);
        own.map(|test| (test["stage"].as_u64().expect("a stage"), test["episodes"].as_u64().expect("a count")))
            .collect()
    };
    assert_eq!(of(""), [(0, 36), (1, 336), (2, 2592)]);
    assert_eq!(of("held out"), [(1, 96), (2, 648)]);
    assert_eq!(of("no registers"), [(0, 36), (1, 336), (2, 2592)]);
    let predicted: Vec<_> = stages.iter().filter_map(|test| test["predicted"].as_f64()).collect();
    assert!(predicted[..2] == [1.0, 1.0] && predicted[2] > 0.7 && predicted[2] < 0.85, "{predicted:?}");
    let again: Value = serde_json::from_str(&sandbox.expect_success(&["eval", "run", "--json"])).expect("JSON");
    assert_eq!(again["stages"], test["stages"]);
    assert!(sandbox.expect_success(&["eval", "run"]).starts_with("every context of each stage, seed 0\n"));
    let few: Value =
        serde_json::from_str(&sandbox.expect_success(&["eval", "run", "--episodes", "5", "--json"])).expect("JSON");
    assert_eq!(few["stages"][2]["episodes"], 5);
}

/// A page of a run without A2C has no curves that are 0 throughout. Several seeds have a column for each test set.
#[test]
fn report_of_hindsight_shows_its_loss_its_kinds_and_every_set() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&train(&["--out", "run"]));
    let page = sandbox.text("run/report.html");
    for part in ["Hindsight loss", "Kinds of stage 2", "held out", "each context of training once", "on every context"]
    {
        assert!(page.contains(part), "{part:?} is missing");
    }
    assert!(!page.contains("Value loss") && !page.contains("Policy loss"));
    let kinds = |line: Value| line["kinds"].as_array().map(Vec::len);
    let lines: Vec<Value> =
        sandbox.text("run/metrics.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = lines.iter().filter_map(|line| line["kinds"].as_array()).next_back().expect("an update").clone();
    assert_eq!(lines.into_iter().filter_map(kinds).collect::<Vec<_>>(), [3; 6]);
    let test = sandbox.json("run/test.json");
    let listed = test["kinds"].as_array().expect("a list");
    for (stage, count) in last.iter().enumerate() {
        let of_stage: Vec<_> = listed.iter().filter(|kind| kind["stage"] == stage).collect();
        assert_eq!(*count, of_stage.len() as u64);
        for kind in of_stage {
            let [problem, program] = ["problem", "program"].map(|key| kind[key].as_str().expect("a text"));
            assert!(problem.ends_with(" GO") && program.ends_with(" ANS") && page.contains(program), "{kind}");
            assert!(kind["distinct"].as_u64() <= kind["programs"].as_u64(), "{kind}");
        }
    }
    assert!(!listed.is_empty());
    let table = sandbox.expect_success(&train(&["--seeds", "0..1", "--out", "seeds"]));
    assert!(table.contains(" held out |") && table.contains(" no registers |"), "{table}");
    assert!(sandbox.text("seeds/report.html").contains("Programs of hindsight"));
}

#[test]
fn explain_expression_shows_its_tree_and_where_attention_looks() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&train(&["--out", "run"]));
    let text = sandbox.expect_success(&["explain", "run", "--context", "(a+b)*(c-d)"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for part in ["goal     (a+b)·(c−d)\ntree     ·\n         ├─ +\n", "looks at ", "arg, r0 empty"] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    let json = sandbox.expect_success(&["explain", "run", "--context", "(a+b)*(c-d)", "--json"]);
    let episode = &serde_json::from_str::<Value>(&json).expect("JSON")["episode"];
    assert_eq!(episode["context"].as_array().map(Vec::len), Some(14));
    for step in episode["steps"].as_array().expect("a list") {
        let weights: Vec<f64> =
            step["attention"].as_array().expect("weights").iter().filter_map(Value::as_f64).collect();
        assert!(weights.len() == 14 && (weights.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{weights:?}");
    }
    sandbox.expect_success(&["explain", "run", "--context", "(a+b)*(c-d)", "--html"]);
    let page = sandbox.text("run/explain.html");
    assert!(page.contains("Attention") && page.contains("├─ +"));
}

#[test]
fn explain_text_that_is_no_expression_is_refused_with_a_caret() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&train(&["--out", "run"]));
    for (context, messages) in [
        ("(a+b", &["--context: expected a closing parenthesis, found the end\n  (a+b\n      ^"][..]),
        ("(a+e)*b", &["there is no slot e; the slots are a to d\n  (a+e)*b\n     ^"]),
        ("a+a", &["slot a occurs twice", "\n  a+a\n    ^"]),
        ("((((a+b)+c)+d)+a)", &["slot a occurs twice"]),
        ("", &["expected a slot or an opening parenthesis, found the end"]),
        ("4,2,7", &["there is no slot 4"]),
    ] {
        sandbox.expect_refusal(&["explain", "run", "--context", context], messages);
    }
    sandbox.expect_refusal(
        &["explain", "run", "--context", "a+b", "--stage", "2"],
        &["--context is a problem of stage 0, but --stage is 2; leave out --stage"],
    );
}

#[test]
fn hindsight_and_attention_that_do_not_fit_are_refused() {
    let sandbox = Sandbox::new();
    for (args, message) in [
        (
            &["--task", "calculator-stages", "--hindsight", "4"][..],
            "hindsight = 4, but calculator-stages cannot say what an episode achieved; use hindsight = 0",
        ),
        (
            &["--task", "cartpole", "--model", "attention"],
            "memory = attention reads tokens, but cartpole observes vectors",
        ),
        (&["--task", "expression", "--segment", "4"], "memory = attention plays whole episodes, but segment = 4"),
        (
            &["--task", "expression", "--segment", "4", "--memory", "gru"],
            "hindsight = 32 relabels whole episodes, but segment = 4; use segment = 0",
        ),
        (&["--task", "expression", "--actions", "tools"], "actions is a setting of the task calculator-stages"),
    ] {
        sandbox.expect_refusal(&concat_args(&["train"], args), &[message]);
    }
}

/// A checkpoint of another task or of another network has other tensors.
#[test]
fn init_from_another_task_or_model_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_success(&train(&["--out", "attention"]));
    let refuse = |init: &str, more: &[&str], message: &str| {
        sandbox.expect_refusal(&concat_args(&train(&["--init", init, "--out", "no"]), more), &[init, message]);
    };
    refuse("run/model.safetensors", &[], "expected");
    refuse("attention/model.safetensors", &["--memory", "gru"], "attn");
}

/// Calls that fail draw from the episode's stream, so resumed runs have them, too.
#[test]
fn tools_resumed_run_gives_the_same_files_and_its_test_has_every_set() {
    let sandbox = Sandbox::new();
    let own = "train --task expression-tools --width 8 --batch 24 --hindsight 6 --chunk 8 --max-updates 4 \
               --validate-every 2 --validation-episodes 8 --test-episodes 9";
    let train = |more: &[&'static str]| own.split_whitespace().chain(more.iter().copied()).collect::<Vec<_>>();
    let failing = |more: &[&'static str]| train(&[&["--call-failures", "0.5", "--out"], more].concat());
    sandbox.expect_success(&failing(&["whole", "--threads", "2"]));
    sandbox.expect_success(&failing(&["parts", "--threads", "1", "--stop-after", "3"]));
    sandbox.expect_success(&["train", "--resume", "parts", "--threads", "3"]);
    assert_same_files(&sandbox, "whole", "parts");
    let sets = |folder: &str| -> Vec<(String, Value, Value)> {
        let test = sandbox.json(&format!("{folder}/test.json"));
        let stages = test["stages"].as_array().expect("a list").iter();
        stages
            .map(|test| {
                assert_eq!(test["episodes"], 9);
                (test["set"].as_str().unwrap_or("").to_owned(), test["optimum"].clone(), test["predicted"].clone())
            })
            .collect()
    };
    let of = |set: &str, optimum: Value, predicted: Value| (set.to_owned(), optimum, predicted);
    let names = ["", "held out", "tools lie", "tools fail"];
    let expected = names.iter().flat_map(|set| [(); 2].map(|()| of(set, Value::Null, Value::Null)));
    assert_eq!(sets("whole"), expected.collect::<Vec<_>>());
    sandbox.expect_success(&train(&["--out", "sure"]));
    let found = sets("sure");
    assert_eq!(found[..2], [of("", 5.0.into(), Value::Null), of("", 5.5.into(), Value::Null)]);
    assert_eq!(found[4], of("tools lie", 5.0.into(), 0.0.into()));
    let explained = sandbox.expect_success(&["explain", "whole", "--episode", "2"]);
    assert!(explained.contains("context  IF "), "{explained}");
}

#[test]
fn tools_settings_and_devices_that_do_not_fit_are_refused() {
    let sandbox = Sandbox::new();
    for (args, message) in [
        (
            &["--task", "expression", "--call-failures", "0.5"][..],
            "call_failures is a setting of the task expression-tools, but the task is expression",
        ),
        (&["--task", "expression-tools", "--call-failures", "1.5"], "expected numbers from 0 to 1"),
        (&["--task", "expression-tools", "--reward-step", "1"], "the tasks calculator-stages and expression"),
        (&["--task", "expression-tools", "--device", "cuda"], "expression-tools"),
    ] {
        sandbox.expect_refusal(&concat_args(&["train"], args), &[message]);
    }
}

/// The tests of longer delays play every context of training, too.
#[test]
fn memory_test_has_every_context_at_each_delay() {
    let sandbox = Sandbox::new();
    let own = "train --task expression-memory --width 8 --batch 24 --hindsight 6 --chunk 8 --max-updates 2 --validate-every 2";
    sandbox.expect_success(&own.split(' ').chain(["--out", "run"]).collect::<Vec<_>>());
    let test = sandbox.json("run/test.json");
    let sizes = |set: &str| -> Vec<u64> {
        let own =
            test["stages"].as_array().expect("a list").iter().filter(|test| test["set"].as_str().unwrap_or("") == set);
        own.map(|test| test["episodes"].as_u64().expect("a count")).collect()
    };
    for set in ["", "delay 16", "delay 32", "delay 64"] {
        assert_eq!(sizes(set), [36, 336, 2592], "{set}");
    }
    assert_eq!(sizes("held out"), [96, 648]);
    let attention = sandbox.text("run/config.toml");
    assert!(attention.contains("memory = \"gru\""), "attention could look again");
}

/// Erased states and the distribution of exploration draw from the episode's stream, so resumed runs have them, too.
#[test]
fn read_resumed_run_gives_the_same_files_and_its_test_has_every_length() {
    let sandbox = Sandbox::new();
    let own = "train --task expression-read --width 8 --batch 24 --hindsight 4 --chunk 8 --max-updates 4 --validate-every 2 \
               --validation-episodes 6 --test-episodes 3";
    let train = |more: &[&'static str]| own.split_whitespace().chain(more.iter().copied()).collect::<Vec<_>>();
    sandbox.expect_success(&train(&["--out", "whole", "--threads", "2"]));
    sandbox.expect_success(&train(&["--out", "parts", "--threads", "1", "--stop-after", "3"]));
    sandbox.expect_success(&["train", "--resume", "parts", "--threads", "3"]);
    assert_same_files(&sandbox, "whole", "parts");
    let test = sandbox.json("whole/test.json");
    let of = |set: &str, key: &str| -> Vec<Value> {
        let own =
            test["stages"].as_array().expect("a list").iter().filter(|test| test["set"].as_str().unwrap_or("") == set);
        own.map(|test| test[key].clone()).collect()
    };
    assert_eq!(of("", "optimum"), [4.0, 12.0, 20.0, 28.0, 36.0]);
    for set in ["much longer", "much longer, state erased"] {
        assert_eq!(of(set, "goal"), ["n = 15", "n = 20", "n = 30", "n = 40", "n = 50"]);
    }
    assert_eq!(of("longer, no notebook", "optimum"), of("longer", "optimum"));
    let rule = test["rule"].as_array().expect("a list");
    let row = rule.iter().find(|row| row["observation"] == "RECALL +").expect("a row");
    assert!(rule.len() == 22 && row["rule"] == "ADD" && row["probability"].as_f64() > Some(0.0), "{row}");
    assert!(sandbox.text("whole/report.html").contains("of the 22 observations it acts by the rule"));
    sandbox.expect_refusal(&train(&["--a2c", "1"]), &["forget = 0.5 acts by another policy than A2C learns from"]);
    let explained = sandbox.expect_success(&["explain", "whole", "--stage", "1"]);
    assert!(explained.contains("context  START"), "{explained}");
}
