//! A process killed at any moment leaves a folder that loads and a run that can be resumed.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nn::Checkpoint;
use tensor::philox::{Philox, Purpose, Stream};

use super::sandbox::{Sandbox, assert_same_files, concat_args, small_training};

/// Number of kills.
const KILLS: usize = 100;

/// A hundred processes train one run, one after another. Each is killed at a random moment. After each kill the folder
/// loads, never at an earlier update than before. In the end all files are the same as without kills. The maximum delay
/// before a kill is measured, because a busy machine takes several times as long to start a process and to train.
#[test]
fn train_killed_a_hundred_times_loses_no_checkpoint() {
    let sandbox = Sandbox::new();
    let many = "--max-updates=1000000000";
    let train = small_training(&[many, "--save-every=2", "--keep-every=50", "--imitate=2", "--threads=1"]);

    let gradus = crate::gradus_path(); // builds it
    let began = Instant::now();
    sandbox.expect_success(&concat_args(&train, &["--out", "measured", "--stop-after", "3"]));
    let max_delay_us = u32::try_from(2 * began.elapsed().as_micros()).expect("less than half an hour");

    let mut random = Philox::stream(3, Stream { purpose: Purpose::TEST, update: 0, episode: 0 });
    let (mut updates, mut running) = (None, 0);
    for _ in 0..KILLS {
        let started = sandbox.path("run/config.toml").exists();
        let args = if started { vec!["train", "--resume", "run"] } else { concat_args(&train, &["--out", "run"]) };
        let mut command = sandbox.command(&gradus, &args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
        sleep(Duration::from_micros(random.below(max_delay_us).into()));
        running += usize::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("a process");
        child.wait().expect("the process ends");
        if !started && !sandbox.path("run/config.toml").exists() {
            std::fs::remove_dir_all(sandbox.path("run")).ok(); // killed before anything was saved
        }
        let found = load_checkpoints(&sandbox);
        assert!(found >= updates, "at update {found:?} after it was at {updates:?}");
        updates = found;
    }
    assert_eq!(running, KILLS, "processes that were still running when they were killed");
    // Trains beyond the next validation, because the best checkpoint is written before the last one and may be newer.
    sandbox.expect_success(&["train", "--resume", "run", "--stop-after", "3"]);
    let updates =
        load_checkpoints(&sandbox).filter(|&updates| updates > 3).expect("the kills left time for some updates");
    sandbox.expect_success(&concat_args(&train, &["--out", "whole", "--stop-after", &updates.to_string()]));
    assert_same_files(&sandbox, "whole", "run");
}

/// Returns the updates of the last checkpoint, if it exists. Every existing checkpoint must load.
#[track_caller]
fn load_checkpoints(sandbox: &Sandbox) -> Option<u64> {
    let updates = |name: &str| {
        let path = sandbox.path(&format!("run/{name}"));
        let checkpoint = path.exists().then(|| Checkpoint::load(&path).unwrap_or_else(|error| panic!("{error}")))?;
        checkpoint.metadata()["updates"].parse().ok()
    };
    updates("best.safetensors");
    updates("model.safetensors")
}
