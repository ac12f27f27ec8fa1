//! What `train` prints and writes.

use crate::place::{AssertContains, Place, SMALL, small};
use safetensors::SafeTensors;
use serde_json::Value;

const FILES: &str = "about.json clock.json config.toml episodes.jsonl lock metrics.jsonl model.safetensors \
    report.html test.json";
const CALCULATOR: &str = "A fixed program per stage is optimal here";

#[test]
fn a_run_leaves_a_complete_folder() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "a/new/run"]));
    assert_eq!(place.names("a/new/run").join(" "), FILES);

    let metrics = place.text("a/new/run/metrics.jsonl");
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let updates: Vec<_> = lines.iter().filter_map(|line| line["update"].as_u64()).collect();
    let validations: Vec<_> = lines.iter().filter_map(|line| line["validation"].as_u64()).collect();
    assert_eq!((updates, validations), (vec![1, 2, 3], vec![2, 3]));
    assert!(!metrics.contains("second"), "no clock");

    let test = place.json("a/new/run/test.json");
    assert_eq!((&test["task"], &test["seed"], &test["updates"]), (&"calculator".into(), &0.into(), &3.into()));
    assert_eq!(test["stages"].as_array().map(Vec::len), Some(3));
    assert_eq!(test["stages"][2]["episodes"], 20);
    assert!(test["caveat"].as_str().expect("a sentence").contains(CALCULATOR));
}

#[test]
fn the_model_says_what_it_is_and_holds_the_moments() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--seed", "3"]));
    let bytes = place.read("run/model.safetensors");
    let (_, header) = SafeTensors::read_metadata(&bytes).expect("safetensors");
    let about = header.metadata().as_ref().expect("metadata");
    let network = [("task", "calculator"), ("width", "16"), ("actions", "tools"), ("gru", "reset-after")];
    for (key, value) in network.into_iter().chain([("seed", "3"), ("updates", "3")]) {
        assert_eq!(about[key], value);
    }
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_eq!(file.tensor("pi.weight").expect("there").shape(), [6, 16]);
    let numbers: usize = file
        .tensors()
        .iter()
        .filter(|(name, _)| !name.starts_with("optimizer."))
        .map(|(_, t)| t.shape().iter().product::<usize>())
        .sum();
    assert_eq!(file.tensor("optimizer.v").expect("there").shape(), [numbers]);
}

/// A PyTorch state_dict says nothing about itself and has no moments.
#[test]
fn weights_from_elsewhere_are_initial_weights() {
    let place = Place::trained();
    let bytes = place.read("run/model.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let parameters = file.tensors().into_iter().filter(|(name, _)| !name.starts_with("optimizer."));
    place.write("state_dict.safetensors", safetensors::serialize(parameters, None).expect("serialised"));
    for (out, init) in [("ours", "run/model.safetensors"), ("foreign", "state_dict.safetensors")] {
        place.succeeds(&small(&["--init", init, "--out", out]));
    }
    assert!(place.read("ours/model.safetensors") == place.read("foreign/model.safetensors"));
}

#[test]
fn the_same_command_works_twice() {
    let place = Place::new();
    place.succeeds(&SMALL);
    place.succeeds(&SMALL);
    let runs = place.names("runs");
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!(runs.iter().all(|name| name.starts_with("calculator-2") && name.contains("Z-seed0")), "{runs:?}");
}

#[test]
fn a_pipe_gets_plain_lines_with_the_test_and_its_caveat() {
    let place = Place::new();
    let out = place.succeeds(&SMALL);
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(out.lines().any(|line| line.starts_with("update    3/3")), "{out}");
    out.assert_contains(&["exact match", "most frequent program", "(a·b+c)−(d·e)", CALCULATOR, "shuffled contexts"]);
}

#[test]
fn several_seeds_make_a_table_with_median_and_range() {
    let place = Place::new();
    let out = place.succeeds(&small(&["--seeds", "2,0", "--out", "runs"]));
    let left = "about.json config.toml lock report.html seed-0 seed-2 table.json table.md";
    assert_eq!(place.names("runs").join(" "), left);
    assert_eq!(place.names("runs/seed-2").join(" "), FILES);
    let table = place.text("runs/table.md");
    assert!(out.ends_with(&(table.clone() + "\n")), "{out}");
    table.assert_contains(&[
        "calculator, default settings except width = 16, batch = 32",
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
    let json = place.json("runs/table.json");
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
fn a_run_that_is_not_finite_stops_and_says_where() {
    let place = Place::new();
    let called = place.gradus(&small(&["--rate", "1e30", "--out", "run"]));
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.err.starts_with("error: update 2: ") && called.err.contains("parameter emb.weight"), "{called:?}");
    let test = place.json("run/test.json");
    assert_eq!((&test["failed"], &test["updates"]), (&true.into(), &1.into()));
    assert_eq!(place.names("run").join(" "), FILES);

    let called = place.gradus(&small(&["--rate", "1e30", "--seeds", "0..1", "--out", "runs"]));
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.err.contains("2 of 2 runs failed"), "{called:?}");
    let table = place.text("runs/table.md");
    assert_eq!(table.matches("no longer a finite number").count(), 2, "{table}");
}

/// The validation comes before the update that notices, or that is the last.
#[test]
fn a_validation_of_what_is_not_finite_leaves_nothing_that_cannot_be_read() {
    let place = Place::new();
    for updates in ["1", "2"] {
        let count = format!("--max-updates={updates}");
        let called = place.gradus(&small(&["--rate=1e38", "--validate-every=1", &count, "--out", updates]));
        assert!(called.code == 1 && !called.out.contains("warning"), "{called:?}");
        assert!(place.read(&format!("{updates}/episodes.jsonl")).is_empty());
        place.succeeds(&["report", updates]);
    }
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let place = Place::new();
    place.write(
        "run.toml",
        "task = \"calculator\"\nseed = 4\nwidth = 8\nbatch = 8\nmax_updates = 1\ntest_episodes = 1_0\n",
    );
    place.succeeds(&["train", "--config", "run.toml", "--batch", "12", "--out", "run"]);
    let config = place.text("run/config.toml");
    for line in ["task = \"calculator\"", "seed = 4", "width = 8", "batch = 12", "test_episodes = 10", "clip = 1"] {
        assert!(config.lines().any(|other| other == line), "no {line} in {config}");
    }
}

#[test]
fn help_explains_every_setting() {
    let help = Place::new().succeeds(&["train", "--help"]);
    for part in ["--entropy-final", "--on-save-error", "β at the end of its schedule", "[default: 0.005]"] {
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "no {part} in {help}");
    }
}

/// On a terminal that `script` of util-linux makes; where there is none this says so.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_the_codes_that_it_takes() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    for (term, no_color, codes, colour) in
        [("xterm", false, true, true), ("xterm", true, true, false), ("dumb", false, false, false)]
    {
        let words = [&[env!("CARGO_BIN_EXE_gradus")], &SMALL[..]].concat().join(" ");
        let mut script = Command::new("script");
        script.args(["-qec", &words, "/dev/null"]).current_dir(place.path(".")).stdin(Stdio::null()).env("TERM", term);
        let script = if no_color { script.env("NO_COLOR", "1") } else { script.env_remove("NO_COLOR") };
        let Ok(output) = script.env_remove("CLICOLOR").output() else {
            eprintln!("not tested: there is no `script` (util-linux) here to make a terminal with");
            return;
        };
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success() && out.contains("3/3") && out.contains("out of updates; 3 updates"), "{out:?}");
        assert_eq!((out.contains('\x1b'), out.contains("\x1b[1m")), (codes, colour), "{term}: {out:?}");
    }
}
