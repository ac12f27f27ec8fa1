//! Output and files of `train`.

use crate::sandbox::{AssertContains, SMALL_TRAINING, Sandbox, small_training};
use safetensors::SafeTensors;
use serde_json::Value;

const FILES: &str = "about.json clock.json config.toml episodes.jsonl lock metrics.jsonl model.safetensors \
    report.html test.json";
const CALCULATOR: &str = "A fixed program per stage is optimal here";

#[test]
fn train_writes_a_complete_folder() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "a/new/run"]));
    assert_eq!(sandbox.names("a/new/run").join(" "), FILES);

    let metrics = sandbox.text("a/new/run/metrics.jsonl");
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let updates: Vec<_> = lines.iter().filter_map(|line| line["update"].as_u64()).collect();
    let validations: Vec<_> = lines.iter().filter_map(|line| line["validation"].as_u64()).collect();
    assert_eq!((updates, validations), (vec![1, 2, 3], vec![2, 3]));
    assert!(!metrics.contains("second"), "metrics contain no times");

    let test = sandbox.json("a/new/run/test.json");
    assert_eq!((&test["task"], &test["seed"], &test["updates"]), (&"calculator-stages".into(), &0.into(), &3.into()));
    assert_eq!(test["stages"].as_array().map(Vec::len), Some(3));
    assert_eq!(test["stages"][2]["episodes"], 20);
    assert!(test["caveat"].as_str().expect("a sentence").contains(CALCULATOR));
}

#[test]
fn train_checkpoint_has_metadata_and_optimizer_moments() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--seed", "3"]));
    let bytes = sandbox.read("run/model.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("safetensors");
    let about = header.metadata().as_ref().expect("metadata");
    let network = [("task", "calculator-stages"), ("width", "16"), ("actions", "tools"), ("gru", "reset-after")];
    for (key, value) in network.into_iter().chain([("seed", "3"), ("updates", "3")]) {
        assert_eq!(about[key], value);
    }
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_eq!(file.tensor("pi.weight").expect("the tensor exists").shape(), [6, 16]);
    let numbers: usize = file
        .tensors()
        .iter()
        .filter(|(name, _)| !name.starts_with("optimizer."))
        .map(|(_, t)| t.shape().iter().product::<usize>())
        .sum();
    assert_eq!(file.tensor("optimizer.v").expect("the tensor exists").shape(), [numbers]);
}

/// A PyTorch state_dict has no metadata and no optimizer moments.
#[test]
fn train_init_accepts_a_state_dict_without_metadata() {
    let sandbox = Sandbox::with_trained_run();
    let bytes = sandbox.read("run/model.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let parameters = file.tensors().into_iter().filter(|(name, _)| !name.starts_with("optimizer."));
    sandbox.write("state_dict.safetensors", safetensors::serialize(parameters, None).expect("serialised"));
    for (out, init) in [("ours", "run/model.safetensors"), ("foreign", "state_dict.safetensors")] {
        sandbox.expect_success(&small_training(&["--init", init, "--out", out]));
    }
    assert!(sandbox.read("ours/model.safetensors") == sandbox.read("foreign/model.safetensors"));
}

#[test]
fn train_twice_creates_two_folders() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&SMALL_TRAINING);
    sandbox.expect_success(&SMALL_TRAINING);
    let runs = sandbox.names("runs");
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!(runs.iter().all(|name| name.starts_with("calculator-stages-2") && name.contains("Z-seed0")), "{runs:?}");
}

#[test]
fn train_to_a_pipe_prints_plain_lines_with_test_and_caveat() {
    let sandbox = Sandbox::new();
    let out = sandbox.expect_success(&SMALL_TRAINING);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(out.lines().any(|line| line.starts_with("update    3/3")), "{out}");
    out.assert_contains(&["exact match", "most frequent program", "(a·b+c)−(d·e)", CALCULATOR, "shuffled contexts"]);
}

#[test]
fn train_several_seeds_writes_a_table_with_median_and_range() {
    let sandbox = Sandbox::new();
    let out = sandbox.expect_success(&small_training(&["--seeds", "2,0", "--out", "runs"]));
    let names = "about.json config.toml lock report.html seed-0 seed-2 table.json table.md";
    assert_eq!(sandbox.names("runs").join(" "), names);
    assert_eq!(sandbox.names("runs/seed-2").join(" "), FILES);
    let table = sandbox.text("runs/table.md");
    assert!(out.ends_with(&(table.clone() + "\n")), "{out}");
    table.assert_contains(&[
        "calculator-stages, default settings except width = 16, batch = 32",
        "| seed ",
        "| median ",
        "| range ",
        "0 of 2",
        "3 to 3",
        "| interquartile mean ",
        "| share at 1 ",
        "NeurIPS 2021",
        CALCULATOR,
    ]);
    let json = sandbox.json("runs/table.json");
    assert_eq!((&json["solved"], &json["of"]), (&0.into(), &2.into()));
    assert_eq!(json["spread"]["updates"]["median"], 3.0);
    assert_eq!((&json["runs"][0]["seed"], &json["changed_settings"]["width"]), (&2.into(), &"16".into()));
    let exact = &json["exact_match"];
    let figures = |of: &Value| ["estimate", "low", "high"].map(|part| of["iqm"][part].as_f64().expect("a number"));
    for column in [&exact["stages"][0], &exact["stages"][2], &exact["all"], &exact["whole_runs"]] {
        let [estimate, low, high] = figures(column);
        assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0, "{column}");
        assert_eq!(column["profile"].as_array().map(Vec::len), Some(4));
    }
    assert_eq!((&exact["runs"], &exact["failed"], &exact["confidence"]), (&2.into(), &0.into(), &0.95.into()));
}

