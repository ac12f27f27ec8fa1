//! `docs/run-folder.md` against what is written.

use std::collections::BTreeSet;

use safetensors::SafeTensors;
use serde_json::Value;

use crate::place::{Place, small};

const PAGE: &str = include_str!("../../../../docs/run-folder.md");

/// The first cells of a section's tables of fields, with what they say.
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

/// That the text of a field names all keys of its value.
#[track_caller]
fn assert_named(section: &str, field: &str, value: &Value) {
    let (_, text) = rows(section).into_iter().find(|(name, _)| *name == field).expect("a documented field");
    let named: BTreeSet<_> = text.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, keys(value), "{section}, {field}");
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_written() {
    let place = Place::trained();
    let lines = |name: &str| -> Vec<Value> {
        let text = place.text(&format!("run/{name}"));
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };

    let about = place.json("run/about.json");
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

    let model = place.read("run/model.safetensors");
    let (_, header) = SafeTensors::read_metadata(&model).expect("safetensors");
    let metadata: BTreeSet<_> = header.metadata().as_ref().expect("metadata").keys().map(String::as_str).collect();
    assert_eq!(metadata, documented("`model.safetensors`"));

    let test = place.json("run/test.json");
    assert_eq!(keys(&test), documented("`test.json` and `clock.json`"));
    assert_named("`test.json` and `clock.json`", "stages", &test["stages"][0]);
    assert_eq!(keys(&place.json("run/clock.json")), ["seconds", "training_seconds"].into());
}

/// Every name in the folder is in the first table.
#[test]
fn every_file_is_documented() {
    let place = Place::new();
    let more = ["--out", "run", "--keep-every=1", "--unlock=0", "--max-updates=100", "--entropy-updates=1"];
    place.succeeds(&small(&more));
    let table = PAGE.split("\n`--seeds`").next().expect("a part");
    for name in place.names("run") {
        assert!(table.contains(&format!("| `{name}")), "{name} is not documented");
    }
    for line in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = line.split('`').next().expect("a name");
        assert!(place.path(&format!("run/{name}")).exists(), "{name} is documented, but not written");
    }
}
