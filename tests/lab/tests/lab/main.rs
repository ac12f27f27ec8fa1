//! Tests that `cargo test` at the root does not run, because they need a C++ compiler, build packages or take long.
//! `cargo test --workspace` runs them.
#![forbid(unsafe_code)]

mod command;
mod extending;
mod gradients;
mod gru_ways;
mod kernels;
mod mistakes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use emulator::{Built, Emulator, Options, is_on_gpu};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/lab is in the workspace")
}

/// Returns the path of a program that `cargo test --workspace` builds: a test program, or the command. Builds it if necessary.
fn program(name: &str) -> PathBuf {
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let all = PROGRAMS.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--locked", "--no-run", "--workspace", "--message-format=json"]).current_dir(root());
        let built = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
        assert!(built.status.success(), "the programs of `cargo test --workspace` do not build");
        let lines = String::from_utf8(built.stdout).expect("UTF-8");
        let path = |line: &str| {
            let message: Value = serde_json::from_str(line).expect("JSON");
            let path = message["executable"].as_str()?.into();
            // The unit tests of a library or command have the same name; they are left out.
            let is_program = message["target"]["kind"][0] == "test" || message["profile"]["test"] == false;
            is_program.then(|| (message["target"]["name"].as_str().expect("a name").to_owned(), path))
        };
        lines.lines().filter_map(path).collect()
    });
    all.get(name).unwrap_or_else(|| panic!("cargo builds no program {name}, only {:?}", all.keys())).clone()
}

/// Returns the path of the command.
fn gradus_path() -> PathBuf {
    program("gradus")
}

/// Builds an emulator. Without a C++ compiler, prints a message and returns `None`. On a machine with a GPU it also returns
/// `None`: there, `GRADUS_TEST_GPU` runs the tests on the GPU itself.
fn emulated(options: &Options) -> Option<Built> {
    if is_on_gpu() {
        return None;
    }
    Emulator::build_or_skip(options)
}