#[test]
fn train_not_finite_stops_with_update_and_parameter() {
    let sandbox = Sandbox::new();
    let result = sandbox.run_gradus(&small_training(&["--rate", "1e30", "--out", "run"]));
    assert_eq!(result.code, 1, "{result:?}");
    assert!(result.err.starts_with("error: update 2: ") && result.err.contains("parameter emb.weight"), "{result:?}");
    let test = sandbox.json("run/test.json");
    assert_eq!((&test["failed"], &test["updates"]), (&true.into(), &1.into()));
    assert_eq!(sandbox.names("run").join(" "), FILES);

    let result = sandbox.run_gradus(&small_training(&["--rate", "1e30", "--seeds", "0..1", "--out", "runs"]));
    assert_eq!(result.code, 1, "{result:?}");
    assert!(result.err.contains("2 of 2 runs failed"), "{result:?}");
    let table = sandbox.text("runs/table.md");
    assert_eq!(table.matches("no longer a finite number").count(), 2, "{table}");
}

/// The validation runs before the next update notices the value that is not finite, or after the last update.
#[test]
fn validation_of_not_finite_parameters_writes_readable_files() {
    let sandbox = Sandbox::new();
    for updates in ["1", "2"] {
        let count = format!("--max-updates={updates}");
        let result =
            sandbox.run_gradus(&small_training(&["--rate=1e38", "--validate-every=1", &count, "--out", updates]));
        assert!(result.code == 1 && !result.out.contains("warning"), "{result:?}");
        assert!(sandbox.read(&format!("{updates}/episodes.jsonl")).is_empty());
        sandbox.expect_success(&["report", updates]);
    }
}

#[test]
fn flags_override_the_file_and_the_file_overrides_defaults() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "run.toml",
        "task = \"calculator-stages\"\nseed = 4\nwidth = 8\nbatch = 8\nmax_updates = 1\ntest_episodes = 1_0\n",
    );
    sandbox.expect_success(&["train", "--config", "run.toml", "--batch", "12", "--out", "run"]);
    let config = sandbox.text("run/config.toml");
    for line in
        ["task = \"calculator-stages\"", "seed = 4", "width = 8", "batch = 12", "test_episodes = 10", "clip = 1"]
    {
        assert!(config.lines().any(|other| other == line), "no {line} in {config}");
    }
}

#[test]
fn train_help_explains_settings() {
    let help = Sandbox::new().expect_success(&["train", "--help"]);
    help.split_whitespace().collect::<Vec<_>>().join(" ").assert_contains(&[
        "--entropy-final",
        "--on-save-error",
        "β at the end of its schedule",
        "[default: 0.005]",
        "These settings may change: --max-updates, --patience, --save-every, --keep-every, --on-save-error",
        "[default: 1500] [alias: --updates]",
    ]);
}

/// Uses `script` of util-linux to create a terminal. Prints a message and skips if it is not installed.
#[cfg(target_os = "linux")]
#[test]
fn train_to_a_terminal_prints_only_supported_codes() {
    use std::process::{Command, Stdio};
    let sandbox = Sandbox::new();
    for (term, no_color, codes, colour) in
        [("xterm", false, true, true), ("xterm", true, true, false), ("dumb", false, false, false)]
    {
        let command_line = [&[env!("CARGO_BIN_EXE_gradus")], &SMALL_TRAINING[..]].concat().join(" ");
        let mut script = Command::new("script");
        script
            .args(["-qec", &command_line, "/dev/null"])
            .current_dir(sandbox.path("."))
            .stdin(Stdio::null())
            .env("TERM", term);
        let script = if no_color { script.env("NO_COLOR", "1") } else { script.env_remove("NO_COLOR") };
        let Ok(output) = script.env_remove("CLICOLOR").output() else {
            eprintln!("skipped, because `script` (util-linux) is not installed");
            return;
        };
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{out:?}");
        out.assert_contains(&["ended after 3 updates", "out of updates; 3 updates"]); // the last frame, whatever came before
        assert_eq!((out.contains('\x1b'), out.contains("\x1b[1m")), (codes, colour), "{term}: {out:?}");
    }
}
