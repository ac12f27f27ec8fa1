//! Output of `watch` for runs that have finished, stopped, not started yet, or are running.

use std::fs::File;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::sandbox::{AssertContains, Sandbox, concat_args, small_training};

/// Runs `watch`, asserts that it changes no file, and returns its output and errors.
#[track_caller]
fn watch(sandbox: &Sandbox, args: &[&str], code: i32) -> (String, String) {
    let before = sandbox.files();
    let result = sandbox.run_gradus(&concat_args(&["watch"], args));
    assert_eq!(result.code, code, "{result:?}");
    assert!(sandbox.files() == before, "watch has changed files");
    assert!(result.out.chars().all(|c| c == '\n' || !c.is_control()), "{}", result.out);
    (result.out, result.err)
}

/// Returns the lines of validations, without the steps per second, which depend on the clock.
fn validations(out: &str) -> Vec<&str> {
    let lines = out.lines().filter(|line| line.contains("update ") && line.contains("  entropy "));
    let is_rate = |line: &&str| line.ends_with(" steps/s");
    lines.map(|line| line.rsplit_once("  ").filter(|_| is_rate(&line)).map_or(line, |(rest, _)| rest)).collect()
}

fn table(out: &str) -> Vec<&str> {
    out.lines().filter(|line| line.starts_with('|')).collect()
}

#[test]
fn watch_finished_run_prints_the_same_as_the_training() {
    let sandbox = Sandbox::new();
    let trained = sandbox.expect_success(&small_training(&["--out", "run"]));
    let (out, err) = watch(&sandbox, &["run"], 0);
    assert_eq!((validations(&out), table(&out), err.as_str()), (validations(&trained), table(&trained), ""));
    assert!(!validations(&out).is_empty() && !table(&out).is_empty(), "{out}");
    let (out, _) = watch(&sandbox, &["run", "--once"], 0);
    assert!(out.starts_with("calculator-stages  seed 0  update ") && out.contains("return "), "{out}");
    assert_eq!(table(&out), table(&trained));
}

#[test]
fn watch_failed_run_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.run_gradus(&small_training(&["--rate", "1e30", "--out", "run"]));
    let (_, err) = watch(&sandbox, &["run"], 1);
    assert!(err.starts_with("error: update 2: ") && err.contains("parameter emb.weight"), "{err}");
}

#[test]
fn watch_stopped_run_prints_how_to_resume() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "2"]));
    let message = "no process trains in run: stopped after update 2; resume with: gradus train --resume run";
    let (out, err) = watch(&sandbox, &["run", "--interval", "10"], 1);
    assert_eq!((validations(&out).len(), err), (1, format!("error: {message}\n")));
    let (out, err) = watch(&sandbox, &["run", "--once"], 0);
    assert!(out.ends_with(&format!("{message}\n")) && out.contains("update 2/3") && err.is_empty(), "{out}{err}");
    sandbox.expect_success(&["train", "--resume", "run"]);
    assert!(watch(&sandbox, &["run"], 0).0.contains("update    3/3"));
}

#[test]
fn watch_run_killed_before_its_start_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "run", "--stop-after", "1"]));
    for name in sandbox.names("run").iter().filter(|name| !["about.json", "lock"].contains(&name.as_str())) {
        std::fs::remove_file(sandbox.path("run").join(name)).expect("the file exists");
    }
    let message = "no process trains in run: its run ended before it started; delete it and start a new one";
    assert_eq!(watch(&sandbox, &["run", "--interval", "10"], 1).1, format!("error: {message}\n"));
    assert!(watch(&sandbox, &["run", "--once"], 0).0.ends_with(&format!("{message}\n")));
}

#[test]
fn watch_several_seeds_prints_their_table() {
    let sandbox = Sandbox::new();
    let args = small_training(&["--seeds", "2,0", "--out", "runs"]);
    sandbox.expect_success(&concat_args(&args, &["--stop-after", "2"]));
    let (out, _) = watch(&sandbox, &["runs", "--once"], 0);
    out.assert_contains(&[
        "seed 2",
        "seed 0",
        "   2/3",
        "0 of 2 finished",
        "no process trains in runs: 0 of 2 runs have finished",
    ]);
    let trained = sandbox.expect_success(&["train", "--resume", "runs"]);
    let (out, _) = watch(&sandbox, &["runs"], 0);
    assert_eq!(table(&out), table(&trained));
    assert!(out.contains("seed 2: update    3/3"), "{out}");
    assert!(watch(&sandbox, &["runs", "--once"], 0).0.contains("2 of 2 finished"));
    assert!(watch(&sandbox, &["runs/seed-2", "--once"], 0).0.starts_with("calculator-stages  seed 2"));
}

