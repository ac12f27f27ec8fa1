//! Output in terminals of several widths. `COLUMNS` stands for the terminal, because the tests read a pipe.

use console::measure_text_width;

use crate::sandbox::{AssertContains, CommandResult, SMALL_TUTORIAL, Sandbox, concat_args, small_training};

/// Runs gradus for a terminal of this width.
fn run_in_columns(sandbox: &Sandbox, args: &[&str], columns: usize) -> CommandResult {
    let output = sandbox.command(crate::gradus_path(), args).env("COLUMNS", columns.to_string()).output();
    CommandResult::from_output(output.expect("the command starts"))
}

/// Runs gradus for a terminal of this width, and asserts that no line of its output or its error is wider, except a single
/// word or a command.
#[track_caller]
fn expect_fitting(sandbox: &Sandbox, args: &[&str], columns: usize) -> CommandResult {
    let result = run_in_columns(sandbox, args, columns);
    for line in result.out.lines().chain(result.err.lines()) {
        let width = measure_text_width(line);
        let is_whole = !line.trim().contains(' ') || line.starts_with("gradus "); // a path, or a command to copy
        assert!(width <= columns || is_whole, "{args:?}: {width} of {columns} columns: {line}");
    }
    result
}

#[test]
fn output_of_every_command_fits_into_the_terminal() {
    for columns in [40, 80, 120] {
        let sandbox = Sandbox::new();
        let one = small_training(&["--out", "run"]);
        let several = small_training(&["--seeds", "0..1", "--out", "a folder with a long name/seeds"]);
        let profiled = small_training(&["--profile", "--out", "profiled"]);
        let tutorials = concat_args(&SMALL_TUTORIAL, &["--seeds=0..1"]);
        for args in [
            &one[..],
            &several,
            &profiled,
            &SMALL_TUTORIAL,
            &tutorials,
            &["report", "run"],
            &["report", "a folder with a long name/seeds"],
            &["report", "run", "a folder with a long name/seeds"],
            &["eval", "run"],
            &["explain", "run"],
            &["watch", "run"],
            &["watch", "run", "--once"],
            &["watch", "a folder with a long name/seeds"],
            &["gradcheck", "--op", "tanh,Linear"],
            &["gradcheck", "--list"],
            &["devices"],
            &["tasks"],
            &["tasks", "--task", "calculator-stages"],
            &["config"],
            &["config", "--check", "run/config.toml"],
            &["train", "--help"],
        ] {
            let result = expect_fitting(&sandbox, args, columns);
            assert!(result.code == 0 && !result.out.is_empty() && result.err.is_empty(), "{args:?}: {result:?}");
        }
        for args in [
            &["train", "--width", "abc"][..],
            &["train", "--seeds", "x"],
            &["train", "--out", "run"],
            &["eval", "a folder with a long name/seeds"],
            &["gradcheck", "--op", "xyzzy"],
        ] {
            let result = expect_fitting(&sandbox, args, columns);
            assert!(result.code == 2 && result.err.starts_with("error: "), "{args:?}: {result:?}");
        }
    }
}

/// The terminal wraps a long path or command by itself, and copies it without a line break.
#[test]
fn paths_and_commands_longer_than_the_terminal_stay_whole() {
    let sandbox = Sandbox::new();
    let folder = "a-folder-with-a-name-that-is-longer-than-a-narrow-terminal";
    let train = small_training(&["--stop-after=1", "--out", folder]);
    let out = expect_fitting(&sandbox, &train, 40).out;
    assert!(out.lines().any(|line| line == folder), "{out}");
    assert!(out.ends_with(&format!("\ngradus train --resume {folder}\n")), "{out}");
    let error = expect_fitting(&sandbox, &["train", "--init", &format!("{folder}/model.safetensors")], 40).err;
    assert!(error.contains(&format!("{folder}/model.safetensors")), "{error}");
}

