//! Training on known problems, with the settings files in `record/known`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{AssertContains, Sandbox, assert_same_files, assert_self_contained};

/// Settings of a very short run on `cartpole`.
const SMALL: &str = "\
task = \"cartpole\"
width = 8
encoder_layers = 2
memory = \"none\"
batch = 4
segment = 8
normalize_observations = true
normalize_rewards = true
validate_every = 2
validation_episodes = 4
max_updates = 6
test_episodes = 5
";

/// Returns the settings files in the repository.
fn recorded_settings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../record/known");
    let files = fs::read_dir(folder).expect("record/known").map(|entry| entry.expect("readable").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

#[test]
fn recorded_settings_are_valid_and_name_their_task() {
    let files = recorded_settings();
    assert!(!files.is_empty());
    for path in files {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.contains("\ntask = \"") || text.starts_with("task = \""), "{} names no task", path.display());
        let verdict = Sandbox::new().expect_success(&["config", "--check", &path.to_string_lossy()]);
        verdict.assert_contains(&["valid: task "]);
    }
}

#[test]
fn known_task_has_every_command() {
    let sandbox = Sandbox::new();
    sandbox.write("small.toml", SMALL);
    let train = ["train", "--config", "small.toml", "--out"];
    sandbox.expect_success(&[&train[..], &["whole"]].concat()).assert_contains(&["mean reward"]);
    sandbox.expect_success(&[&train[..], &["parts", "--stop-after", "3"]].concat());
    sandbox.expect_success(&["train", "--resume", "parts"]);
    assert_same_files(&sandbox, "whole", "parts");
    sandbox
        .expect_success(&[&train[..], &["seeds", "--seeds", "0..1"]].concat())
        .assert_contains(&["cartpole, default"]);

    sandbox.expect_success(&["eval", "whole", "--episodes", "3"]).assert_contains(&["mean reward"]);
    sandbox.expect_success(&["explain", "whole"]).assert_contains(&["cartpole, stage 0, test episode 0", "LEFT"]);
    sandbox.expect_success(&["watch", "whole", "--once"]).assert_contains(&["cartpole  seed 0  update 6/6"]);
    sandbox.expect_success(&["report", "whole", "seeds"]).assert_contains(&["mean reward"]);
    for page in ["whole/report.html", "seeds/report.html", "compare.html"] {
        let text = sandbox.text(page);
        assert_self_contained(&text);
        assert!(!text.split("<h2>Settings").next().expect("a part").contains("xact match"), "{page}");
    }
}

#[test]
fn tasks_lists_known_problems_and_describes_one() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&["tasks"]).assert_contains(&["| calculator", "| cartpole", "4 numbers", "2 choices"]);
    let one = sandbox.expect_success(&["tasks", "--task", "cartpole"]);
    one.assert_contains(&["vectors of 4 numbers", "LEFT, RIGHT", "horizon       500 steps"]);
    assert!(!one.contains("calculator-stages"), "{one}");
    sandbox.expect_refusal(&["tasks", "--stage", "0"], &["--task <NAME>"]);
}

#[test]
fn config_file_of_another_task_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("small.toml", SMALL);
    let train = |task| ["train", "--config", "small.toml", "--task", task, "--out", "run"];
    sandbox.expect_refusal(
        &train("calculator-stages"),
        &[
            "small.toml, line 1, column 8: these are settings of the task cartpole, but --task is calculator",
            "leave out --task to train cartpole",
            "gradus config --task calculator-stages",
        ],
    );
    sandbox.expect_refusal(&train("cartpoles"), &["--task: there is no task cartpoles", "did you mean cartpole?"]);
    sandbox.expect_success(&train("cartpole"));
    sandbox.write("small.toml", SMALL.replace("cartpole", "cartpoles"));
    sandbox.expect_refusal(
        &["train", "--config", "small.toml", "--task", "cartpole", "--out", "new"],
        &["small.toml, line 1, column 8: there is no task cartpoles", "did you mean cartpole?"],
    );
}

/// A file without a task has settings for the task of `--task`, or for the default.
#[test]
fn config_file_without_task_takes_the_flag_or_the_default() {
    let sandbox = Sandbox::new();
    sandbox.write("small.toml", SMALL.replace("task = \"cartpole\"\n", ""));
    let train = ["train", "--config", "small.toml", "--out", "run"];
    let messages = ["memory = none cannot tell the 3 stages of expression apart"];
    sandbox.expect_refusal(&train, &messages);
    sandbox.expect_success(&[&train[..], &["--task", "cartpole"]].concat()).assert_contains(&["mean reward"]);
}
