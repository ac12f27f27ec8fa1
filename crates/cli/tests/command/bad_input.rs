//! Bad input: a clear error, exit code 2, nothing lost.

use crate::place::{AssertContains, Called, Place, SMALL, of_another_task, small, with};

/// Refuses a file of settings.
#[track_caller]
fn refuses_file(content: impl AsRef<[u8]>, says: &[&str]) {
    let place = Place::new();
    place.write("run.toml", content);
    place.refuses(&["train", "--config", "run.toml"], says);
}

#[test]
fn names_that_do_not_exist() {
    let place = Place::new();
    place.refuses(&["train", "--task", "calculater"], &["calculater", "did you mean calculator?"]);
    place.refuses(&["train", "--batchs", "3"], &["--batchs", "a similar argument exists: '--batch'"]);
    place.refuses(&["trian"], &["trian", "similar subcommands exist"]);
    place.refuses(&["tasks", "--stage", "7"], &["there is no stage 7", "stages 0 to 2", "did you mean 2?"]);
}

/// An empty name is no name: scripts set a variable so that they mean to be unset.
#[test]
fn kernels_that_do_not_exist() {
    let place = Place::new();
    let tasks = |kernels| place.command(crate::gradus(), &["tasks"]).env("GRADUS_KERNELS", kernels).output();
    let [wrong, none] = ["sse9", ""].map(|kernels| Called::of(tasks(kernels).expect("the command starts")));
    assert_eq!((wrong.code, none.code), (2, 0), "{wrong:?} {none:?}");
    wrong.err.assert_contains(&["no kernels 'sse9'", "choose one of reference, portable"]);
}

/// All the forms of a whole number that TOML has.
#[test]
fn whole_numbers_in_a_file_are_taken_in_every_form_of_toml() {
    let place = Place::new();
    for (text, want) in [("0x10", 16), ("0o20", 16), ("0b1_0000", 16), ("1_000", 1000), ("+16", 16), ("0xFf", 255)] {
        place.write("run.toml", format!("width = {text}\nseed = {text}\nmax_updates = {text}\nrate = {text}\n"));
        let out = format!("run-{text}");
        place.succeeds(&["train", "--config", "run.toml", "--batch=4", "--width=4", "--stop-after=1", "--out", &out]);
        let written = place.text(&format!("{out}/config.toml"));
        for key in ["seed", "max_updates", "rate"] {
            let line = written.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("a line");
            assert_eq!(line, format!("{key} = {want}"), "{text}");
        }
    }
    for (text, says) in
        [("0x0", "width = 0 is out of range"), ("-0b0", "this is not TOML"), ("0x1_0000", "width = 65536")]
    {
        refuses_file(format!("width = {text}\n"), &["run.toml, line 1, column", says]);
    }
    let huge = format!("0x{}", "f".repeat(40));
    refuses_file(format!("width = {huge}\n"), &["run.toml, line 1, column 9", &huge]);
}

/// More than any machine has, and products of sizes that no 32-bit number holds.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_that_does_not_fit_is_refused_before_there_is_a_folder() {
    let place = Place::new();
    let large = ["train", "--batch=1048576", "--width=4096", "--out=run"];
    let words = ["training needs ", " MiB of memory", " MiB are available", "choose a smaller batch or width"];
    for flags in [&[][..], &["--chunk=1"], &["--gru=reset-before"]] {
        place.refuses(&with(&large, flags), &words);
    }
    place.refuses(&["tutorial", "--batch=1048576", "--width=4096"], &words);
    let several = with(&large, &["--seeds=0..8", "--threads=3"]);
    place.refuses(&several, &[&words[..], &["in 3 runs at a time"]].concat());
    assert!(!place.path("run").exists());
}

#[test]
fn names_in_a_file_that_do_not_exist() {
    let says = ["run.toml, line 3, column 3", "no setting batchs", "did you mean batch?"];
    refuses_file("width = 16\n\n  batchs = 3\n", &says);
    let says = ["run.toml, line 1, column 8", "no task calculater, only calculator", "did you mean calculator?"];
    refuses_file("task = \"calculater\"\n", &says);
    refuses_file("[optimizer]\nrate = 1\n", &["optimizer = ", "adam, adamw, sgd or rmsprop"]);
}

