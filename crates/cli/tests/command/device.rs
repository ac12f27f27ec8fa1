//! Tests of `gradus devices` and of invalid devices.

use serde_json::Value;

use crate::sandbox::{AssertContains, Sandbox, small_training};

/// Returns the output of `gradus devices --json` without an emulator.
fn list_devices(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.expect_success(&["devices", "--json"])).expect("JSON")
}

fn is_built() -> bool {
    list_devices(&Sandbox::new())["cuda"]["built"] == Value::Bool(true)
}

#[test]
fn devices_lists_cpu_and_cuda() {
    let sandbox = Sandbox::new();
    let (text, json) = (sandbox.expect_success(&["devices"]), list_devices(&sandbox));
    text.assert_contains(&["cpu\n", "  threads ", "reference, portable", "cuda\n", "  driver "]);
    assert!(json["cpu"]["threads"].as_u64().is_some_and(|threads| threads > 0), "{json:#}");
    let missing = [&json["cuda"]["driver"]["missing"], &json["cuda"]["missing"]];
    let gpus = json["cuda"]["gpus"].as_array().expect("a list");
    assert_eq!(gpus.is_empty(), missing.iter().all(|message| message.is_string()), "{json:#}");
}

#[test]
fn unknown_devices_are_refused() {
    let sandbox = Sandbox::new();
    for name in ["gpu", "cuda:x", "cuda:-1", "cpu:0"] {
        sandbox.expect_refusal(&["train", "--device", name], &[name, "expected cpu, cuda, or a GPU by number"]);
    }
    sandbox.write("run.toml", "width = 16\ndevice = \"gpu\"\n");
    sandbox
        .expect_refusal(&["train", "--config", "run.toml"], &["run.toml, line 2, column 10: device = gpu is invalid"]);
    if list_devices(&sandbox)["cuda"]["gpus"].as_array().is_some_and(|gpus| !gpus.is_empty()) {
        return println!("skipped the rest of the test, because this machine has a GPU");
    }
    let messages =
        if is_built() { ["looked for", "gradus devices"] } else { ["built without CUDA", "--features cuda"] };
    for name in ["cuda", "cuda:3"] {
        for command in [&["train", "--task", "calculator-stages"][..], &["gradcheck"]] {
            sandbox.expect_refusal(
                &[command, &["--device", name]].concat(),
                &["--device cuda:", messages[0], messages[1], "--device cpu"],
            );
        }
    }
    sandbox.write("run.toml", "task = \"calculator-stages\"\ndevice = \"cuda\"\n");
    sandbox.expect_refusal(&["train", "--config", "run.toml"], &[messages[0], "--device cpu"]);
    let verdict = sandbox.expect_success(&["config", "--check", "run.toml"]);
    assert!(verdict.contains("device = cuda:0"), "{verdict}");
}

#[test]
fn train_device_cpu_equals_the_default() {
    let sandbox = Sandbox::new();
    sandbox.expect_success(&small_training(&["--device", "cpu", "--out", "here"]));
    sandbox.expect_success(&small_training(&["--out", "there"]));
    assert!(sandbox.read("here/model.safetensors") == sandbox.read("there/model.safetensors"));
}
