//! A run that goes on with more updates writes the same bytes as a run that had them from the start.

use std::fs;

use crate::sandbox::{AssertContains, Sandbox, assert_same_files, compared_files, concat_args, small_training};

/// Arguments of a run with all kinds of state, whose validations change its curriculum. It is solved after update 72: the
/// validations of 66, 69 and 72 are perfect. Until update 57 the best regular validation is that of update 33.
const SOLVED_AT_72: &str = "--curriculum=adapt --imitate=4 --normalize-advantages=true --optimizer=adamw --weight-decay=0.01 \
    --rate=0.01 --entropy-updates=12 --validate-every=3 --keep-every=5 --seed=2";

/// Trains a run of [`SOLVED_AT_72`].
fn train(sandbox: &Sandbox, out: &str, updates: &str, more: &[&str]) -> String {
    let (updates, settings) = (format!("--max-updates={updates}"), SOLVED_AT_72.split(' ').collect::<Vec<_>>());
    let args = concat_args(&settings, &[&updates, "--out", out]);
    sandbox.expect_success(&small_training(&concat_args(&args, more)))
}

/// Resumes a run with more updates.
fn resume(sandbox: &Sandbox, folder: &str, updates: &str, more: &[&str]) -> String {
    sandbox.expect_success(&concat_args(&["train", "--resume", folder, "--updates", updates], more))
}

/// No regular validation is due after the updates 40 and 41. The one at the end of the run of 41 updates is the best so far.
#[test]
fn resume_finished_run_with_more_updates_gives_the_files_of_the_longer_run() {
    let sandbox = Sandbox::new();
    for (first, last) in [("40", "80"), ("41", "57"), ("3", "5")] {
        for threads in ["1", "2"] {
            let (out, threads) = (format!("{first}-{last}-{threads}"), ["--threads", threads]);
            train(&sandbox, &out, first, &threads);
            let before = sandbox.json(&format!("{out}/test.json"));
            assert_eq!(sandbox.path(&format!("{out}/best-before-end.safetensors")).exists(), first == "41");
            resume(&sandbox, &out, last, &threads);
            let changes = &sandbox.json(&format!("{out}/about.json"))["changes"];
            let settings = serde_json::json!([{ "name": "max_updates", "from": first, "to": last }]);
            assert_eq!((changes.as_array().map(Vec::len), &changes[0]["settings"]), (Some(1), &settings));
            assert_eq!(changes[0]["outcome"], before);
            if !sandbox.path(last).exists() {
                train(&sandbox, last, last, &[]);
            }
            assert_same_files(&sandbox, last, &out);
        }
    }
}

#[test]
fn resume_stopped_run_with_more_updates_gives_the_files_of_the_longer_run() {
    let sandbox = Sandbox::new();
    train(&sandbox, "whole", "41", &[]);
    for (threads, updates, stop) in [("1", "20", "7"), ("2", "60", "17")] {
        train(&sandbox, threads, updates, &["--stop-after", stop, "--threads", threads]);
        resume(&sandbox, threads, "38", &["--stop-after", "3"]);
        sandbox.expect_success(&["eval", threads, "--episodes", "3"]);
        resume(&sandbox, threads, "41", &["--stop-after", "2", "--threads", threads]);
        sandbox.expect_success(&["train", "--resume", threads]);
        assert_same_files(&sandbox, "whole", threads);
    }
}

/// The stop rule stays: more updates do not change a solved run, more patience does.
#[test]
fn resume_solved_run_goes_on_with_more_patience_only() {
    let sandbox = Sandbox::new();
    assert!(train(&sandbox, "run", "80", &[]).contains("solved by its rule; 72 updates"));
    let results = ["metrics.jsonl", "model.safetensors", "test.json"].map(|name| format!("run/{name}"));
    let before = results.clone().map(|name| sandbox.read(&name));
    let output = resume(&sandbox, "run", "90", &[]);
    output.assert_contains(&["it is solved, with 3 perfect validations in a row", "pass --patience 4 or more"]);
    assert!(results.map(|name| sandbox.read(&name)) == before);
    train(&sandbox, "90", "90", &[]);
    assert_same_files(&sandbox, "90", "run");

    let output = resume(&sandbox, "run", "85", &["--patience", "100", "--threads", "1"]);
    output.assert_contains(&["continuing after update 72", "out of updates; 85 updates"]);
    train(&sandbox, "85", "85", &["--patience=100"]);
    assert_same_files(&sandbox, "85", "run");
    sandbox.expect_refusal(
        &["train", "--resume", "run", "--patience", "99"],
        &["--patience 99: run has patience = 100", "pass 100 or more"],
    );
}

