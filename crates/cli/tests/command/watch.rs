//! What `watch` shows of runs that are over, stopped, about to begin, and going on.

use std::fs::File;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::place::{AssertContains, Place, small, with};

/// Watching does not change a folder.
#[track_caller]
fn watches(place: &Place, args: &[&str], code: i32) -> (String, String) {
    let before = place.files();
    let called = place.gradus(&with(&["watch"], args));
    assert_eq!(called.code, code, "{called:?}");
    assert!(place.files() == before, "watch has changed files");
    assert!(called.out.chars().all(|c| c == '\n' || !c.is_control()), "{}", called.out);
    (called.out, called.err)
}

/// The lines of validations, without the rate, which depends on the clock.
fn validations(out: &str) -> Vec<&str> {
    let lines = out.lines().filter(|line| line.contains("update ") && line.ends_with(" steps/s"));
    lines.map(|line| line.rsplit_once("  ").expect("a rate").0).collect()
}

fn table(out: &str) -> Vec<&str> {
    out.lines().filter(|line| line.starts_with('|')).collect()
}

#[test]
fn a_run_that_is_over_is_told_as_the_training_told_it() {
    let place = Place::new();
    let trained = place.succeeds(&small(&["--out", "run"]));
    let (out, err) = watches(&place, &["run"], 0);
    assert_eq!((validations(&out), table(&out), err.as_str()), (validations(&trained), table(&trained), ""));
    assert!(!validations(&out).is_empty() && !table(&out).is_empty(), "{out}");
    let (out, _) = watches(&place, &["run", "--once"], 0);
    assert!(out.starts_with("calculator  seed 0  update ") && out.contains("return "), "{out}");
    assert_eq!(table(&out), table(&trained));
}

#[test]
fn a_run_that_failed_is_told_as_failed() {
    let place = Place::new();
    place.gradus(&small(&["--rate", "1e30", "--out", "run"]));
    let (_, err) = watches(&place, &["run"], 1);
    assert!(err.starts_with("error: update 2: ") && err.contains("parameter emb.weight"), "{err}");
}

#[test]
fn a_run_that_stopped_is_told_with_how_to_go_on() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--stop-after", "2"]));
    let words = "nobody trains in run: stopped after update 2; go on with: gradus train --resume run";
    let (out, err) = watches(&place, &["run", "--interval", "10"], 1);
    assert_eq!((validations(&out).len(), err), (1, format!("error: {words}\n")));
    let (out, err) = watches(&place, &["run", "--once"], 0);
    assert!(out.ends_with(&format!("{words}\n")) && out.contains("update 2/3") && err.is_empty(), "{out}{err}");
    place.succeeds(&["train", "--resume", "run"]);
    assert!(watches(&place, &["run"], 0).0.contains("update    3/3"));
}

#[test]
fn a_run_that_was_killed_before_it_began_is_not_waited_for() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "run", "--stop-after", "1"]));
    for name in place.names("run").iter().filter(|name| !["about.json", "lock"].contains(&name.as_str())) {
        std::fs::remove_file(place.path("run").join(name)).expect("it is there");
    }
    let words = "nobody trains in run: its run was ended before it began; remove it, and start a new one";
    assert_eq!(watches(&place, &["run", "--interval", "10"], 1).1, format!("error: {words}\n"));
    assert!(watches(&place, &["run", "--once"], 0).0.ends_with(&format!("{words}\n")));
}

#[test]
fn several_seeds_are_told_with_their_table() {
    let place = Place::new();
    let args = small(&["--seeds", "2,0", "--out", "runs"]);
    place.succeeds(&with(&args, &["--stop-after", "2"]));
    let (out, _) = watches(&place, &["runs", "--once"], 0);
    out.assert_contains(&["seed 2", "seed 0", "   2/3", "0 of 2 over", "nobody trains in runs: 0 of 2 runs are over"]);
    let trained = place.succeeds(&["train", "--resume", "runs"]);
    let (out, _) = watches(&place, &["runs"], 0);
    assert_eq!(table(&out), table(&trained));
    assert!(out.contains("seed 2: update    3/3"), "{out}");
    assert!(watches(&place, &["runs", "--once"], 0).0.contains("2 of 2 over"));
    assert!(watches(&place, &["runs/seed-2", "--once"], 0).0.starts_with("calculator  seed 2"));
}

