//! A run that is stopped and resumed writes the same bytes as a run without a stop.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::sandbox::{CommandResult, Sandbox, assert_same_files, compared_files, concat_args, small_training};

/// Other kernels change the results. The command prints a message, and the folder records all kernels.
#[test]
fn resume_with_other_kernels_is_reported_and_recorded() {
    let sandbox = Sandbox::new();
    let gradus = |kernels: &str, args: &[&str]| {
        let output = sandbox.command(crate::gradus_path(), args).env("GRADUS_KERNELS", kernels).output();
        let result = CommandResult::from_output(output.expect("the command starts"));
        assert_eq!(result.code, 0, "{result:?}");
        result.out + &result.err
    };
    let names = |folder: &str| {
        let about = sandbox.json(&format!("{folder}/about.json"));
        let later = about["went_on"].as_array().cloned().unwrap_or_default();
        let later = later.iter().map(|went_on| went_on["kernels"].clone());
        [about["machine"]["kernels"].clone()].into_iter().chain(later).collect::<Vec<_>>()
    };
    for seeds in [&["--out", "run"][..], &["--seeds", "0,1", "--out", "runs"]] {
        let out = seeds[seeds.len() - 1];
        gradus("portable", &concat_args(&small_training(seeds), &["--stop-after", "1"]));
        let resume = ["train", "--resume", out, "--stop-after", "1"];
        let output = gradus("reference", &resume);
        assert!(output.contains("resuming with the kernels reference; the run used portable before"), "{output}");
        let output = gradus("reference", &["train", "--resume", out]);
        assert!(!output.contains("resuming with the kernels"), "{output}");
        for folder in if out == "run" { &["run"][..] } else { &["runs", "runs/seed-0", "runs/seed-1"] } {
            assert_eq!(names(folder), ["portable", "reference"], "{folder}");
        }
    }
    // A finished run computes nothing.
    for out in ["run", "runs"] {
        gradus("portable", &["train", "--resume", out]);
        assert_eq!(names(out), ["portable", "reference"], "{out}");
    }
}

/// Arguments of a run with all kinds of state: a curriculum that unlocks stages, a replay buffer, a falling learning rate.
const STATEFUL_TRAINING: &str = "--max-updates=12 --curriculum=gate --unlock=0.01 --imitate=4 --rate-schedule=cosine --save-every=4 \
    --keep-every=5 --patience=1 --entropy-updates=12 --normalize-advantages=true --optimizer=adamw --weight-decay=0.01 --seed=3";

#[test]
fn resume_at_any_update_and_thread_count_gives_the_same_files() {
    let sandbox = Sandbox::new();
    let train = small_training(&STATEFUL_TRAINING.split(' ').collect::<Vec<_>>());
    sandbox.expect_success(&concat_args(&train, &["--out", "whole", "--threads", "2"]));
    assert!(sandbox.names("whole").contains(&"best.safetensors".to_owned()));
    assert_eq!(sandbox.names("whole/checkpoints"), ["update-000005.safetensors", "update-000010.safetensors"]);
    for (k, stops) in [&["1", "2", "1", "4"][..], &["5"], &["11"]].into_iter().enumerate() {
        let out = format!("parts-{k}");
        sandbox.expect_success(&concat_args(&train, &["--out", &out, "--threads", "1", "--stop-after", stops[0]]));
        for (stop, threads) in stops[1..].iter().zip(["4", "2", "1"]) {
            sandbox.expect_success(&["train", "--resume", &out, "--threads", threads, "--stop-after", stop]);
        }
        let last = sandbox.expect_success(&["train", "--resume", &out, "--threads", "4"]);
        assert!(last.contains("out of updates; 12 updates"), "{last}");
        assert_same_files(&sandbox, "whole", &out);
    }
}

