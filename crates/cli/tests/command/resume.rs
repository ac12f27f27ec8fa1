//! A run that is stopped and gone on with leaves the same bytes as one that was not.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::place::{Called, Place, small, with};

/// What tells the time, or of the machine.
const NOT_COMPARED: [&str; 4] = ["about.json", "clock.json", "lock", "report.html"];

/// All files of a folder, those aside that tell the time.
fn files(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = place.path(folder);
    let named = place.files().into_iter().filter_map(|(path, content)| {
        let name = path.strip_prefix(&root).ok()?.to_str().expect("UTF-8").to_owned();
        let last = name.rsplit('/').next().expect("a name").to_owned();
        (path.is_file() && !NOT_COMPARED.contains(&last.as_str())).then_some((name, content))
    });
    named.collect()
}

#[track_caller]
pub(crate) fn assert_same(place: &Place, a: &str, b: &str) {
    let (a_files, b_files) = (files(place, a), files(place, b));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a_files), names(&b_files), "{a} and {b}");
    for ((name, left), (_, right)) in a_files.into_iter().zip(b_files) {
        assert!(left == right, "{name} of {a} and {b} differ");
    }
}

/// The kernels change what is computed: who goes on with others is told, and the folder keeps the names of all.
#[test]
fn with_other_kernels_is_said_and_recorded() {
    let place = Place::new();
    let gradus = |kernels: &str, args: &[&str]| {
        let output = place.command(crate::gradus(), args).env("GRADUS_KERNELS", kernels).output();
        let called = Called::of(output.expect("the command starts"));
        assert_eq!(called.code, 0, "{called:?}");
        called.out + &called.err
    };
    let names = |folder: &str| {
        let about = place.json(&format!("{folder}/about.json"));
        let later = about["went_on"].as_array().cloned().unwrap_or_default();
        let later = later.iter().map(|went_on| went_on["kernels"].clone());
        [about["machine"]["kernels"].clone()].into_iter().chain(later).collect::<Vec<_>>()
    };
    for seeds in [&["--out", "run"][..], &["--seeds", "0,1", "--out", "runs"]] {
        let out = seeds[seeds.len() - 1];
        gradus("portable", &with(&small(seeds), &["--stop-after", "1"]));
        let resume = ["train", "--resume", out, "--stop-after", "1"];
        let said = gradus("reference", &resume);
        assert!(said.contains("going on with the kernels reference, after portable"), "{said}");
        let said = gradus("reference", &["train", "--resume", out]);
        assert!(!said.contains("going on with the kernels"), "{said}");
        for folder in if out == "run" { &["run"][..] } else { &["runs", "runs/seed-0", "runs/seed-1"] } {
            assert_eq!(names(folder), ["portable", "reference"], "{folder}");
        }
    }
    // A run that is over computes nothing.
    for out in ["run", "runs"] {
        gradus("portable", &["train", "--resume", out]);
        assert_eq!(names(out), ["portable", "reference"], "{out}");
    }
}

/// Everything that a run has to remember: a curriculum that unlocks, successes that are imitated, a rate that falls.
const REMEMBERS: &str = "--max-updates=12 --curriculum=gate --unlock=0.01 --imitate=4 --rate-schedule=cosine --save-every=4 \
    --keep-every=5 --patience=1 --entropy-updates=12 --normalize-advantages=true --optimizer=adamw --weight-decay=0.01 --seed=3";

#[test]
fn at_several_updates_and_numbers_of_threads() {
    let place = Place::new();
    let train = small(&REMEMBERS.split(' ').collect::<Vec<_>>());
    place.succeeds(&with(&train, &["--out", "whole", "--threads", "2"]));
    assert!(place.names("whole").contains(&"best.safetensors".to_owned()));
    assert_eq!(place.names("whole/checkpoints"), ["update-000005.safetensors", "update-000010.safetensors"]);
    for (k, stops) in [&["1", "2", "1", "4"][..], &["5"], &["11"]].into_iter().enumerate() {
        let out = format!("parts-{k}");
        place.succeeds(&with(&train, &["--out", &out, "--threads", "1", "--stop-after", stops[0]]));
        for (stop, threads) in stops[1..].iter().zip(["4", "2", "1"]) {
            place.succeeds(&["train", "--resume", &out, "--threads", threads, "--stop-after", stop]);
        }
        let last = place.succeeds(&["train", "--resume", &out, "--threads", "4"]);
        assert!(last.contains("out of updates; 12 updates"), "{last}");
        assert_same(&place, "whole", &out);
    }
}

#[test]
fn of_several_seeds() {
    let place = Place::new();
    let train = small(&["--seeds", "4..6"]);
    place.succeeds(&with(&train, &["--out", "whole", "--threads", "3"]));
    let said = place.succeeds(&with(&train, &["--out", "parts", "--stop-after", "2", "--threads", "1"]));
    assert!(said.ends_with("go on with: gradus train --resume parts\n"), "{said}");
    assert!(!place.path("parts/table.md").exists());
    let said = place.succeeds(&["train", "--resume", "parts", "--threads", "2"]);
    assert!(said.contains("seed 6: going on after update 2"), "{said}");
    let without_seconds = |folder: &str| {
        let mut table = place.json(&format!("{folder}/table.json"));
        table["spread"]["seconds"].take();
        table["runs"].as_array_mut().expect("a list").iter_mut().for_each(|run| drop(run["seconds"].take()));
        table
    };
    assert_eq!(without_seconds("whole"), without_seconds("parts"));
    for seed in ["seed-4", "seed-5", "seed-6"] {
        assert_same(&place, &format!("whole/{seed}"), &format!("parts/{seed}"));
    }
}

