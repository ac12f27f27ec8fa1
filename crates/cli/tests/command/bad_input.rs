//! Invalid input gives a clear error, exit code 2, and changes no file.

use crate::sandbox::{
    AssertContains, CommandResult, SMALL_TRAINING, Sandbox, change_task_in_checkpoint, concat_args, small_training,
};

/// Asserts that `train` refuses a configuration file.
#[track_caller]
fn expect_config_refusal(content: impl AsRef<[u8]>, messages: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write("run.toml", content);
    sandbox.expect_refusal(&["train", "--config", "run.toml"], messages);
}

#[test]
fn unknown_names_are_refused_with_suggestions() {
    let sandbox = Sandbox::new();
    sandbox.expect_refusal(&["train", "--task", "calculater"], &["calculater", "did you mean calculator?"]);
    sandbox.expect_refusal(&["train", "--batchs", "3"], &["--batchs", "a similar argument exists: '--batch'"]);
    sandbox.expect_refusal(&["trian"], &["trian", "similar subcommands exist"]);
    sandbox.expect_refusal(
        &["tasks", "--task", "calculator-stages", "--stage", "7"],
        &["invalid value '7' for '--stage <N>'", "expected a whole number from 0 to 2"],
    );
}

/// An empty `GRADUS_KERNELS` counts as unset, because scripts use it so.
#[test]
fn kernels_unknown_name_is_refused_and_empty_name_is_ignored() {
    let sandbox = Sandbox::new();
    let tasks = |kernels| sandbox.command(crate::gradus_path(), &["tasks"]).env("GRADUS_KERNELS", kernels).output();
    let [wrong, none] =
        ["sse9", ""].map(|kernels| CommandResult::from_output(tasks(kernels).expect("the command starts")));
    assert_eq!((wrong.code, none.code), (2, 0), "{wrong:?} {none:?}");
    wrong.err.assert_contains(&["no kernels 'sse9'", "choose one of reference, portable"]);
}

/// TOML has several notations for a whole number.
#[test]
fn config_whole_numbers_are_read_in_every_toml_notation() {
    let sandbox = Sandbox::new();
    for (text, want) in [("0x10", 16), ("0o20", 16), ("0b1_0000", 16), ("1_000", 1000), ("+16", 16), ("0xFf", 255)] {
        sandbox.write("run.toml", format!("width = {text}\nseed = {text}\nmax_updates = {text}\nrate = {text}\n"));
        let out = format!("run-{text}");
        sandbox.expect_success(&[
            "train",
            "--config",
            "run.toml",
            "--batch=4",
            "--width=4",
            "--stop-after=1",
            "--out",
            &out,
        ]);
        let written = sandbox.text(&format!("{out}/config.toml"));
        for key in ["seed", "max_updates", "rate"] {
            let line = written.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("a line");
            assert_eq!(line, format!("{key} = {want}"), "{text}");
        }
    }
    for (text, messages) in [
        ("0x0", "width = 0 is out of range"),
        ("-0b0", "width = -0b0 is not a whole number"),
        ("0x1_0000", "width = 65536"),
    ] {
        expect_config_refusal(format!("width = {text}\n"), &["run.toml, line 1, column", messages]);
    }
    let huge = format!("0x{}", "f".repeat(40));
    expect_config_refusal(format!("width = {huge}\n"), &["run.toml, line 1, column 9", &huge]);
}

/// The batch needs more memory than any machine has, and products of sizes overflow 32 bits.
#[cfg(target_os = "linux")]
#[test]
fn train_too_large_batch_is_refused_before_the_folder_is_created() {
    let sandbox = Sandbox::new();
    let large = ["train", "--batch=1048576", "--width=4096", "--out=run"];
    let messages = ["training needs ", " MiB of memory", " MiB are available", "choose a smaller batch or width"];
    for flags in [&[][..], &["--chunk=1"], &["--gru=reset-before"]] {
        sandbox.expect_refusal(&concat_args(&large, flags), &messages);
    }
    sandbox.expect_refusal(&["tutorial", "--batch=1048576", "--width=4096"], &messages);
    let several = concat_args(&large, &["--seeds=0..8", "--threads=3"]);
    sandbox.expect_refusal(&several, &[&messages[..], &["for 3 parallel runs"]].concat());
    assert!(!sandbox.path("run").exists());
}