#[test]
fn resume_several_seeds_gives_the_same_files() {
    let sandbox = Sandbox::new();
    let train = small_training(&["--seeds", "4..6"]);
    sandbox.expect_success(&concat_args(&train, &["--out", "whole", "--threads", "3"]));
    let output =
        sandbox.expect_success(&concat_args(&train, &["--out", "parts", "--stop-after", "2", "--threads", "1"]));
    assert!(output.ends_with("resume with: gradus train --resume parts\n"), "{output}");
    assert!(!sandbox.path("parts/table.md").exists());
    let output = sandbox.expect_success(&["train", "--resume", "parts", "--threads", "2"]);
    assert!(output.contains("seed 6: continuing after update 2"), "{output}");
    let without_seconds = |folder: &str| {
        let mut table = sandbox.json(&format!("{folder}/table.json"));
        table["spread"]["seconds"].take();
        table["runs"].as_array_mut().expect("a list").iter_mut().for_each(|run| drop(run["seconds"].take()));
        table
    };
    assert_eq!(without_seconds("whole"), without_seconds("parts"));
    for seed in ["seed-4", "seed-5", "seed-6"] {
        assert_same_files(&sandbox, &format!("whole/{seed}"), &format!("parts/{seed}"));
    }
}

/// A killed process may have created the folder of a seed with nothing in it, or may have been writing a kept checkpoint.
#[test]
fn resume_several_seeds_with_one_not_started_gives_the_same_files() {
    let sandbox = Sandbox::new();
    let train = small_training(&["--seeds", "0,1", "--keep-every=1"]);
    sandbox.expect_success(&concat_args(&train, &["--out", "whole"]));
    sandbox.expect_success(&concat_args(&train, &["--out", "parts", "--stop-after", "1"]));
    for entry in fs::read_dir(sandbox.path("parts/seed-1")).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("about.json" | "lock") => Ok(()),
            Some("checkpoints") => fs::remove_dir_all(path),
            _ => fs::remove_file(path),
        }
        .expect("removed");
    }
    sandbox.write("parts/seed-0/checkpoints/update-000002.safetensors.0.part", "left behind by a killed process");
    sandbox.expect_success(&["train", "--resume", "parts"]);
    for seed in ["seed-0", "seed-1"] {
        assert_same_files(&sandbox, &format!("whole/{seed}"), &format!("parts/{seed}"));
    }
}

/// The error is printed at once, because the other runs may take hours, and again at the end.
#[test]
fn resume_several_seeds_with_one_damaged_reports_the_error_twice() {
    let sandbox = Sandbox::new();
    let train = small_training(&["--seeds", "0,1", "--out", "runs"]);
    sandbox.expect_success(&concat_args(&train, &["--stop-after", "1"]));
    sandbox.write("runs/seed-0/model.safetensors", "damaged");
    let result = sandbox.run_gradus(&["train", "--resume", "runs", "--threads", "2"]);
    assert_eq!(result.code, 2, "{result:?}");
    assert!(result.out.contains("seed 0: stopped: checkpoint runs/seed-0/model.safetensors"), "{result:?}");
    assert!(result.err.starts_with("error: checkpoint runs/seed-0/model.safetensors"), "{result:?}");
}

/// Lines after the last checkpoint are deleted and computed again.
#[test]
fn resume_with_journals_longer_than_the_checkpoint_gives_the_same_files() {
    let sandbox = Sandbox::new();
    let train = small_training(&["--save-every", "2"]);
    sandbox.expect_success(&concat_args(&train, &["--out", "whole"]));
    sandbox.expect_success(&concat_args(&train, &["--out", "parts", "--stop-after", "2"]));
    let metrics = sandbox.read("parts/metrics.jsonl");
    sandbox.write("parts/metrics.jsonl", [&metrics[..], b"{\"update\":3,\"rate\":0.0"].concat());
    sandbox.write("parts/model.safetensors.0.part", b"left behind by a killed process");
    sandbox.expect_success(&["train", "--resume", "parts"]);
    assert_same_files(&sandbox, "whole", "parts");
}

#[test]
fn resume_finished_run_changes_no_file() {
    let sandbox = Sandbox::with_trained_run();
    let before = compared_files(&sandbox, "run");
    let output = sandbox.expect_success(&["train", "--resume", "run"]);
    assert!(output.contains("this run has finished") && output.contains("most frequent program"), "{output}");
    assert_eq!(compared_files(&sandbox, "run"), before);
    fs::remove_file(sandbox.path("run/test.json")).expect("the file exists");
    sandbox.expect_success(&["train", "--resume", "run"]);
    assert_eq!(compared_files(&sandbox, "run"), before, "the test is repeated");
}