#[test]
fn help_examples_in_a_narrow_terminal_are_commands_of_the_shell() {
    let (sandbox, wide) = (Sandbox::new(), 100);
    let help = |columns| expect_fitting(&sandbox, &["train", "--help"], columns).out;
    let examples = |help: &str| {
        let joined = help.replace(" \\\n", " ");
        let commands = joined.lines().filter(|line| line.starts_with("  gradus "));
        commands.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let narrow = help(40);
    assert!(narrow.contains(" \\\n    "), "{narrow}");
    assert_eq!(examples(&narrow), examples(&help(wide)));
    assert!(
        narrow.contains("\n  2    invalid input, or a failure of\n       the machine (memory, disk, GPU)\n"),
        "{narrow}"
    );
    assert!(!help(80).contains("report.html,\n  model"));
}

/// Each validation takes one line, and a watcher of a finished run knows no speed.
#[test]
fn progress_at_80_and_40_columns_takes_one_line_per_validation() {
    for columns in [80, 40] {
        let sandbox = Sandbox::new();
        let train = small_training(&["--out", "run"]);
        let several = small_training(&["--seeds", "0,1", "--out", "seeds"]);
        let tutorials = concat_args(&SMALL_TUTORIAL, &["--seeds=0..1"]);
        let calls: [&[&str]; 5] = [&train, &["watch", "run"], &several, &["watch", "seeds"], &tutorials];
        for args in calls {
            let out = expect_fitting(&sandbox, args, columns).out;
            let is_progress = |line: &&str| line.contains("/3  ") || line.contains("/6  ");
            let progress: Vec<_> = out.lines().filter(is_progress).collect();
            assert!(!progress.is_empty() && progress.iter().all(|line| line.ends_with(char::is_numeric)), "{out}");
            let expected = if columns == 80 { "return" } else { " 0.000 0.000" };
            assert!(args == tutorials || progress.iter().all(|line| line.contains(expected)), "{out}");
            assert!(
                !out.contains("steps/s") && !out.lines().any(|line| line.trim_start().starts_with("return")),
                "{out}"
            );
        }
    }
}

/// A file gets the same bytes in every terminal, and the printed configuration stays valid.
#[test]
fn files_do_not_depend_on_the_terminal() {
    let sandbox = Sandbox::new();
    let train = |out| small_training(&["--seeds", "0..1", "--out", out]);
    run_in_columns(&sandbox, &train("narrow"), 40);
    sandbox.expect_success(&train("wide"));
    let table = |folder: &str| {
        let is_timeless = |&(column, _): &(usize, &str)| column != 5; // the column of the seconds
        let cells =
            |line: &str| line.split('|').enumerate().filter(is_timeless).map(|(_, cell)| cell.to_owned()).collect();
        sandbox.text(&format!("{folder}/table.md")).lines().map(cells).collect::<Vec<Vec<_>>>()
    };
    assert_eq!(table("narrow"), table("wide"));
    sandbox.write("config.toml", run_in_columns(&sandbox, &["config"], 40).out);
    assert!(sandbox.expect_success(&["config", "--check", "config.toml"]).ends_with("default settings\n"));
    let json = run_in_columns(&sandbox, &["tasks", "--json"], 40).out;
    assert_eq!(json, sandbox.expect_success(&["tasks", "--json"]));
}

#[test]
fn train_help_groups_settings_under_headings() {
    let help = Sandbox::new().expect_success(&["train", "--help"]);
    let headings: Vec<_> = help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
    let rewards = "Tasks calculator-stages and expression";
    let (before, after) = ("Options Task Run Output Model Rollout", "Advantages Loss Optimiser Checkpoints");
    let tasks = ["Task calculator-stages", rewards, "Task expression-tools"];
    let want = before.split(' ').chain(tasks).chain(after.split(' '));
    let want: Vec<_> = want.map(|name| format!("{name}:")).collect();
    assert_eq!(headings[..want.len()], want);
    let group = |name: &str| help.split(&format!("\n{name}:\n")).nth(1).and_then(|rest| rest.split("\n\n").next());
    for (name, flags) in [
        ("Task", &["--task", "--curriculum"][..]),
        ("Task calculator-stages", &["--actions"]),
        (rewards, &["--reward-correct", "--reward-milestone", "--reward-step"]),
        ("Model", &["--init", "--width", "--gru", "hidden size"]),
        ("Optimiser", &["--optimizer", "--rate ", "--clip"]),
        ("Run", &["--seeds", "--resume", "--max-updates", "--test-episodes"]),
    ] {
        group(name).unwrap_or_default().assert_contains(flags);
    }
}
