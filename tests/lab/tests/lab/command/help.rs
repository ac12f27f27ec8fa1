//! Every example in the help is run.

use super::place::Place;

/// The commands, in the order in which their examples are run: some need what others leave.
const COMMANDS: &str = "config train watch eval explain report gradcheck tasks tutorial devices completions";

/// The examples of a command: the lines of its help that begin with two spaces and `gradus`.
fn examples(place: &Place, command: &str) -> Vec<String> {
    let help = place.succeeds(&[command, "--help"]);
    help.lines().filter(|line| line.starts_with("  gradus ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_has_examples() {
    let place = Place::new();
    let help = place.succeeds(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let begins = |line: &str| line.strip_prefix("  ").is_some_and(|line| !line.starts_with(' '));
    let mut listed: Vec<_> =
        listed.filter(|line| begins(line)).filter_map(|line| line.split_whitespace().next()).collect();
    listed.retain(|name| *name != "help");
    listed.sort();
    let mut known: Vec<_> = COMMANDS.split(' ').collect();
    known.sort();
    assert_eq!(listed, known);
    for command in COMMANDS.split(' ') {
        assert!(!examples(&place, command).is_empty(), "{command} --help shows no example");
    }
}

#[cfg(unix)]
#[test]
fn every_example_does_what_it_says() {
    use std::process::Command;

    let place = Place::new();
    let binary = crate::program("gradus");
    let binary = binary.parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a PATH"));
    for example in COMMANDS.split(' ').flat_map(|command| examples(&place, command)) {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &example]).env("PATH", &path).current_dir(place.path("")).output();
        let output = output.expect("there is a shell");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && err.is_empty(), "{example}: {err}");
    }
    let left = "run.toml runs seven eight three more seven/explain.html \
        three/report.html both.html gradients.html tutorial.json gradus.bash";
    for name in left.split(' ') {
        assert!(place.path(name).exists(), "no example has left {name}");
    }
}