#[test]
fn resume_invalid_folder_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "2"]));
    let expect_resume_refusal = |messages: &[&str]| sandbox.expect_refusal(&["train", "--resume", "run"], messages);
    sandbox.expect_refusal(&["train", "--resume", "nowhere"], &["there is no folder nowhere", "gradus train"]);
    sandbox
        .expect_refusal(&["train", "--resume", "run", "--out", "other"], &["--resume", "--out", "cannot be used with"]);

    let about = sandbox.text("run/about.json");
    sandbox.write("run/about.json", about.replace("\"format\": 2", "\"format\": 3"));
    expect_resume_refusal(&["run has format version 3", "from gradus 0.1.0", "reads format versions 1 to 2"]);
    sandbox.write("run/about.json", "{}");
    expect_resume_refusal(&["about.json holds no format version"]);
    fs::remove_file(sandbox.path("run/about.json")).expect("the file exists");
    expect_resume_refusal(&["run has format version 1", "--init run/model.safetensors"]);
    sandbox.write("run/about.json", &about);

    let metrics = sandbox.read("run/metrics.jsonl");
    sandbox.write("run/metrics.jsonl", &metrics[..metrics.len() - 1]);
    expect_resume_refusal(&["metrics.jsonl", "or more: it was cut off"]);
    sandbox.write("run/metrics.jsonl", [b"x", &metrics[1..]].concat());
    expect_resume_refusal(&["metrics.jsonl, line 1", "invalid metrics"]);
    sandbox.write("run/metrics.jsonl", &metrics);

    let model = sandbox.read("run/model.safetensors");
    for (from, to, messages) in [
        ("\\\"updates\\\":2", "\\\"updates\\\":9", "9 updates; expected at most 3"),
        ("\\\"unlocked\\\":0", "\\\"unlocked\\\":7", "7 the highest unlocked"),
        ("\\\"perfect\\\":0", "\\\"perfekt\\\":0", "unknown field `perfekt`"),
        ("run.metrics", "run.matrics", "its metadata lacks run.metrics"),
        ("\"seed\":\"0\"", "\"seed\":\"1\"", "its seed is 1, but the run's seed is 0"),
    ] {
        sandbox.write("run/model.safetensors", replaced(&model, from, to));
        expect_resume_refusal(&["checkpoint run/model.safetensors", "it was damaged"]);
        sandbox.write("run/model.safetensors", replaced(&replaced(&model, from, to), "crc32", "other"));
        expect_resume_refusal(&["checkpoint run/model.safetensors", messages]);
    }
    sandbox.write("run/model.safetensors", &model);
    sandbox.expect_success(&["train", "--resume", "run"]);
}

/// Returns `bytes` with the first `from` replaced by `to`, which has the same length.
#[track_caller]
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {from}"));
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

/// Reading a pipe instead of a file would block.
#[cfg(unix)]
#[test]
fn resume_pipes_instead_of_files_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "2"]));
    for name in ["about.json", "config.toml", "metrics.jsonl", "model.safetensors"] {
        let (path, aside) = (sandbox.path(&format!("run/{name}")), sandbox.path("aside"));
        fs::rename(&path, &aside).expect("the file exists");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo exists");
        assert!(made.success());
        let result = sandbox.run_gradus(&["report", "run"]);
        assert_eq!(result.code, if name.starts_with("model") { 0 } else { 2 }, "{name}: {result:?}");
        let result = sandbox.run_gradus(&["train", "--resume", "run"]);
        assert!(result.code == 2 && result.err.contains(name) && result.err.contains("file"), "{name}: {result:?}");
        fs::remove_file(&path).and_then(|()| fs::rename(&aside, &path)).expect("restored");
    }
    sandbox.expect_success(&["train", "--resume", "run"]);
}

#[test]
fn resume_missing_file_is_named() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "my run", "--stop-after", "2"]));
    let config = sandbox.read("my run/config.toml");
    fs::remove_file(sandbox.path("my run/config.toml")).expect("the file exists");
    sandbox.expect_refusal(&["train", "--resume", "my run"], &["'my run' lacks its config.toml", "restore the file"]);
    sandbox.write("my run/config.toml", config);
    fs::remove_file(sandbox.path("my run/model.safetensors")).expect("the file exists");
    let output = sandbox.expect_success(&["train", "--resume", "my run", "--stop-after", "1"]);
    assert!(output.contains("no checkpoint found: starting again"), "{output}");
    assert!(output.ends_with("resume with: gradus train --resume 'my run'\n"), "{output}");
}

