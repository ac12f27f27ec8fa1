//! A machine that has too little memory: here a limit on address space, which the system enforces as an allocation that fails.
#![cfg(target_os = "linux")]

use crate::place::{Called, Place, SMALL_TUTORIAL, small, with};

/// Calls the command where it can take so many KiB of address space.
fn limited(place: &Place, kib: u64, args: &[&str]) -> Called {
    let script = format!("ulimit -v {kib}; exec \"$0\" \"$@\"");
    let mut shell = place.command("sh", &["-c", &script, env!("CARGO_BIN_EXE_gradus")]);
    Called::of(shell.args(args).output().expect("there is a shell"))
}

/// KiB that are less than what is asked for here, and more than what the start of the process takes.
const TOO_LITTLE: u64 = 100 << 10;

/// A call that is refused for its memory, and that is not with as much as it asks for.
#[track_caller]
fn assert_needs(place: &Place, what: &str, args: &[&str]) {
    let limit = refused(place, TOO_LITTLE, what, args);
    assert_eq!(refused(place, limit - 1024, what, args), limit);
    let called = limited(place, limit, args);
    assert_eq!(called.code, 0, "{args:?}: {called:?}");
}

/// The KiB that a call asks for, which is refused.
#[track_caller]
fn refused(place: &Place, kib: u64, what: &str, args: &[&str]) -> u64 {
    let before = place.files();
    let called = limited(place, kib, args);
    assert_eq!(called.code, 2, "{args:?}: {called:?}");
    let needs = called.err.strip_prefix(&format!("error: {what} needs ")).unwrap_or_else(|| panic!("{called:?}"));
    let (mib, _) = needs.split_once(" MiB of address space").unwrap_or_else(|| panic!("{called:?}"));
    assert!(needs.contains("and ulimit -v allows ") && needs.contains("or raise that limit"), "{}", called.err);
    assert!(place.files() == before, "{args:?} has changed files");
    mib.parse::<u64>().expect("a number") << 10
}

#[test]
fn training_that_fits_no_address_space_is_refused_and_runs_in_what_it_asks_for() {
    let place = Place::new();
    for (name, args) in [
        ("calculator", small(&["--threads=2"])),
        ("composed", small(&["--threads=1", "--gru=reset-before"])),
        ("seeds", small(&["--threads=2", "--seeds=0..1"])),
        ("tutorial", with(&SMALL_TUTORIAL, &["--threads=2", "--seeds=0..1"])),
    ] {
        let args = with(&args, &["--out", name]);
        assert_needs(&place, "training", &args);
    }
}

#[test]
fn resumed_training_that_fits_no_address_space_is_refused_unless_it_is_over() {
    let place = Place::new();
    for (name, more) in [("one", "--seed=0"), ("several", "--seeds=0..1")] {
        let begun = small(&["--threads=2", more, "--out", name]);
        place.succeeds(&with(&begun, &["--stop-after=1"]));
        let resume = ["train", "--threads=2", "--resume", name];
        assert_needs(&place, "training", &resume);
        let called = limited(&place, TOO_LITTLE, &resume);
        assert_eq!(called.code, 0, "{called:?}");
    }
}

#[test]
fn eval_that_fits_no_address_space_is_refused_and_runs_in_what_it_asks_for() {
    let place = Place::trained();
    assert_needs(&place, "playing", &["eval", "run", "--episodes=1000"]);
    let called = limited(&place, 1 << 20, &["eval", "run", "--episodes=16777216"]);
    assert!(called.code == 2 && called.err.contains("playing needs "), "{called:?}");
    assert_needs(&place, "playing", &["explain", "run"]);
}