#[test]
fn config_unknown_names_are_refused_with_line_and_column() {
    let messages = ["run.toml, line 3, column 3", "no setting batchs", "did you mean batch?"];
    expect_config_refusal("width = 16\n\n  batchs = 3\n", &messages);
    let messages = [
        "run.toml, line 1, column 8",
        "no task calculater; `gradus tasks` lists the tasks",
        "did you mean calculator?",
    ];
    expect_config_refusal("task = \"calculater\"\n", &messages);
    for section in ["\n[optimizer]\nrate = 1\n", "\n[model]\nrate = 1\n"] {
        expect_config_refusal(section, &["run.toml, line 2, column ", "a configuration file has no sections"]);
    }
    expect_config_refusal("model.width = 1\n", &["line 1, column 1", "model", "has no sections"]);
}

/// Every use of the tutorial as a task names the new command. The files of its earlier runs stay.
#[test]
fn tutorial_as_a_task_is_refused_with_the_new_command() {
    let sandbox = Sandbox::new();
    let messages = ["tutorial is no longer a task; use the command gradus tutorial", "report.html", "test.json"];
    sandbox.write("old.toml", "seed = 1\ntask = \"tutorial\"\nstage_updates = 3\n");
    sandbox.expect_success(&small_training(&["--out", "old"]));
    sandbox.write("old/config.toml", sandbox.read("old.toml"));
    for args in [
        &["train", "--task", "tutorial"][..],
        &["train", "--config", "old.toml"],
        &["train", "--resume", "old"],
        &["config", "--task", "tutorial"],
        &["config", "--check", "old.toml"],
        &["tasks", "--task", "tutorial"],
        &["eval", "old"],
        &["explain", "old"],
        &["report", "old"],
        &["watch", "old", "--once"],
    ] {
        sandbox.expect_refusal(args, &messages);
    }
    sandbox.expect_refusal(&["train", "--stage-updates", "3"], &["unexpected argument '--stage-updates'"]);
}

#[test]
fn flags_out_of_range_are_refused() {
    let sandbox = Sandbox::new();
    for (flag, value, fault, range) in [
        ("batch", "0", "out of range", "whole numbers from 1 to 1048576"),
        ("batch", "1.5", "not a whole number", "whole numbers from 1 to 1048576"),
        ("width", "abc", "not a whole number", "whole numbers from 1 to 4096"),
        ("width", "-1", "out of range", "whole numbers from 1 to 4096"),
        ("rate", "abc", "not a number", "numbers above 0"),
        ("actions", "all", "not one of its values", "tools or tokens"),
        ("width", "0", "out of range", "whole numbers from 1 to 4096"),
        ("rate", "-1", "out of range", "numbers above 0"),
        ("rate", "NaN", "out of range", "numbers above 0"),
        ("rate", "inf", "out of range", "numbers above 0"),
        ("gamma", "1.01", "out of range", "numbers from 0 to 1"),
        ("patience", "18446744073709551615", "out of range", "whole numbers from 1 to 1000000000"),
        ("optimizer", "adamax", "not one of its values", "adam, adamw, sgd or rmsprop"),
    ] {
        let messages =
            [&format!("invalid value '{value}' for '--{flag} <VALUE>': it is {fault}; expected {range}"), range];
        sandbox.expect_refusal(&["train", "--task", "calculator-stages", &format!("--{flag}"), value], &messages);
    }
    let messages = [
        "invalid value '1e-50' for '--rate <VALUE>': it becomes 0.0 in f32",
        "1.401298464324817e-45",
        "expected numbers above 0",
    ];
    sandbox.expect_refusal(&["train", "--rate", "1e-50"], &messages);
    sandbox.expect_refusal(
        &["train", "--beta2", "0.9999999999"],
        &["'0.9999999999' for '--beta2 <VALUE>': it becomes 1.0 in f32"],
    );
    sandbox.expect_refusal(
        &["train", "--seed", "-1"],
        &["invalid value '-1' for '--seed <N>'", "expected a whole number from 0 to 9223372036854775807"],
    );
    sandbox.expect_refusal(&["train", "--threads", "-1"], &["'-1'", "a whole number from 1 to 1024"]);
    for args in [
        &["train", "--seeds", "-1..3"][..],
        &["train", "--stop-after", "-1"],
        &["eval", "run", "--episodes", "x"],
        &["eval", "run", "--stage", "-1"],
        &["explain", "run", "--episode", "-1"],
        &["watch", "run", "--interval", "-1"],
        &["tutorial", "--seed", "1.5"],
    ] {
        let message = if args[1] == "--seeds" { "a range like 0..19" } else { "a whole number from " };
        sandbox.expect_refusal(
            args,
            &[&format!("invalid value '{}' for '--", args[args.len() - 1]), "expected ", message],
        );
    }
    sandbox.expect_refusal(&["train", "--seeds", "5..2"], &["5..2 ends before it starts"]);
    sandbox.expect_refusal(&["train", "--seeds", "1,1"], &["a seed appears twice"]);
    sandbox.expect_refusal(&["train", "--threads", "0"], &["'0'", "a whole number from 1 to 1024"]);
}

