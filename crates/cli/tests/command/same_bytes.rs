//! The same settings and seed give the same bytes: parameters, moments, metrics and test.

use crate::place::{AssertContains, Place, small, with};

const SAME: [&str; 4] = ["config.toml", "metrics.jsonl", "model.safetensors", "test.json"];

#[track_caller]
fn assert_same(place: &Place, a: &str, b: &str) {
    for name in SAME {
        assert!(place.read(&format!("{a}/{name}")) == place.read(&format!("{b}/{name}")), "{name} of {a} and {b}");
    }
}

#[test]
fn at_any_number_of_threads() {
    let place = Place::new();
    for threads in ["1", "2", "4"] {
        place.succeeds(&small(&["--threads", threads, "--out", threads]));
    }
    assert_same(&place, "1", "2");
    assert_same(&place, "1", "4");
}

#[test]
fn from_the_file_that_a_run_has_written() {
    let place = Place::new();
    let settings = ["--seed", "7", "--rate", "1e-3", "--optimizer", "rmsprop", "--normalize-advantages", "true"];
    place.succeeds(&with(&small(&settings), &["--out", "first"]));
    place.succeeds(&["train", "--config", "first/config.toml", "--out", "second"]);
    assert_same(&place, "first", "second");
}

#[test]
fn of_a_seed_alone_and_among_others() {
    let place = Place::new();
    place.succeeds(&small(&["--seed", "5", "--out", "alone"]));
    place.succeeds(&small(&["--seeds", "4..5", "--out", "both"]));
    assert_same(&place, "alone", "both/seed-5");
    assert!(place.read("both/seed-4/model.safetensors") != place.read("alone/model.safetensors"));
}

#[test]
fn from_the_weights_of_a_run_with_init() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "first"]));
    let tiny = small(&["--init", "first/model.safetensors"]);
    place.succeeds(&with(&tiny, &["--out", "second"]));
    place.succeeds(&["train", "--config", "second/config.toml", "--out", "third"]);
    assert_same(&place, "second", "third");
    assert!(place.read("first/model.safetensors") != place.read("second/model.safetensors"));
}

#[test]
fn with_a_profile_and_without() {
    let place = Place::new();
    place.succeeds(&small(&["--out", "plain"]));
    let said = place.succeeds(&small(&["--profile", "--out", "profiled"]));
    assert_same(&place, "plain", "profiled");
    assert_eq!(place.names("plain"), place.names("profiled"));
    assert!(said.contains("profile of 3 updates"), "{said}");
    said.assert_contains(&["| matmul NT", "| adam", "| outside: act", "| outside: step", "of peak"]);
    let again = place.succeeds(&["train", "--profile", "--resume", "profiled"]);
    assert!(again.contains("no update was made"), "{again}");
}
