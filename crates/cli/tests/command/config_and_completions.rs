//! Tests of `gradus config` and `gradus completions`.

use crate::sandbox::{AssertContains, Sandbox};

#[test]
fn config_printed_file_is_valid_and_has_the_defaults() {
    let sandbox = Sandbox::new();
    let printed = sandbox.expect_success(&["config", "--task", "calculator-stages"]);
    printed.assert_contains(&["width = 96", "# β", "Takes ", "save_every = 25", "on_save_error = \"stop\""]);
    sandbox.write("run.toml", &printed);
    let verdict = sandbox.expect_success(&["config", "--check", "run.toml"]);
    assert_eq!(verdict, "valid: task calculator-stages, default settings\n");
}

/// A run's own file lists what was given, and no default.
#[test]
fn config_check_of_a_run_folder_lists_only_changes() {
    let sandbox = Sandbox::new();
    let check = |path: &str| sandbox.expect_success(&["config", "--check", path]);
    sandbox.expect_success(&[
        "train",
        "--task=calculator-stages",
        "--width=8",
        "--stop-after=1",
        "--out=run",
        "--threads=1",
    ]);
    assert_eq!(check("run/config.toml"), "valid: task calculator-stages, default settings except\n  width = 8\n");
    sandbox.write("run.toml", "seed = 7\ndevice = \"cpu\"\nwidth = 64\n");
    assert_eq!(check("run.toml"), "valid: task expression, default settings except\n  seed = 7\n");
}

#[test]
fn config_check_finds_the_same_errors_as_train() {
    let sandbox = Sandbox::new();
    sandbox.write("run.toml", "width = 32\nrate = 1e-3\nkeep_every = 7\n");
    let verdict = sandbox.expect_success(&["config", "--check", "run.toml"]);
    assert_eq!(
        verdict,
        "valid: task expression, default settings except\n  width = 32\n  rate = 0.001\n  keep_every = 7\n"
    );
    for (text, messages) in [
        ("widht = 32\n", "line 1, column 1: there is no setting widht; did you mean width?"),
        ("rate = -1\n", "line 1, column 8: rate = -1 is out of range"),
        ("epsilon = 1e-50\n", "line 1, column 11: epsilon = 1e-50 becomes 0.0 in f32"),
        ("weight_decay = 1e39\n", "line 1, column 16: weight_decay = 1e39 becomes inf in f32"),
        ("on_save_error = \"ignore\"\n", "on_save_error = ignore is not one of its values: it takes stop or continue"),
        ("task = \"calc\"\n", "there is no task calc; `gradus tasks` lists the tasks; did you mean calculator?"),
        ("task = \"tutorial\"\n", "tutorial is no longer a task; use the command gradus tutorial"),
        ("width =\n", "invalid TOML"),
        ("width = abc\n", "line 1, column 9: width = abc is not a whole number: it takes whole numbers from 1 to 4096"),
        ("width = \"abc\"\n", "column 9: width = abc is not a whole number: it takes whole numbers from 1 to 4096"),
        ("rate = fast # x\n", "rate = fast is not a number: it takes numbers above 0"),
        ("seed = abc\n", "seed = abc is not a whole number: it takes whole numbers from 0 to 9223372036854775807"),
        ("seed = 1.5\n", "seed = 1.5 is not a whole number"),
        (
            "task = \"calculator-stages\"\nactions = all\n",
            "line 2, column 11: actions = all is not one of its values: it takes tools or tokens",
        ),
        ("task = \"calculator-stages\"\nactions = tools\n", "actions = tools lacks quotes; write actions = \"tools\""),
        ("task = calculator\n", "task = calculator lacks quotes; write task = \"calculator\""),
        ("normalize_advantages = yes\n", "= yes is not one of its values: it takes true or false"),
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
        let has_values = ["bash", "zsh", "fish"].contains(&shell); // the scripts of the others complete no values
        assert_eq!(script.contains("cartpole"), has_values, "{shell}: the names of tasks");
    }
    sandbox.expect_refusal(&["completions", "tcsh"], &["tcsh", "bash"]);
}