/// Every way to the tutorial among the tasks names its new command, and the files of its earlier runs stay.
#[test]
fn the_tutorial_is_a_command_of_its_own() {
    let place = Place::new();
    let says = ["the tutorial has a command of its own now: gradus tutorial", "report.html", "test.json"];
    place.write("old.toml", "seed = 1\ntask = \"tutorial\"\nstage_updates = 3\n");
    place.succeeds(&small(&["--out", "old"]));
    place.write("old/config.toml", place.read("old.toml"));
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
        place.refuses(args, &says);
    }
    place.refuses(&["train", "--stage-updates", "3"], &["unexpected argument '--stage-updates'"]);
}

#[test]
fn values_out_of_range() {
    let place = Place::new();
    for (flag, value, range) in [
        ("batch", "0", "whole numbers from 1 to 1048576"),
        ("batch", "1.5", "whole numbers from 1 to 1048576"),
        ("width", "0", "whole numbers from 1 to 4096"),
        ("rate", "-1", "numbers above 0"),
        ("rate", "NaN", "numbers above 0"),
        ("rate", "inf", "numbers above 0"),
        ("gamma", "1.01", "numbers from 0 to 1"),
        ("patience", "18446744073709551615", "whole numbers from 1 to 1000000000"),
        ("optimizer", "adamax", "adam, adamw, sgd or rmsprop"),
    ] {
        let says = [&format!("--{flag}: {flag} = {value} is out of range"), range];
        place.refuses(&["train", &format!("--{flag}"), value], &says);
    }
    let says = ["--rate: rate = 1e-50 becomes 0.0 in f32", "1.401298464324817e-45", "it takes numbers above 0"];
    place.refuses(&["train", "--rate", "1e-50"], &says);
    place.refuses(&["train", "--beta2", "0.9999999999"], &["beta2 = 0.9999999999 becomes 1.0 in f32"]);
    place.refuses(&["train", "--seed", "-1"], &["invalid value '-1' for '--seed <N>'"]);
    place.refuses(&["train", "--threads", "-1"], &["'-1'", "whole numbers from 1 to 1024"]);
    place.refuses(&["train", "--seeds", "5..2"], &["5..2 ends before it begins"]);
    place.refuses(&["train", "--seeds", "1,1"], &["a seed is there twice"]);
    place.refuses(&["train", "--threads", "0"], &["'0'", "whole numbers from 1 to 1024"]);
}

#[test]
fn values_in_a_file_out_of_range() {
    let says = ["run.toml, line 2, column 8", "rate = nan is out of range", "numbers above 0"];
    refuses_file("# a comment\nrate = nan\n", &says);
    refuses_file("seed = -1\n", &["line 1, column 8", "seed = -1 is out of range"]);
}

#[test]
fn files_that_are_not_toml() {
    refuses_file("width = 16\nbatch = = 3\n", &["run.toml, line 2, column 9", "not TOML"]);
    refuses_file([0xff, 0xfe], &["cannot read run.toml", "UTF-8"]);
    let says = ["cannot read missing.toml", "configuration file in TOML"];
    Place::new().refuses(&["train", "--config", "missing.toml"], &says);
}

#[test]
fn folders_that_cannot_be_written() {
    let place = Place::new();
    place.write("file", "in the way");
    place.refuses(&small(&["--out", "file"]), &["cannot make the folder file", "--out"]);
    place.refuses(&small(&["--out", "file/run"]), &["cannot make the folder file/run", "--out"]);
    place.refuses(&small(&["--out", "/proc/run"]), &["cannot make the folder /proc/run", "--out"]);
    place.write("runs", "in the way of the default");
    place.refuses(&SMALL, &["cannot make the folder runs", "--out"]);
}

#[test]
fn folders_that_are_not_empty() {
    let place = Place::trained();
    place.refuses(&small(&["--out", "run"]), &["run already holds a run", "--out"]);
    place.refuses(&small(&["--out", "run", "--seeds", "0,1"]), &["run already holds a run"]);
    place.refuses(&small(&["--out", "."]), &[". is not empty", "--out"]);
}

