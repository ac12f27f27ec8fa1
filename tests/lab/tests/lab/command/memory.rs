//! A machine with too little memory, simulated by a limit on address space, at which allocations fail.
#![cfg(target_os = "linux")]

use super::sandbox::{CommandResult, SMALL_TUTORIAL, Sandbox, concat_args, small_training};

/// Runs the command with an address space limit in KiB.
fn run_with_memory_limit(sandbox: &Sandbox, kib: u64, args: &[&str]) -> CommandResult {
    let script = format!("ulimit -v {kib}; exec \"$0\" \"$@\"");
    let mut shell = sandbox.command("sh", &["-c", &script]);
    CommandResult::from_output(shell.arg(crate::gradus_path()).args(args).output().expect("sh starts"))
}

/// A limit in KiB that is enough to start the process, but not for any command here.
const TOO_LITTLE_KIB: u64 = 100 << 10;

/// Asserts that the command is refused with too little memory, and succeeds with exactly as much as its message asks for.
#[track_caller]
fn assert_needs(sandbox: &Sandbox, what: &str, args: &[&str]) {
    let limit = measure_required_kib(sandbox, TOO_LITTLE_KIB, what, args);
    assert_eq!(measure_required_kib(sandbox, limit - 1024, what, args), limit);
    let result = run_with_memory_limit(sandbox, limit, args);
    assert_eq!(result.code, 0, "{args:?}: {result:?}");
}

/// Runs a command that must be refused, and returns the KiB that its message asks for.
#[track_caller]
fn measure_required_kib(sandbox: &Sandbox, kib: u64, what: &str, args: &[&str]) -> u64 {
    let before = sandbox.files();
    let result = run_with_memory_limit(sandbox, kib, args);
    assert_eq!(result.code, 2, "{args:?}: {result:?}");
    let needs = result.err.strip_prefix(&format!("error: {what} needs ")).unwrap_or_else(|| panic!("{result:?}"));
    let (mib, _) = needs.split_once(" MiB of address space").unwrap_or_else(|| panic!("{result:?}"));
    assert!(needs.contains("but ulimit -v allows only ") && needs.contains("or raise that limit"), "{}", result.err);
    assert!(sandbox.files() == before, "{args:?} has changed files");
    mib.parse::<u64>().expect("a number") << 10
}

#[test]
fn train_runs_in_exactly_the_memory_that_its_refusal_names() {
    let sandbox = Sandbox::new();
    for (name, args) in [
        ("calculator-stages", small_training(&["--threads=2"])),
        ("composed", small_training(&["--threads=1", "--gru=reset-before"])),
        ("seeds", small_training(&["--threads=2", "--seeds=0..1"])),
        ("tutorial", concat_args(&SMALL_TUTORIAL, &["--threads=2", "--seeds=0..1"])),
    ] {
        let args = concat_args(&args, &["--out", name]);
        assert_needs(&sandbox, "training", &args);
    }
}

#[test]
fn train_resume_with_too_little_memory_is_refused_unless_finished() {
    let sandbox = Sandbox::new();
    for (name, more) in [("one", "--seed=0"), ("several", "--seeds=0..1")] {
        let args = small_training(&["--threads=2", more, "--out", name]);
        sandbox.expect_success(&concat_args(&args, &["--stop-after=1"]));
        let resume = ["train", "--threads=2", "--resume", name];
        assert_needs(&sandbox, "training", &resume);
        let result = run_with_memory_limit(&sandbox, TOO_LITTLE_KIB, &resume);
        assert_eq!(result.code, 0, "{result:?}");
    }
}

#[test]
fn eval_runs_in_exactly_the_memory_that_its_refusal_names() {
    let sandbox = Sandbox::with_trained_run();
    assert_needs(&sandbox, "playing", &["eval", "run", "--episodes=1000"]);
    let result = run_with_memory_limit(&sandbox, 1 << 20, &["eval", "run", "--episodes=16777216"]);
    assert!(result.code == 2 && result.err.contains("playing needs "), "{result:?}");
    assert_needs(&sandbox, "playing", &["explain", "run"]);
}
