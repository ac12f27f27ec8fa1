//! The steps of `docs/extending.md`, taken in a copy of the workspace: the operation that the page adds passes the levels, and each
//! step that is left out is an error of the compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::root;

/// A test program that runs the levels on the page's operation alone.
const LEVELS: &str = r#"
use autograd::ops::Kind;
use proofs::levels::{CHECKS, agrees};
use proofs::{Draw, Layout, generate, operations};

#[test]
fn cube() {
    for case in operations(Kind::Cube) {
        for check in CHECKS.iter().filter(|check| (check.applies)(&case)) {
            for case in Layout::ALL.map(|layout| case.laid_out(layout)) {
                (check.check)(&case).unwrap_or_else(|error| panic!("{}, {}: {case}\n{error}", check.level, check.name));
            }
        }
    }
    for choice in 0..40 {
        let generated = generate(Kind::Cube, [2, 3, 5, 7], choice, &mut Draw::new(choice as u32));
        agrees(&generated).unwrap_or_else(|error| panic!("L6, {choice}: {error}"));
    }
}
"#;

/// A block of code of the page, and its place: "a new file `…`", or "in [`…`](…), after `…`", where the latter is a line of the file.
struct Step {
    file: String,
    after: Option<String>,
    code: String,
}

/// The blocks of the page's part on operations. In the paragraph before each, the first words in backticks are the file, and the words
/// in backticks behind "after" the line.
fn steps() -> Vec<Step> {
    let page = fs::read_to_string(root().join("docs/extending.md")).expect("the page is there");
    let part =
        page.split("\n## ").find(|part| part.starts_with("An operation of the engine")).expect("it has this part");
    let step = |words: &str, block: &str| {
        let words = words.trim().rsplit("\n\n").find(|words| words.contains("`crates/")).expect("names a file");
        let words = words.replace('\n', " ");
        let quoted = |from: &str| Some(words.split_once(from)?.1.split('`').next()?.to_owned());
        let (file, after) = (quoted("`crates/").map(|file| format!("crates/{file}")), quoted("after `"));
        assert!(after.is_some() || words.contains("new file"), "where does this go? {words}");
        let code = block.split_once('\n').expect("a block has lines").1.to_owned();
        Step { file: file.expect("a file in backticks"), after, code }
    };
    let blocks: Vec<&str> = part.split("```").collect();
    blocks.chunks_exact(2).map(|pair| step(pair[0], pair[1])).collect()
}

/// The text of a file after a step.
fn taken(text: &str, Step { file, after, code }: &Step) -> String {
    let Some(line) = after else { return code.clone() };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let places: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].trim() == line).collect();
    let &[at] = &places[..] else { panic!("{file}: {line:?} stands in it {} times", places.len()) };
    [lines[..=at].concat(), code.clone(), lines[at + 1..].concat()].concat()
}

/// A copy of the workspace, and a folder for its builds.
struct Scratch {
    folder: PathBuf,
    built: PathBuf,
}

impl Scratch {
    /// Files keep their times, so that cargo builds nothing again that has not changed.
    fn new() -> Self {
        let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extending");
        let scratch = Self { folder: at.join("workspace"), built: at.join("target") };
        let _ = fs::remove_dir_all(&scratch.folder);
        for name in ["Cargo.toml", "Cargo.lock", "crates", "tests", "benches"] {
            copy(&root().join(name), &scratch.folder.join(name));
        }
        scratch
    }

    /// Takes these steps, and no other.
    fn take<'a>(&self, all: &'a [Step], with: impl Fn(&'a Step) -> bool) {
        for Step { file, .. } in all {
            let of_file = || all.iter().filter(|step| step.file == *file && with(step));
            let original = fs::read_to_string(root().join(file)).unwrap_or_default();
            let text = of_file().fold(original, |text, step| taken(&text, step));
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
        cargo.arg("test").args(["--offline", "--locked", "--target-dir"]).arg(&self.built).args(arguments);
        cargo.env("CARGO_PROFILE_TEST_OPT_LEVEL", "0").env("CARGO_PROFILE_TEST_DEBUG", "false");
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
    let time = fs::metadata(from).and_then(|of| of.modified()).expect("a file has a time");
    fs::File::options().write(true).open(to).and_then(|file| file.set_modified(time)).expect("a time can be set");
}

#[test]
fn operation_of_the_page_passes_every_level_and_needs_each_step() {
    let (scratch, steps) = (Scratch::new(), steps());
    let files = steps.iter().map(|step| &step.file).collect::<std::collections::BTreeSet<_>>();
    assert!(files.len() <= 5, "an operation stands in more files than five: {files:?}");
    fs::create_dir_all(scratch.folder.join("crates/proofs/tests")).expect("a folder");
    fs::write(scratch.folder.join("crates/proofs/tests/cube.rs"), LEVELS).expect("the copy can be written");
    for (number, left_out) in steps.iter().enumerate() {
        scratch.take(&steps, |step| !std::ptr::eq(step, left_out));
        let output = scratch.cargo(&["-p", "proofs", "--test", "cube", "--no-run"]);
        let log = String::from_utf8_lossy(&output.stderr);
        let seen = log.contains("error") && log.to_lowercase().contains("cube");
        assert!(!output.status.success() && seen, "without block {number}, in {}:\n{log}", left_out.file);
    }
    scratch.take(&steps, |_| true);
    for arguments in [&["-p", "proofs", "--test", "cube"][..], &["-p", "autograd", "--lib", "ops::cube"]] {
        let output = scratch.cargo(arguments);
        let [out, log] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(output.status.success() && out.contains("1 passed"), "{arguments:?}:\n{out}\n{log}");
    }
}