#[test]
fn config_values_out_of_range_are_refused_with_line_and_column() {
    let messages = ["run.toml, line 2, column 8", "rate = nan is out of range", "numbers above 0"];
    expect_config_refusal("# a comment\nrate = nan\n", &messages);
    expect_config_refusal("seed = -1\n", &["line 1, column 8", "seed = -1 is out of range"]);
}

#[test]
fn config_not_toml_is_refused() {
    expect_config_refusal("width = 16\nbatch = = 3\n", &["run.toml, line 2, column 9", "invalid TOML"]);
    expect_config_refusal("width = 16\nwidth = 3\n", &["run.toml, line 2, column 1: ", "duplicate key width"]);
    expect_config_refusal([0xff, 0xfe], &["cannot read run.toml", "UTF-8"]);
    let messages = ["cannot read missing.toml", "configuration file in TOML"];
    Sandbox::new().expect_refusal(&["train", "--config", "missing.toml"], &messages);
}

#[test]
fn train_unwritable_folder_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "in the way");
    sandbox.expect_refusal(&small_training(&["--out", "file"]), &["cannot create the folder file", "--out"]);
    sandbox.expect_refusal(&small_training(&["--out", "file/run"]), &["cannot create the folder file/run", "--out"]);
    sandbox.expect_refusal(&small_training(&["--out", "/proc/run"]), &["cannot create the folder /proc/run", "--out"]);
    sandbox.write("runs", "in the way of the default");
    sandbox.expect_refusal(&SMALL_TRAINING, &["cannot create the folder runs", "--out"]);
}

#[test]
fn train_folder_that_is_not_empty_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_refusal(&small_training(&["--out", "run"]), &["run already holds a run", "--out"]);
    sandbox.expect_refusal(&small_training(&["--out", "run", "--seeds", "0,1"]), &["run already holds a run"]);
    sandbox.expect_refusal(&small_training(&["--out", "."]), &[". is not empty", "--out"]);
}

