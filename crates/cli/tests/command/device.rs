//! Devices: the list, and refusals.

use serde_json::Value;

use crate::place::{AssertContains, Place, small};

/// What `gradus devices --json` finds without an emulator.
fn listed(place: &Place) -> Value {
    serde_json::from_str(&place.succeeds(&["devices", "--json"])).expect("JSON")
}

fn is_built() -> bool {
    listed(&Place::new())["cuda"]["built"] == Value::Bool(true)
}

#[test]
fn what_there_is_is_listed() {
    let place = Place::new();
    let (words, json) = (place.succeeds(&["devices"]), listed(&place));
    words.assert_contains(&["cpu\n", "  threads ", "reference, portable", "cuda\n", "  driver "]);
    assert!(json["cpu"]["threads"].as_u64().is_some_and(|threads| threads > 0), "{json:#}");
    let missing = [&json["cuda"]["driver"]["missing"], &json["cuda"]["missing"]];
    let gpus = json["cuda"]["gpus"].as_array().expect("a list");
    assert_eq!(gpus.is_empty(), missing.iter().all(|words| words.is_string()), "{json:#}");
}

#[test]
fn devices_that_do_not_exist() {
    let place = Place::new();
    for name in ["gpu", "cuda:x", "cuda:-1", "cpu:0"] {
        place.refuses(&["train", "--device", name], &[name, "it takes cpu, cuda, or a GPU by its number"]);
    }
    place.write("run.toml", "width = 16\ndevice = \"gpu\"\n");
    place.refuses(&["train", "--config", "run.toml"], &["run.toml, line 2, column 10: device = gpu is out of range"]);
    if listed(&place)["cuda"]["gpus"].as_array().is_some_and(|gpus| !gpus.is_empty()) {
        return println!("the rest was not tested: there is a GPU");
    }
    let says = if is_built() { ["looked for", "gradus devices"] } else { ["built without CUDA", "--features cuda"] };
    for name in ["cuda", "cuda:3"] {
        for command in ["train", "gradcheck"] {
            place.refuses(&[command, "--device", name], &["--device cuda:", says[0], says[1], "--device cpu"]);
        }
    }
    place.write("run.toml", "device = \"cuda\"\n");
    place.refuses(&["train", "--config", "run.toml"], &[says[0], "--device cpu"]);
    let right = place.succeeds(&["config", "--check", "run.toml"]);
    assert!(right.contains("device = cuda:0"), "{right}");
}

#[test]
fn the_processor_can_be_asked_for() {
    let place = Place::new();
    place.succeeds(&small(&["--device", "cpu", "--out", "here"]));
    place.succeeds(&small(&["--out", "there"]));
    assert!(place.read("here/model.safetensors") == place.read("there/model.safetensors"));
}