#[test]
fn resume_several_seeds_with_more_updates_gives_the_files_of_the_longer_runs() {
    let sandbox = Sandbox::new();
    let train = |out: &str, more: &[&str]| {
        sandbox.expect_success(&concat_args(&small_training(more), &["--seeds", "0..2", "--out", out]));
    };
    train("whole", &["--max-updates=7", "--save-every=2"]);
    train("runs", &[]);
    // A process that is killed after the common configuration has changed leaves the folders of the seeds as they were.
    train("killed", &[]);
    sandbox.write("killed/config.toml", sandbox.text("whole/config.toml"));
    resume(&sandbox, "runs", "7", &["--save-every=2", "--threads", "1", "--stop-after", "1"]);
    sandbox
        .expect_refusal(&["train", "--resume", "runs", "--updates", "3"], &["runs/seed-0 has made 4 updates already"]);
    for folder in ["runs", "killed"] {
        sandbox.expect_success(&["train", "--resume", folder, "--threads", "2"]);
        for seed in ["seed-0", "seed-1", "seed-2"] {
            assert_same_files(&sandbox, &format!("whole/{seed}"), &format!("{folder}/{seed}"));
        }
        assert!(sandbox.read("whole/config.toml") == sandbox.read(&format!("{folder}/config.toml")));
        assert_eq!(sandbox.json(&format!("{folder}/table.json"))["spread"]["updates"]["median"], 7.0);
        sandbox.expect_success(&["report", folder]);
    }
}

/// The folder stays usable while the run goes on, and afterwards. Files of the user stay.
#[test]
fn resume_with_more_updates_leaves_a_folder_that_all_commands_read() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.write("run/notes.txt", "mine");
    for more in [&["--stop-after", "1"][..], &[]] {
        resume(&sandbox, "run", "6", more);
        sandbox.expect_success(&["eval", "run", "--episodes", "3"]);
        sandbox.expect_success(&["explain", "run"]);
        sandbox.expect_success(&["report", "run"]);
        let finished = more.is_empty();
        assert_eq!(sandbox.path("run/test.json").exists(), finished);
        sandbox.text("run/report.html").assert_contains(&["max_updates = 6", "max_updates from 3 to 6"]);
    }
    assert_eq!(sandbox.text("run/notes.txt"), "mine");
    assert_eq!(sandbox.json("run/test.json")["updates"], 6);
    let before = compared_files(&sandbox, "run");
    let output = resume(&sandbox, "run", "6", &[]);
    assert!(output.contains("this run has finished; to go on, pass a higher --max-updates"), "{output}");
    assert!(compared_files(&sandbox, "run") == before);
}

#[test]
fn resume_with_settings_that_break_the_bytes_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    let expect_resume_refusal = |folder: &str, flags: &[&str], messages: &[&str]| {
        sandbox.expect_refusal(&concat_args(&["train", "--resume", folder], flags), messages);
    };
    let list = "only these may change: --max-updates, --patience, --save-every, --keep-every, --on-save-error";
    for (flags, message) in [
        (["--rate", "1e-3"], "--rate 0.001: run/config.toml has rate = 0.005, and a resumed run keeps it"),
        (["--validate-every", "3"], "--validate-every 3: run/config.toml has validate_every = 2"),
        (["--seed", "1"], "--seed 1: run/config.toml has seed = 0"),
        (["--seeds", "0,1"], "--seeds 0,1: run/about.json has seeds = none"),
        (["--init", "/a/file"], "--init /a/file: run/config.toml has init = none"),
    ] {
        expect_resume_refusal("run", &flags, &[message, list]);
    }
    expect_resume_refusal("run", &["--updates", "0"], &["'0' for '--max-updates <VALUE>': it is out of range"]);
    expect_resume_refusal("run", &["--updates", "2"], &["run has made 3 updates already; pass 3 or more"]);
    sandbox.expect_success(&["train", "--resume", "run", "--seed", "0", "--rate", "0.005"]);

    sandbox.expect_success(&small_training(&["--rate-schedule=linear", "--out", "linear"]));
    let message = "rate_schedule = linear over max_updates = 3, so its 3 updates had other learning rates";
    expect_resume_refusal("linear", &["--updates", "6"], &[message, "--config linear/config.toml --max-updates 6"]);

    sandbox.expect_success(&small_training(&["--max-updates=20", "--stop-after=3", "--out", "stopped"]));
    let message = "stopped has made 3 updates without the validation at the end of a run of 3; pass 4 or more";
    expect_resume_refusal("stopped", &["--updates", "3"], &[message]);

    train(&sandbox, "no-best", "13", &[]);
    fs::remove_file(sandbox.path("no-best/best-before-end.safetensors")).expect("the file exists");
    let message = "no-best cannot go on: its best.safetensors is of the validation at its end";
    expect_resume_refusal("no-best", &["--updates", "20"], &[message, "best-before-end.safetensors, does not exist"]);

    // The same in a process that ended after it had written the configuration, and in one that ended during its end.
    let config = sandbox.text("no-best/config.toml").replace("max_updates = 13", "max_updates = 20");
    sandbox.write("no-best/config.toml", config);
    fs::remove_file(sandbox.path("no-best/test.json")).expect("the file exists");
    expect_resume_refusal("no-best", &[], &[message, "best-before-end.safetensors, does not exist"]);
    sandbox.write("no-best/model.safetensors", sandbox.read("no-best/checkpoints/update-000010.safetensors"));
    expect_resume_refusal("no-best", &[], &[message, "best-before-end.safetensors, does not exist"]);

    let about = sandbox.text("run/about.json").replace("\"format\": 2", "\"format\": 1");
    sandbox.write("run/about.json", about);
    expect_resume_refusal("run", &["--updates", "6"], &["run has format version 1"]);
    fs::remove_file(sandbox.path("run/about.json")).expect("the file exists");
    expect_resume_refusal("run", &["--updates", "6"], &["run has format version 1", "cannot be resumed"]);
}