#[test]
fn eval_invalid_checkpoint_is_refused() {
    let sandbox = Sandbox::with_trained_run();
    let (model, config) = (sandbox.read("run/model.safetensors"), sandbox.read("run/config.toml"));
    let eval = |content: &[u8], messages: &[&str]| {
        sandbox.write("run/model.safetensors", content);
        sandbox.expect_refusal(&["eval", "run"], messages);
        sandbox.expect_refusal(&small_training(&["--init", "run/model.safetensors"]), messages);
    };
    eval(b"", &["model.safetensors", "cut off"]);
    eval(&model[..model.len() - 1], &["model.safetensors", "cut off"]);
    eval(b"not a checkpoint, but a text of some length", &["model.safetensors", "is not a safetensors file"]);
    eval(b"\x02\0\0\0\0\0\0\0[]", &["model.safetensors", "is not a safetensors file"]);
    let header = u64::from_le_bytes(model[..8].try_into().expect("eight bytes")) as usize + 8;
    let nan = [&model[..header], &f32::NAN.to_le_bytes()[..], &model[header + 4..]].concat();
    eval(&nan, &["model.safetensors", "damaged", "crc32"]);
    let key = nan.windows(5).position(|word| word == b"crc32").expect("a checksum");
    let unchecked = [&nan[..key], b"other", &nan[key + 5..]].concat();
    eval(&unchecked, &["emb.weight", "not finite"]);

    sandbox.write("run/model.safetensors", &model);
    let edited = String::from_utf8(config.clone()).expect("text").replace("reset-after", "reset-before");
    assert_ne!(edited.as_bytes(), config);
    sandbox.write("run/config.toml", edited);
    sandbox.expect_refusal(&["eval", "run"], &["its gru is reset-after, expected reset-before"]);
    sandbox.write("run/config.toml", &config);
    std::fs::remove_file(sandbox.path("run/model.safetensors")).expect("the file exists");
    sandbox.expect_refusal(&["eval", "run"], &["run holds no trained agent", "model.safetensors", "interrupted"]);
    eval(&change_task_in_checkpoint(&model), &["its task is some-other-task-1, expected calculator-stages"]);
    sandbox.expect_refusal(&["eval", "nowhere"], &["there is no folder nowhere", "gradus train"]);

    sandbox.write("run/model.safetensors", &model);
    sandbox.expect_refusal(&["eval", "run", "--stage", "3"], &["'3'", "a whole number from 0 to 2"]);
    sandbox.expect_refusal(&["eval", "run", "--episodes", "0"], &["'0'", "a whole number from 1"]);
    sandbox.expect_refusal(
        &["train", "--task", "calculator-stages", "--init", "run/model.safetensors"],
        &["its width is 16, expected 96"],
    );
    let wider = String::from_utf8(config).expect("UTF-8").replace("width = 16", "width = 17");
    sandbox.write("run/config.toml", wider);
    sandbox.expect_refusal(&["eval", "run"], &["its width is 16, expected 17"]);
}

/// The exit code is still 2 if stderr is closed.
#[test]
fn error_with_closed_stderr_is_no_panic() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = Sandbox::new().command(crate::gradus_path(), &["eval", "nowhere"]).stderr(writer).status();
    assert_eq!(status.expect("the command starts").code(), Some(2));
}

/// A run writes the path to its configuration file, which is UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn train_init_path_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"model-\xff");
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(crate::gradus_path(), &SMALL_TRAINING);
    let result = CommandResult::from_output(command.arg("--init").arg(name).output().expect("the command starts"));
    assert_eq!(result.code, 2);
    assert!(result.err.contains("is not UTF-8") && result.err.contains("another name"), "{result:?}");
}

/// Linux allows any bytes in a name.
#[cfg(target_os = "linux")]
#[test]
fn train_folder_name_that_is_not_utf_8_works() {
    use std::os::unix::ffi::OsStrExt;
    let (sandbox, name) = (Sandbox::new(), std::ffi::OsStr::from_bytes(b"run-\xff"));
    let calls: [(&[&str], &[&str]); 4] = [
        (&SMALL_TRAINING, &["--stop-after=2", "--out"]),
        (&["train", "--resume"], &[]),
        (&["report"], &[]),
        (&["eval", "--episodes=2"], &[]),
    ];
    for (first, more) in calls {
        let output = sandbox.command(crate::gradus_path(), &concat_args(first, more)).arg(name).output();
        let result = CommandResult::from_output(output.expect("the command starts"));
        assert_eq!((result.code, result.err.as_str()), (0, ""), "{result:?}");
    }
    assert!(sandbox.path("").join(name).join("report.html").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn endless_devices_are_not_read_to_the_end() {
    let sandbox = Sandbox::new();
    sandbox.expect_refusal(&["train", "--config", "/dev/zero"], &["cannot read /dev/zero", "more than 1048576 bytes"]);
    sandbox.expect_refusal(&["config", "--check", "/dev/zero"], &["cannot read /dev/zero", "more than 1048576 bytes"]);
    sandbox.expect_success(&small_training(&["--out", "a"]));
    for command in [&["explain", "a", "--html=/dev/full"][..], &["report", "a", "--out", "/dev/full"]] {
        sandbox.expect_refusal(command, &["cannot write /dev/full", "a pipe or a device"]);
    }
}