/// A process that is killed may have made the folder of a seed, and nothing in it yet; or be about to keep a checkpoint.
#[test]
fn of_several_seeds_of_which_one_had_not_begun() {
    let place = Place::new();
    let train = small(&["--seeds", "0,1", "--keep-every=1"]);
    place.succeeds(&with(&train, &["--out", "whole"]));
    place.succeeds(&with(&train, &["--out", "parts", "--stop-after", "1"]));
    for entry in fs::read_dir(place.path("parts/seed-1")).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("about.json" | "lock") => Ok(()),
            Some("checkpoints") => fs::remove_dir_all(path),
            _ => fs::remove_file(path),
        }
        .expect("removed");
    }
    place
        .write("parts/seed-0/checkpoints/update-000002.safetensors.0.part", "left behind by a process that was killed");
    place.succeeds(&["train", "--resume", "parts"]);
    for seed in ["seed-0", "seed-1"] {
        assert_same(&place, &format!("whole/{seed}"), &format!("parts/{seed}"));
    }
}

/// What is wrong is said at once, and again at the end: the others may go on for hours.
#[test]
fn of_several_seeds_of_which_one_is_damaged() {
    let place = Place::new();
    let train = small(&["--seeds", "0,1", "--out", "runs"]);
    place.succeeds(&with(&train, &["--stop-after", "1"]));
    place.write("runs/seed-0/model.safetensors", "damaged");
    let called = place.gradus(&["train", "--resume", "runs", "--threads", "2"]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.out.contains("seed 0: stopped: checkpoint runs/seed-0/model.safetensors"), "{called:?}");
    assert!(called.err.starts_with("error: checkpoint runs/seed-0/model.safetensors"), "{called:?}");
}

/// A run that has lost what was written after its last checkpoint, in any way, makes it again.
#[test]
fn from_a_checkpoint_with_more_in_the_journals_than_it_knows() {
    let place = Place::new();
    let train = small(&["--save-every", "2"]);
    place.succeeds(&with(&train, &["--out", "whole"]));
    place.succeeds(&with(&train, &["--out", "parts", "--stop-after", "2"]));
    let metrics = place.read("parts/metrics.jsonl");
    place.write("parts/metrics.jsonl", [&metrics[..], b"{\"update\":3,\"rate\":0.0"].concat());
    place.write("parts/model.safetensors.0.part", b"left behind by a process that was killed");
    place.succeeds(&["train", "--resume", "parts"]);
    assert_same(&place, "whole", "parts");
}

#[test]
fn a_run_that_is_over_stays_as_it_is() {
    let place = Place::trained();
    let before = files(&place, "run");
    let said = place.succeeds(&["train", "--resume", "run"]);
    assert!(said.contains("this run is over") && said.contains("most frequent program"), "{said}");
    assert_eq!(files(&place, "run"), before);
    fs::remove_file(place.path("run/test.json")).expect("it is there");
    place.succeeds(&["train", "--resume", "run"]);
    assert_eq!(files(&place, "run"), before, "the test is played again");
}

#[test]
fn what_cannot_be_gone_on_with_is_refused() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--stop-after", "2"]));
    let refuses = |says: &[&str]| place.refuses(&["train", "--resume", "run"], says);
    place.refuses(&["train", "--resume", "nowhere"], &["nowhere holds no run", "about.json"]);
    place.refuses(&["train", "--resume", "run", "--rate", "1e-3"], &["--resume takes no settings"]);
    place.refuses(&["train", "--resume", "run", "--seed", "1"], &["--resume", "--seed", "cannot be used with"]);

    let about = place.text("run/about.json");
    place.write("run/about.json", about.replace("\"format\": 2", "\"format\": 3"));
    refuses(&["run is a folder of version 3", "made by gradus 0.1.0", "reads versions 1 to 2"]);
    place.write("run/about.json", "{}");
    refuses(&["about.json does not tell a version"]);
    fs::remove_file(place.path("run/about.json")).expect("it is there");
    refuses(&["run is of version 1", "--init run/model.safetensors"]);
    place.write("run/about.json", &about);

    let metrics = place.read("run/metrics.jsonl");
    place.write("run/metrics.jsonl", &metrics[..metrics.len() - 1]);
    refuses(&["metrics.jsonl", "or more: it was cut off"]);
    place.write("run/metrics.jsonl", [b"x", &metrics[1..]].concat());
    refuses(&["metrics.jsonl, line 1", "not of the metrics"]);
    place.write("run/metrics.jsonl", &metrics);

    let model = place.read("run/model.safetensors");
    for (from, to, says) in [
        ("\\\"updates\\\":2", "\\\"updates\\\":9", "9 updates; expected at most 3"),
        ("\\\"unlocked\\\":0", "\\\"unlocked\\\":7", "of which 7 is the last open"),
        ("\\\"perfect\\\":0", "\\\"perfekt\\\":0", "unknown field `perfekt`"),
        ("run.metrics", "run.matrics", "it says nothing of run.metrics"),
        ("\"seed\":\"0\"", "\"seed\":\"1\"", "its seed is 1, and the run's is 0"),
    ] {
        place.write("run/model.safetensors", replaced(&model, from, to));
        refuses(&["checkpoint run/model.safetensors", "it was damaged"]);
        place.write("run/model.safetensors", replaced(&replaced(&model, from, to), "crc32", "other"));
        refuses(&["checkpoint run/model.safetensors", says]);
    }
    place.write("run/model.safetensors", &model);
    place.succeeds(&["train", "--resume", "run"]);
}