#[test]
fn watch_format_version_1_is_supported() {
    let sandbox = Sandbox::with_trained_run();
    sandbox.expect_success(&small_training(&["--seeds", "0,1", "--out", "runs"]));
    for name in ["run/about.json", "run/lock", "runs/about.json", "runs/lock", "runs/config.toml"] {
        std::fs::remove_file(sandbox.path(name)).expect("the file exists");
    }
    assert!(watch(&sandbox, &["run"], 0).0.contains("update    3/3"));
    assert!(watch(&sandbox, &["runs"], 0).0.contains("| median "));
    std::fs::remove_file(sandbox.path("run/test.json")).expect("the file exists");
    let (_, err) = watch(&sandbox, &["run", "--interval", "10"], 1);
    assert!(err.contains("stopped after update 3; the folder has format version 1"), "{err}");
}

#[test]
fn watch_invalid_folder_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_refusal(&["watch", "nowhere"], &["there is no folder nowhere", "gradus train"]);
    sandbox.write("file", "a file");
    sandbox.expect_refusal(&["watch", "file"], &["file holds no run", "config.toml"]);
    sandbox.expect_refusal(&["watch", "."], &[". holds no run"]);
    sandbox.expect_refusal(&["watch", "nowhere", "--interval", "0"], &["a whole number from 10 to 3600000"]);
    sandbox.expect_success(&small_training(&["--out", "run"]));
    std::fs::remove_file(sandbox.path("run/test.json")).expect("the file exists");
    sandbox.write("run/metrics.jsonl", "{\"update\":\n");
    sandbox.expect_refusal(&["watch", "run"], &["metrics.jsonl, line 1: invalid metrics"]);
    sandbox.write("run/config.toml", "width = 0");
    sandbox.expect_refusal(&["watch", "run"], &["config.toml, line 1", "width = 0 is out of range"]);
}

/// A background process that is killed when the test ends.
struct BackgroundProcess(Child);

impl BackgroundProcess {
    fn new(sandbox: &Sandbox, args: &[&str], out: &str) -> Self {
        let out = File::create(sandbox.path(out)).expect("created");
        let child = sandbox.command(crate::gradus_path(), args).stdout(out).stderr(Stdio::null()).spawn();
        Self(child.expect("the command starts"))
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("a child process").is_none()
    }
}

impl Drop for BackgroundProcess {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits until a file holds `count` lines that contain `part`. Panics if one of the processes ends earlier.
fn wait_for_lines(sandbox: &Sandbox, name: &str, part: &str, count: usize, processes: [&mut BackgroundProcess; 2]) {
    let lines = || String::from_utf8_lossy(&sandbox.read(name)).lines().filter(|line| line.contains(part)).count();
    let [a, b] = processes;
    while lines() < count {
        assert!([&mut *a, b].into_iter().all(BackgroundProcess::is_running), "a process ended too early");
        sleep(Duration::from_millis(10));
    }
}

/// The watcher starts before the training, follows it, and notices that it was killed. It does not prevent the start of the
/// training or a resume.
#[test]
fn watch_follows_a_run_from_before_its_start_until_it_is_killed() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("run")).expect("created");
    assert!(watch(&sandbox, &["run", "--once"], 0).0.contains("training has not started in run yet"));
    let mut watcher = BackgroundProcess::new(&sandbox, &["watch", "run", "--interval", "10"], "watched");
    let long = small_training(&["--max-updates=1000000", "--save-every", "2", "--out", "run"]);
    let mut training = BackgroundProcess::new(&sandbox, &long, "trained");
    wait_for_lines(&sandbox, "watched", "entropy", 2, [&mut watcher, &mut training]);
    let once = sandbox.expect_success(&["watch", "run", "--once"]);
    assert!(once.contains("calculator-stages  seed 0  update ") && !once.contains("no process"), "{once}");
    drop(training);
    assert_eq!(watcher.0.wait().expect("a child process").code(), Some(1));
    let [trained, watched] = ["trained", "watched"].map(|name| sandbox.text(name));
    let (trained, watched) = (validations(&trained), validations(&watched));
    assert_eq!(trained, watched[..trained.len()]); // training may have written a last line without printing it
    sandbox.expect_success(&["train", "--resume", "run", "--stop-after", "1"]);
}
