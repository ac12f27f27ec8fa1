//! Tests of `gradus config` and `gradus completions`.

use crate::sandbox::{AssertContains, Sandbox};

#[test]
fn config_printed_file_is_valid_and_has_the_defaults() {
    let sandbox = Sandbox::new();
    let printed = sandbox.expect_success(&["config", "--task", "calculator"]);
    printed.assert_contains(&["width = 96", "# β", "Takes ", "save_every = 25", "on_save_error = \"stop\""]);
    sandbox.write("run.toml", &printed);
    let verdict = sandbox.expect_success(&["config", "--check", "run.toml"]);
    assert_eq!(verdict, "valid: task calculator, default settings except\n  seed = 0\n");
}

#[test]
fn config_check_finds_the_same_errors_as_train() {
    let sandbox = Sandbox::new();
    sandbox.write("run.toml", "width = 32\nrate = 1e-3\nkeep_every = 7\n");
    let verdict = sandbox.expect_success(&["config", "--check", "run.toml"]);
    assert_eq!(
        verdict,
        "valid: task calculator, default settings except\n  width = 32\n  rate = 0.001\n  keep_every = 7\n"
    );
    for (text, messages) in [
        ("widht = 32\n", "line 1, column 1: there is no setting widht; did you mean width?"),
        ("rate = -1\n", "line 1, column 8: rate = -1 is out of range"),
        ("epsilon = 1e-50\n", "line 1, column 11: epsilon = 1e-50 becomes 0.0 in f32"),
        ("weight_decay = 1e39\n", "line 1, column 16: weight_decay = 1e39 becomes inf in f32"),
        ("on_save_error = \"ignore\"\n", "on_save_error = ignore is out of range: it takes stop or continue"),
        ("task = \"calc\"\n", "there is no task calc; the only task is calculator; did you mean calculator?"),
        ("task = \"tutorial\"\n", "tutorial is no longer a task; use the command gradus tutorial"),
        ("width =\n", "invalid TOML"),
    ] {
        sandbox.write("run.toml", text);
        sandbox.expect_refusal(&["config", "--check", "run.toml"], &["run.toml", messages]);
    }
    sandbox.expect_refusal(&["config", "--check", "missing.toml"], &["cannot read missing.toml"]);
}

#[test]
fn completions_contain_commands_and_flags_for_every_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.expect_success(&["completions", shell]);
        for part in ["completions", "entropy-updates", "on-save-error", "stop-after"] {
            assert!(script.contains(part), "{shell}: no {part}");
        }
    }
    sandbox.expect_refusal(&["completions", "tcsh"], &["tcsh", "bash"]);
}
