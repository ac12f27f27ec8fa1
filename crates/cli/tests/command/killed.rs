//! A process that is killed at any moment leaves a folder that loads, and a run that can be gone on with.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use nn::Checkpoint;
use tensor::philox::{Philox, Purpose, Stream};

use crate::place::{Place, small, with};
use crate::resume::assert_same;

/// How often the process is killed.
const TIMES: usize = 100;

/// Microseconds within which it is killed: starting takes some ten thousand, an update a thousand.
const WITHIN: u32 = 60_000;

/// A hundred processes work on one run, one after the other, and each is killed at a random moment. After each the folder
/// loads, at the last checkpoint or the one before: never at an earlier update than it had. In the end everything is as
/// if nothing had happened.
#[test]
fn a_hundred_times_at_random_moments() {
    let place = Place::new();
    let many = "--max-updates=1000000000";
    let train = small(&[many, "--save-every=2", "--keep-every=50", "--imitate=2", "--threads=1"]);

    let mut random = Philox::stream(3, Stream { purpose: Purpose::TEST, update: 0, episode: 0 });
    let (mut updates, mut met) = (None, 0);
    for _ in 0..TIMES {
        let begun = place.path("run/config.toml").exists();
        let args = if begun { vec!["train", "--resume", "run"] } else { with(&train, &["--out", "run"]) };
        let mut command = place.command(crate::gradus(), &args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
        sleep(Duration::from_micros(random.below(WITHIN).into()));
        met += usize::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("a process");
        child.wait().expect("it ends");
        if !begun && !place.path("run/config.toml").exists() {
            std::fs::remove_dir_all(place.path("run")).ok(); // killed before there was anything to lose
        }
        let found = loads(&place);
        assert!(found >= updates, "at update {found:?} after it was at {updates:?}");
        updates = found;
    }
    assert_eq!(met, TIMES, "processes that were still at work");
    // Beyond the next validation: the best checkpoint may be of it already, as it is written before the last one.
    place.succeeds(&["train", "--resume", "run", "--stop-after", "3"]);
    let updates = loads(&place).filter(|&updates| updates > 3).expect("killed so soon that nothing was done");
    place.succeeds(&with(&train, &["--out", "whole", "--stop-after", &updates.to_string()]));
    assert_same(&place, "whole", "run");
}

/// The updates of the checkpoint, if there is one; every checkpoint that is there must load.
#[track_caller]
fn loads(place: &Place) -> Option<u64> {
    let updates = |name: &str| {
        let path = place.path(&format!("run/{name}"));
        let checkpoint = path.exists().then(|| Checkpoint::load(&path).unwrap_or_else(|error| panic!("{error}")))?;
        checkpoint.metadata()["updates"].parse().ok()
    };
    updates("best.safetensors");
    updates("model.safetensors")
}
