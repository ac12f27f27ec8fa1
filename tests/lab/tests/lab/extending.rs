//! A test of `docs/extending.md`. It applies the page's steps in a copy of the workspace. The added operation must pass all
//! levels, and leaving out any step must cause a compiler error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::root;

/// A test program that checks only the page's operation, at every level.
const LEVELS: &str = r#"
use autograd::ops::Kind;
use proofs::levels::{CHECKS, check_generated};
use proofs::{Layout, RandomTensors, generate_case, operation_cases};

#[test]
fn cube() {
    for case in operation_cases(Kind::Cube) {
        for check in CHECKS.iter().filter(|check| (check.applies)(&case)) {
            for case in Layout::ALL.map(|layout| case.with_layout(layout)) {
                (check.check)(&case).unwrap_or_else(|error| panic!("{}, {}: {case}\n{error}", check.level, check.name));
            }
        }
    }
    for choice in 0..40 {
        let generated = generate_case(Kind::Cube, [2, 3, 5, 7], choice, &mut RandomTensors::new(choice as u32));
        check_generated(&generated).unwrap_or_else(|error| panic!("L6, {choice}: {error}"));
    }
}
"#;

/// A code block of the page, and its place: "a new file `…`", or "in [`…`](…), after `…`" (a line of that file).
struct Step {
    file: String,
    after: Option<String>,
    code: String,
}

/// Reads the code blocks of the page's section on operations. In the paragraph before each block, the first words in backticks
/// are the file, and the words in backticks after "after" are the line.
fn read_steps() -> Vec<Step> {
    let page = fs::read_to_string(root().join("docs/extending.md")).expect("the page exists");
    let part = page
        .split("\n## ")
        .find(|part| part.starts_with("An operation of the engine"))
        .expect("the page has this section");
    let step = |words: &str, block: &str| {
        let words = words
            .trim()
            .rsplit("\n\n")
            .find(|words| words.contains("`crates/"))
            .expect("a paragraph that names a file");
        let words = words.replace('\n', " ");
        let quoted = |from: &str| Some(words.split_once(from)?.1.split('`').next()?.to_owned());
        let (file, after) = (quoted("`crates/").map(|file| format!("crates/{file}")), quoted("after `"));
        assert!(after.is_some() || words.contains("new file"), "the place of the block is missing: {words}");
        let code = block.split_once('\n').expect("a block has lines").1.to_owned();
        Step { file: file.expect("a file in backticks"), after, code }
    };
    let blocks: Vec<&str> = part.split("```").collect();
    blocks.chunks_exact(2).map(|pair| step(pair[0], pair[1])).collect()
}

/// Applies a step to the text of a file.
fn apply_step(text: &str, Step { file, after, code }: &Step) -> String {
    let Some(line) = after else { return code.clone() };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let places: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].trim() == line).collect();
    let &[at] = &places[..] else { panic!("{file}: {line:?} occurs {} times", places.len()) };
    [lines[..=at].concat(), code.clone(), lines[at + 1..].concat()].concat()
}

/// A copy of the workspace, and its target folder.
struct WorkspaceCopy {
    folder: PathBuf,
    target: PathBuf,
}

impl WorkspaceCopy {
    /// Copies the workspace. Files keep their times, so cargo does not rebuild unchanged packages.
    fn new() -> Self {
        let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extending");
        let workspace = Self { folder: at.join("workspace"), target: at.join("target") };
        let _ = fs::remove_dir_all(&workspace.folder);
        for name in ["Cargo.toml", "Cargo.lock", "crates", "tests", "benches"] {
            copy(&root().join(name), &workspace.folder.join(name));
        }
        workspace
    }

    /// Applies the steps for which `is_applied` is true, and no others.
    fn apply<'a>(&self, all: &'a [Step], is_applied: impl Fn(&'a Step) -> bool) {
        for Step { file, .. } in all {
            let steps_of_file = || all.iter().filter(|step| step.file == *file && is_applied(step));
            let original = fs::read_to_string(root().join(file)).unwrap_or_default();
            let text = steps_of_file().fold(original, |text, step| apply_step(&text, step));
            let at = self.folder.join(file);
            if text.is_empty() {
                let _ = fs::remove_file(at);
            } else if fs::read_to_string(&at).ok().as_ref() != Some(&text) {
                fs::write(at, text).expect("the copy can be written");
            }
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg("test").args(["--offline", "--locked", "--target-dir"]).arg(&self.target).args(arguments);
        cargo.env("CARGO_PROFILE_TEST_OPT_LEVEL", "0");
        cargo.current_dir(&self.folder).output().expect("cargo runs")
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("readable").map(|entry| entry.expect("readable").file_name()) {
            if entry != "target" {
                copy(&from.join(&entry), &to.join(&entry));
            }
        }
        return;
    }
    fs::create_dir_all(to.parent().expect("in a folder")).expect("a folder");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    let time = fs::metadata(from).and_then(|metadata| metadata.modified()).expect("a file has a time");
    fs::File::options().write(true).open(to).and_then(|file| file.set_modified(time)).expect("a time can be set");
}

#[test]
fn extending_page_operation_passes_every_level_and_needs_each_step() {
    let (workspace, steps) = (WorkspaceCopy::new(), read_steps());
    let files = steps.iter().map(|step| &step.file).collect::<std::collections::BTreeSet<_>>();
    assert!(files.len() <= 5, "an operation needs more than five files: {files:?}");
    fs::create_dir_all(workspace.folder.join("crates/proofs/tests")).expect("a folder");
    fs::write(workspace.folder.join("crates/proofs/tests/cube.rs"), LEVELS).expect("the copy can be written");
    for (number, left_out) in steps.iter().enumerate() {
        workspace.apply(&steps, |step| !std::ptr::eq(step, left_out));
        let output = workspace.cargo(&["-p", "gradus-proofs", "--test", "cube", "--no-run"]);
        let log = String::from_utf8_lossy(&output.stderr);
        let is_reported = log.contains("error") && log.to_lowercase().contains("cube");
        assert!(!output.status.success() && is_reported, "without block {number}, in {}:\n{log}", left_out.file);
    }
    workspace.apply(&steps, |_| true);
    for arguments in [&["-p", "gradus-proofs", "--test", "cube"][..], &["-p", "gradus-autograd", "--lib", "ops::cube"]]
    {
        let output = workspace.cargo(arguments);
        let [out, log] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(output.status.success() && out.contains("1 passed"), "{arguments:?}:\n{out}\n{log}");
    }
}