#[test]
fn checkpoints_that_cannot_be_loaded() {
    let place = Place::trained();
    let (model, config) = (place.read("run/model.safetensors"), place.read("run/config.toml"));
    let eval = |content: &[u8], says: &[&str]| {
        place.write("run/model.safetensors", content);
        place.refuses(&["eval", "run"], says);
        place.refuses(&small(&["--init", "run/model.safetensors"]), says);
    };
    eval(b"", &["model.safetensors", "cut off"]);
    eval(&model[..model.len() - 1], &["model.safetensors", "cut off"]);
    eval(b"not a checkpoint, but a text of some length", &["model.safetensors", "is not a safetensors file"]);
    eval(b"\x02\0\0\0\0\0\0\0[]", &["model.safetensors", "is not a safetensors file"]);
    let header = u64::from_le_bytes(model[..8].try_into().expect("eight bytes")) as usize + 8;
    let nan = [&model[..header], &f32::NAN.to_le_bytes()[..], &model[header + 4..]].concat();
    eval(&nan, &["model.safetensors", "damaged", "crc32"]);
    let key = nan.windows(5).position(|word| word == b"crc32").expect("there is a checksum");
    let unchecked = [&nan[..key], b"other", &nan[key + 5..]].concat();
    eval(&unchecked, &["emb.weight", "not finite"]);

    place.write("run/model.safetensors", &model);
    let edited = String::from_utf8(config.clone()).expect("text").replace("reset-after", "reset-before");
    assert_ne!(edited.as_bytes(), config);
    place.write("run/config.toml", edited);
    place.refuses(&["eval", "run"], &["its gru is reset-after, expected reset-before"]);
    place.write("run/config.toml", &config);
    std::fs::remove_file(place.path("run/model.safetensors")).expect("it is there");
    place.refuses(&["eval", "run"], &["run holds no trained agent", "model.safetensors", "interrupted"]);
    eval(&of_another_task(&model), &["its task is tutorial-1, expected calculator"]);
    place.refuses(&["eval", "nowhere"], &["nowhere holds no run", "config.toml"]);

    place.write("run/model.safetensors", &model);
    place.refuses(&["eval", "run", "--stage", "3"], &["no stage 3", "stages 0 to 2"]);
    place.refuses(&["eval", "run", "--episodes", "0"], &["'0'", "whole numbers from 1"]);
    place.refuses(&["train", "--init", "run/model.safetensors"], &["its width is 16, expected 96"]);
    let wider = String::from_utf8(config).expect("UTF-8").replace("width = 16", "width = 17");
    place.write("run/config.toml", wider);
    place.refuses(&["eval", "run"], &["its width is 16, expected 17"]);
}

/// Whoever has closed the pipe still gets the exit code.
#[test]
fn an_error_that_nobody_reads_is_no_panic() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = Place::new().command(crate::gradus(), &["eval", "nowhere"]).stderr(writer).status();
    assert_eq!(status.expect("the command starts").code(), Some(2));
}

/// The configuration that a run writes is UTF-8, and must name the same file.
#[cfg(target_os = "linux")]
#[test]
fn initial_weights_whose_name_is_not_utf_8_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"model-\xff");
    let place = Place::new();
    let mut command = place.command(crate::gradus(), &SMALL);
    let called = Called::of(command.arg("--init").arg(name).output().expect("the command starts"));
    assert_eq!(called.code, 2);
    assert!(called.err.contains("is not UTF-8") && called.err.contains("another name"), "{called:?}");
}

/// Linux takes any bytes as a name.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_not_utf_8_is_a_folder() {
    use std::os::unix::ffi::OsStrExt;
    let (place, name) = (Place::new(), std::ffi::OsStr::from_bytes(b"run-\xff"));
    let calls: [(&[&str], &[&str]); 4] = [
        (&SMALL, &["--stop-after=2", "--out"]),
        (&["train", "--resume"], &[]),
        (&["report"], &[]),
        (&["eval", "--episodes=2"], &[]),
    ];
    for (first, more) in calls {
        let output = place.command(crate::gradus(), &with(first, more)).arg(name).output();
        let called = Called::of(output.expect("the command starts"));
        assert_eq!((called.code, called.err.as_str()), (0, ""), "{called:?}");
    }
    assert!(place.path("").join(name).join("report.html").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn devices_without_end_are_not_read_to_it() {
    let place = Place::new();
    place.refuses(&["train", "--config", "/dev/zero"], &["cannot read /dev/zero", "more than 1048576 bytes"]);
    place.refuses(&["config", "--check", "/dev/zero"], &["cannot read /dev/zero", "more than 1048576 bytes"]);
    place.succeeds(&small(&["--out", "a"]));
    for command in [&["explain", "a", "--html=/dev/full"][..], &["report", "a", "--out", "/dev/full"]] {
        place.refuses(command, &["cannot write /dev/full", "a pipe or a device"]);
    }
}
