//! Runs every example in the help.

use super::sandbox::Sandbox;

/// The commands, in the order in which their examples run. Some examples need files of earlier ones.
const COMMANDS: &str = "config train watch eval explain report gradcheck tasks tutorial devices completions";

/// Examples that take minutes in a test. `.ci/train` runs the first; the tests of `gradcheck` run the others.
const RUN_ELSEWHERE: [&str; 3] = ["gradus train", "gradus gradcheck", "gradus gradcheck --museum"];

/// Returns the examples of a command: the lines of its help that start with two spaces and `gradus`.
fn examples(sandbox: &Sandbox, command: &str) -> Vec<String> {
    let help = sandbox.expect_success(&[command, "--help"]);
    help.lines().filter(|line| line.starts_with("  gradus ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn help_every_command_has_examples() {
    let sandbox = Sandbox::new();
    let help = sandbox.expect_success(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let is_command = |line: &str| line.strip_prefix("  ").is_some_and(|line| !line.starts_with(' '));
    let mut listed: Vec<_> =
        listed.filter(|line| is_command(line)).filter_map(|line| line.split_whitespace().next()).collect();
    listed.retain(|name| *name != "help");
    listed.sort();
    let mut known: Vec<_> = COMMANDS.split(' ').collect();
    known.sort();
    assert_eq!(listed, known);
    for command in COMMANDS.split(' ') {
        assert!(!examples(&sandbox, command).is_empty(), "{command} --help shows no example");
    }
}

#[cfg(unix)]
#[test]
fn help_every_example_succeeds_and_writes_its_files() {
    use std::process::Command;

    let sandbox = Sandbox::new();
    let binary = crate::program("gradus");
    let binary = binary.parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a PATH"));
    let all = COMMANDS.split(' ').flat_map(|command| examples(&sandbox, command));
    for example in all.filter(|example| !RUN_ELSEWHERE.contains(&example.as_str())) {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &example]).env("PATH", &path).current_dir(sandbox.path("")).output();
        let output = output.expect("sh starts");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && err.is_empty(), "{example}: {err}");
    }
    let files = "run.toml runs seven eight three more seven/explain.html \
        three/report.html both.html gradients.html tutorial.json gradus.bash";
    for name in files.split(' ') {
        assert!(sandbox.path(name).exists(), "no example has written {name}");
    }
}
