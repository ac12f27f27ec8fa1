//! Help that teaches: settings are printed, checked and completed.

use crate::place::{AssertContains, Place};

#[test]
fn the_printed_settings_are_right_and_are_the_defaults() {
    let place = Place::new();
    let printed = place.succeeds(&["config", "--task", "calculator"]);
    printed.assert_contains(&["width = 96", "# β", "Takes ", "save_every = 25", "on_save_error = \"stop\""]);
    place.write("run.toml", &printed);
    let verdict = place.succeeds(&["config", "--check", "run.toml"]);
    assert_eq!(verdict, "right: task calculator, default settings, but for\n  seed = 0\n");
}

#[test]
fn a_file_is_checked_as_train_would() {
    let place = Place::new();
    place.write("run.toml", "width = 32\nrate = 1e-3\nkeep_every = 7\n");
    let verdict = place.succeeds(&["config", "--check", "run.toml"]);
    assert_eq!(
        verdict,
        "right: task calculator, default settings, but for\n  width = 32\n  rate = 0.001\n  keep_every = 7\n"
    );
    for (text, says) in [
        ("widht = 32\n", "line 1, column 1: there is no setting widht; did you mean width?"),
        ("rate = -1\n", "line 1, column 8: rate = -1 is out of range"),
        ("epsilon = 1e-50\n", "line 1, column 11: epsilon = 1e-50 becomes 0.0 in f32"),
        ("weight_decay = 1e39\n", "line 1, column 16: weight_decay = 1e39 becomes inf in f32"),
        ("on_save_error = \"ignore\"\n", "on_save_error = ignore is out of range: it takes stop or continue"),
        ("task = \"calc\"\n", "there is no task calc, only calculator; did you mean calculator?"),
        ("task = \"tutorial\"\n", "the tutorial has a command of its own now: gradus tutorial"),
        ("width =\n", "this is not TOML"),
    ] {
        place.write("run.toml", text);
        place.refuses(&["config", "--check", "run.toml"], &["run.toml", says]);
    }
    place.refuses(&["config", "--check", "missing.toml"], &["cannot read missing.toml"]);
}

#[test]
fn shells_complete_commands_and_flags() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.succeeds(&["completions", shell]);
        for part in ["completions", "entropy-updates", "on-save-error", "stop-after"] {
            assert!(script.contains(part), "{shell}: no {part}");
        }
    }
    place.refuses(&["completions", "tcsh"], &["tcsh", "bash"]);
}