/// The run of one update fails in the check at its end, the longer one in its second update.
#[test]
fn resume_failed_run_with_more_updates_gives_the_files_of_the_longer_run() {
    let sandbox = Sandbox::new();
    let train = ["--rate", "1e38", "--out"];
    for (out, updates) in [("run", "--max-updates=1"), ("whole", "--max-updates=6")] {
        assert_eq!(sandbox.run_gradus(&small_training(&concat_args(&train, &[out, updates]))).code, 1);
    }
    let result = sandbox.run_gradus(&["train", "--resume", "run", "--updates", "6"]);
    assert!(result.code == 1 && result.err.starts_with("error: update 2: "), "{result:?}");
    assert_same_files(&sandbox, "whole", "run");
    let result = sandbox.run_gradus(&["train", "--resume", "run"]);
    assert!(result.code == 1 && !result.out.contains("--max-updates"), "{result:?}");
    result.out.assert_contains(&["this run has failed, and would fail again at the same update"]);
}

/// The process that made the end validation of the run of 41 updates was killed before it wrote its best checkpoint.
#[test]
fn resume_killed_before_the_best_checkpoint_leaves_no_other_one() {
    let sandbox = Sandbox::new();
    train(&sandbox, "run", "41", &[]);
    train(&sandbox, "whole", "57", &[]);
    sandbox.write("run/model.safetensors", sandbox.read("run/checkpoints/update-000040.safetensors"));
    sandbox.write("run/best.safetensors", sandbox.read("run/best-before-end.safetensors"));
    fs::remove_file(sandbox.path("run/test.json")).expect("the file exists");
    resume(&sandbox, "run", "57", &[]);
    assert_same_files(&sandbox, "whole", "run");
}

/// A process that is killed after it has written `about.json` and removed `test.json` has changed no setting.
#[test]
fn resume_after_a_change_that_was_not_made_records_the_change_that_was() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_success(&small_training(&["--out", "other"]));
    resume(&sandbox, "other", "6", &[]);
    let (killed, outcome) = (sandbox.read("other/about.json"), sandbox.json("run/test.json"));
    let changes = || sandbox.json("run/about.json")["changes"].clone();
    for (flags, recorded) in [(&[][..], 0), (&["--updates", "5"], 1)] {
        sandbox.write("run/about.json", &killed);
        fs::remove_file(sandbox.path("run/test.json")).expect("the file exists");
        sandbox.expect_success(&concat_args(&["train", "--resume", "run"], flags));
        assert_eq!(changes().as_array().map(Vec::len), Some(recorded), "{flags:?}");
    }
    let settings = serde_json::json!([{ "name": "max_updates", "from": "3", "to": "5" }]);
    assert_eq!((&changes()[0]["settings"], &changes()[0]["outcome"]), (&settings, &outcome));
}

/// A journal that lost a line in its middle is not one from which the end validation was taken back.
#[test]
fn resume_journal_without_a_line_in_the_middle_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    let metrics = sandbox.text("run/metrics.jsonl");
    let lines: Vec<_> = metrics.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 5, "updates 1 and 2, a validation, update 3 and the end validation");
    for lost in [0, 2] {
        let kept = lines[..4].iter().enumerate().filter(|&(number, _)| number != lost).map(|(_, line)| *line);
        sandbox.write("run/metrics.jsonl", kept.collect::<String>());
        sandbox.expect_refusal(
            &["train", "--resume", "run", "--updates", "6"],
            &["metrics.jsonl", "it was cut off or lacks a line"],
        );
    }
    sandbox.write("run/metrics.jsonl", lines[..4].concat());
    resume(&sandbox, "run", "6", &[]);
}
