//! The same settings and seed give the same bytes: parameters, optimizer moments, metrics and test.

use crate::sandbox::{AssertContains, Sandbox, assert_same_files, concat_args, small_training};

#[test]
fn train_any_number_of_threads_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    for threads in ["1", "2", "4"] {
        sandbox.expect_success(&small_training(&["--threads", threads, "--out", threads]));
    }
    assert_same_files(&sandbox, "1", "2");
    assert_same_files(&sandbox, "1", "4");
}

#[test]
fn train_with_the_written_config_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    let settings = ["--seed", "7", "--rate", "1e-3", "--optimizer", "rmsprop", "--normalize-advantages", "true"];
    sandbox.expect_success(&concat_args(&small_training(&settings), &["--out", "first"]));
    sandbox.expect_success(&["train", "--config", "first/config.toml", "--out", "second"]);
    assert_same_files(&sandbox, "first", "second");
}

#[test]
fn train_one_seed_or_several_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--seed", "5", "--out", "alone"]));
    sandbox.expect_success(&small_training(&["--seeds", "4..5", "--out", "both"]));
    assert_same_files(&sandbox, "alone", "both/seed-5");
    assert!(sandbox.read("both/seed-4/model.safetensors") != sandbox.read("alone/model.safetensors"));
}

#[test]
fn train_with_init_and_its_written_config_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "first"]));
    let tiny = small_training(&["--init", "first/model.safetensors"]);
    sandbox.expect_success(&concat_args(&tiny, &["--out", "second"]));
    sandbox.expect_success(&["train", "--config", "second/config.toml", "--out", "third"]);
    assert_same_files(&sandbox, "second", "third");
    assert!(sandbox.read("first/model.safetensors") != sandbox.read("second/model.safetensors"));
}

#[test]
fn train_with_profile_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--out", "plain"]));
    let output = sandbox.expect_success(&small_training(&["--profile", "--out", "profiled"]));
    assert_same_files(&sandbox, "plain", "profiled");
    assert_eq!(sandbox.names("plain"), sandbox.names("profiled"));
    assert!(output.contains("profile of 3 updates"), "{output}");
    output.assert_contains(&["| matmul NT", "| adam", "| outside: act", "| outside: step", "of peak"]);
    let again = sandbox.expect_success(&["train", "--profile", "--resume", "profiled"]);
    assert!(again.contains("no update was made"), "{again}");
}