#[test]
fn folders_of_version_1_are_shown_too() {
    let place = Place::trained();
    place.succeeds(&small(&["--seeds", "0,1", "--out", "runs"]));
    for name in ["run/about.json", "run/lock", "runs/about.json", "runs/lock", "runs/config.toml"] {
        std::fs::remove_file(place.path(name)).expect("it is there");
    }
    assert!(watches(&place, &["run"], 0).0.contains("update    3/3"));
    assert!(watches(&place, &["runs"], 0).0.contains("| median "));
    std::fs::remove_file(place.path("run/test.json")).expect("it is there");
    let (_, err) = watches(&place, &["run", "--interval", "10"], 1);
    assert!(err.contains("stopped after update 3; it is of version 1"), "{err}");
}

#[test]
fn what_is_no_run_is_refused() {
    let place = Place::new();
    place.refuses(&["watch", "nowhere"], &["cannot watch nowhere", "gradus train"]);
    place.write("file", "a file");
    place.refuses(&["watch", "file"], &["file holds no run", "config.toml"]);
    place.refuses(&["watch", "."], &[". holds no run"]);
    place.refuses(&["watch", "nowhere", "--interval", "0"], &["0 is not in 10..=3600000"]);
    place.succeeds(&small(&["--out", "run"]));
    std::fs::remove_file(place.path("run/test.json")).expect("it is there");
    place.write("run/metrics.jsonl", "{\"update\":\n");
    place.refuses(&["watch", "run"], &["metrics.jsonl, line 1: this is not of the metrics"]);
    place.write("run/config.toml", "width = 0");
    place.refuses(&["watch", "run"], &["config.toml, line 1", "width = 0 is out of range"]);
}

/// A process that ends with the test.
struct Started(Child);

impl Started {
    fn new(place: &Place, args: &[&str], out: &str) -> Self {
        let out = File::create(place.path(out)).expect("made");
        let child = place.command(crate::gradus(), args).stdout(out).stderr(Stdio::null()).spawn();
        Self(child.expect("the command starts"))
    }

    fn goes_on(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits until a file holds `count` lines that contain `part`, as long as all these processes go on.
fn wait(place: &Place, name: &str, part: &str, count: usize, processes: [&mut Started; 2]) {
    let lines = || String::from_utf8_lossy(&place.read(name)).lines().filter(|line| line.contains(part)).count();
    let [a, b] = processes;
    while lines() < count {
        assert!([&mut *a, b].into_iter().all(Started::goes_on), "a process has ended too early");
        sleep(Duration::from_millis(10));
    }
}

/// The watcher is there before the training, follows it, and notices that it was killed. It is then gone on with: what
/// was in the way of it neither before nor after.
#[test]
fn a_run_is_followed_from_before_its_beginning_to_its_violent_end() {
    let place = Place::new();
    std::fs::create_dir(place.path("run")).expect("made");
    assert!(watches(&place, &["run", "--once"], 0).0.contains("run has not begun yet"));
    let mut watcher = Started::new(&place, &["watch", "run", "--interval", "10"], "watched");
    let long = small(&["--max-updates=1000000", "--save-every", "2", "--out", "run"]);
    let mut training = Started::new(&place, &long, "trained");
    wait(&place, "watched", "steps/s", 2, [&mut watcher, &mut training]);
    let once = place.succeeds(&["watch", "run", "--once"]);
    assert!(once.contains("calculator  seed 0  update ") && !once.contains("nobody"), "{once}");
    drop(training);
    assert_eq!(watcher.0.wait().expect("it is ours").code(), Some(1));
    let [trained, watched] = ["trained", "watched"].map(|name| place.text(name));
    let (trained, watched) = (validations(&trained), validations(&watched));
    assert_eq!(trained, watched[..trained.len()]); // the last one may have been written, and not yet printed
    place.succeeds(&["train", "--resume", "run", "--stop-after", "1"]);
}
