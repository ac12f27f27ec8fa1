//! Compares `docs/run-folder.md` with the files that a run writes.

use std::collections::BTreeSet;

use safetensors::SafeTensors;
use serde_json::Value;

use crate::sandbox::{Sandbox, small_training};

const PAGE: &str = include_str!("../../../../docs/run-folder.md");

/// Returns the fields in a section's tables with their descriptions.
fn rows(section: &str) -> Vec<(&'static str, &'static str)> {
    let from = PAGE.split(&format!("\n## {section}\n")).nth(1).unwrap_or_else(|| panic!("no section {section}"));
    let lines = from.split("\n## ").next().expect("a part").lines();
    lines.filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect()
}

fn documented(section: &str) -> BTreeSet<&'static str> {
    rows(section).into_iter().map(|(field, _)| field).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Asserts that the description of a field names exactly the keys of its value.
#[track_caller]
fn assert_named(section: &str, field: &str, value: &Value) {
    let (_, text) = rows(section).into_iter().find(|(name, _)| *name == field).expect("a documented field");
    let named: BTreeSet<_> = text.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, keys(value), "{section}, {field}");
}

#[test]
fn run_folder_fields_equal_the_documented_fields() {
    let sandbox = Sandbox::with_trained_run();
    let lines = |name: &str| -> Vec<Value> {
        let text = sandbox.text(&format!("run/{name}"));
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };

    let about = sandbox.json("run/about.json");
    assert_eq!(keys(&about), documented("`about.json`"));
    assert_named("`about.json`", "machine", &about["machine"]);

    let metrics = lines("metrics.jsonl");
    let written: BTreeSet<_> = metrics.iter().flat_map(keys).collect();
    assert_eq!(written, documented("`metrics.jsonl`"));
    let validation = metrics.iter().find(|line| line["stages"].is_array()).expect("a validation");
    assert_named("`metrics.jsonl`", "stages", &validation["stages"][0]);

    for line in lines("episodes.jsonl") {
        assert_eq!(keys(&line), documented("`episodes.jsonl`"));
    }

    let model = sandbox.read("run/model.safetensors");
    let (_, header) = SafeTensors::read_metadata(&model).expect("safetensors");
    let metadata: BTreeSet<_> = header.metadata().as_ref().expect("metadata").keys().map(String::as_str).collect();
    assert_eq!(metadata, documented("`model.safetensors`"));

    let test = sandbox.json("run/test.json");
    assert_eq!(keys(&test), documented("`test.json` and `clock.json`"));
    assert_named("`test.json` and `clock.json`", "stages", &test["stages"][0]);
    assert_eq!(keys(&sandbox.json("run/clock.json")), ["seconds", "training_seconds"].into());
}

/// The first table lists every file of the folder.
#[test]
fn run_folder_files_equal_the_documented_files() {
    let sandbox = Sandbox::new();
    let more = [
        "--out",
        "run",
        "--keep-every=1",
        "--unlock=0",
        "--max-updates=100",
        "--entropy-updates=1",
        "--validate-every=30",
    ];
    sandbox.expect_success(&small_training(&more));
    let table = PAGE.split("\n`--seeds`").next().expect("a part");
    for name in sandbox.names("run") {
        assert!(table.contains(&format!("| `{name}")), "{name} is not documented");
    }
    for line in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = line.split('`').next().expect("a name");
        assert!(sandbox.path(&format!("run/{name}")).exists(), "{name} is documented, but not written");
    }
}