/// Starts a training run that is long enough to be interrupted, and waits for its first update.
fn start_long_training(sandbox: &Sandbox, out: &str) -> Child {
    let args = small_training(&["--out", out, "--save-every=1", "--max-updates=1000000"]);
    let mut command = sandbox.command(crate::gradus_path(), &args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let metrics = sandbox.path(&format!("{out}/metrics.jsonl"));
    while fs::metadata(&metrics).map_or(0, |metrics| metrics.len()) == 0 {
        assert!(child.try_wait().expect("a process").is_none(), "it has ended");
        std::thread::yield_now();
    }
    child
}

#[test]
fn train_folder_in_use_is_refused() {
    let sandbox = Sandbox::new();
    let mut first = start_long_training(&sandbox, "run");
    let id = first.id();
    for args in [&["train", "--resume", "run"][..], &small_training(&["--out", "run"])] {
        let result = sandbox.run_gradus(args);
        assert_eq!(result.code, 2, "{result:?}");
        let is_locked = result.err.contains(&format!("run is in use by another gradus (process {id})"));
        assert!(is_locked || result.err.contains("already holds a run"), "{result:?}");
    }
    first.kill().expect("the process runs");
    first.wait().expect("the process ends");
    sandbox.expect_success(&["train", "--resume", "run", "--stop-after", "1"]);
}

/// On Unix, another process can send Ctrl-C as a signal.
#[cfg(unix)]
#[test]
fn train_ctrl_c_finishes_the_update_saves_and_prints_how_to_resume() {
    let sandbox = Sandbox::new();
    let child = start_long_training(&sandbox, "run");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill exists");
    assert!(sent.success());
    let output = child.wait_with_output().expect("the process ends");
    assert_eq!(output.status.code(), Some(130));
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(stdout.ends_with("stopped and saved; resume with: gradus train --resume run\n"), "{stdout}");
    assert!(String::from_utf8(output.stderr).expect("UTF-8").contains("finishing the update"));
    sandbox.expect_success(&["eval", "run", "--episodes", "3"]);
    let output = sandbox.expect_success(&["train", "--resume", "run", "--stop-after", "1"]);
    assert!(output.contains("continuing after update"), "{output}");
}

#[test]
fn resume_missing_setting_is_refused_instead_of_using_its_default() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "1"]));
    let config = sandbox.text("run/config.toml");
    sandbox.write("run/config.toml", &config[..config.find("\nmax_updates = ").expect("a setting")]);
    let (metrics, model) = (sandbox.read("run/metrics.jsonl"), sandbox.read("run/model.safetensors"));
    let result = sandbox.run_gradus(&["train", "--resume", "run"]);
    assert_eq!(result.code, 2, "{result:?}");
    assert!(
        result.err.contains("run/config.toml: the setting max_updates is missing; expected all settings"),
        "{result:?}"
    );
    assert!(sandbox.read("run/metrics.jsonl") == metrics && sandbox.read("run/model.safetensors") == model);
}

/// A setting that may not change, edited in the file instead of given as a flag.
#[test]
fn resume_edited_setting_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "1"]));
    let config = sandbox.text("run/config.toml");
    for (name, old, new) in [("rate", "0.005", "0.01"), ("batch", "32", "64"), ("normalize_rewards", "false", "true")] {
        let edited = config.replace(&format!("\n{name} = {old}\n"), &format!("\n{name} = {new}\n"));
        assert_ne!(edited, config);
        sandbox.write("run/config.toml", edited);
        let message = format!(
            "config.toml has {name} = {new}, but the checkpoint run/model.safetensors was trained with {name} = {old}, and a \
             resumed run keeps it; set it back"
        );
        sandbox.expect_refusal(&["train", "--resume", "run"], &[&message]);
    }
    sandbox.write("run/config.toml", config.replace("\nsave_every = 25\n", "\nsave_every = 2\n"));
    sandbox.expect_success(&["train", "--resume", "run"]);
}