/// `bytes` with the first `from` replaced by `to`, which is as long.
#[track_caller]
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {from}"));
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

/// A pipe, where a file is expected, would have to be waited for.
#[cfg(unix)]
#[test]
fn pipes_in_the_place_of_files_are_refused() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--stop-after", "2"]));
    for name in ["about.json", "config.toml", "metrics.jsonl", "model.safetensors"] {
        let (path, aside) = (place.path(&format!("run/{name}")), place.path("aside"));
        fs::rename(&path, &aside).expect("it is there");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo is there");
        assert!(made.success());
        let called = place.gradus(&["report", "run"]);
        assert_eq!(called.code, if name.starts_with("model") { 0 } else { 2 }, "{name}: {called:?}");
        let called = place.gradus(&["train", "--resume", "run"]);
        assert!(called.code == 2 && called.err.contains(name) && called.err.contains("file"), "{name}: {called:?}");
        fs::remove_file(&path).and_then(|()| fs::rename(&aside, &path)).expect("put back");
    }
    place.succeeds(&["train", "--resume", "run"]);
}

#[test]
fn what_is_missing_is_named() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "my run", "--stop-after", "2"]));
    let config = place.read("my run/config.toml");
    fs::remove_file(place.path("my run/config.toml")).expect("it is there");
    place.refuses(&["train", "--resume", "my run"], &["my run has lost its config.toml", "put it back"]);
    place.write("my run/config.toml", config);
    fs::remove_file(place.path("my run/model.safetensors")).expect("it is there");
    let said = place.succeeds(&["train", "--resume", "my run", "--stop-after", "1"]);
    assert!(said.contains("there is no checkpoint: beginning again"), "{said}");
    assert!(said.ends_with("go on with: gradus train --resume 'my run'\n"), "{said}");
}

/// A training that takes long enough to be interrupted, after its first update.
fn long(place: &Place, out: &str) -> Child {
    let args = small(&["--out", out, "--save-every=1", "--max-updates=1000000"]);
    let mut command = place.command(crate::gradus(), &args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let metrics = place.path(&format!("{out}/metrics.jsonl"));
    while fs::metadata(&metrics).map_or(0, |metrics| metrics.len()) == 0 {
        assert!(child.try_wait().expect("a process").is_none(), "it has ended");
        std::thread::yield_now();
    }
    child
}

#[test]
fn two_processes_in_one_folder_are_one_too_many() {
    let place = Place::new();
    let mut first = long(&place, "run");
    let id = first.id();
    for args in [&["train", "--resume", "run"][..], &small(&["--out", "run"])] {
        let called = place.gradus(args);
        assert_eq!(called.code, 2, "{called:?}");
        let in_use = called.err.contains(&format!("run is in use by another gradus (process {id})"));
        assert!(in_use || called.err.contains("already holds a run"), "{called:?}");
    }
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    place.succeeds(&["train", "--resume", "run", "--stop-after", "1"]);
}

/// Ctrl-C is a signal that another process can send, where there are signals.
#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_update_saves_and_says_how_to_go_on() {
    let place = Place::new();
    let child = long(&place, "run");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(said.ends_with("stopped, and saved; go on with: gradus train --resume run\n"), "{said}");
    assert!(String::from_utf8(output.stderr).expect("UTF-8").contains("finishing the update"));
    place.succeeds(&["eval", "run", "--episodes", "3"]);
    let said = place.succeeds(&["train", "--resume", "run", "--stop-after", "1"]);
    assert!(said.contains("going on after update"), "{said}");
}

#[test]
fn settings_that_are_cut_off_are_no_defaults() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--stop-after", "1"]));
    let config = place.text("run/config.toml");
    place.write("run/config.toml", &config[..config.find("\nmax_updates = ").expect("a setting")]);
    let (metrics, model) = (place.read("run/metrics.jsonl"), place.read("run/model.safetensors"));
    let called = place.gradus(&["train", "--resume", "run"]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.err.contains("run/config.toml: there is no max_updates; expected every setting"), "{called:?}");
    assert!(place.read("run/metrics.jsonl") == metrics && place.read("run/model.safetensors") == model);
}
