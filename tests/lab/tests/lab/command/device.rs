//! The command on an emulated GPU: complete training runs, training runs with a GPU failure, gradient checks, and refusals.

use std::process::Command;

use emulator::{Built, Options, Variant};
use serde_json::Value;

use super::sandbox::{AssertContains, CommandResult, SMALL_TUTORIAL, Sandbox, concat_args};
use crate::program;

/// Builds the emulator with the kernels of the tests' networks. Returns `None` if it is not available.
fn emulated() -> Option<Built> {
    crate::emulated(&Options { variants: Variant::for_network(32, 6, 18), ..Options::default() })
}

/// Runs the command under the emulator, and returns the log of the driver's calls.
fn run_and_log(
    built: &Built,
    sandbox: &Sandbox,
    args: &[&str],
    options: &[(&str, &str)],
) -> (CommandResult, Vec<String>) {
    let mut command: Command = built.command(program("gradus"));
    command.args(args).current_dir(sandbox.path(""));
    let outcome = built.run(command, options);
    (CommandResult { code: outcome.code.expect("no signal"), out: outcome.stdout, err: outcome.stderr }, outcome.log)
}

/// Runs the command under the emulator, and returns the number of kernel launches.
fn run_and_count_launches(
    built: &Built,
    sandbox: &Sandbox,
    args: &[&str],
    options: &[(&str, &str)],
) -> (CommandResult, usize) {
    let (result, log) = run_and_log(built, sandbox, args, options);
    (result, log.iter().filter(|line| line.starts_with("launch ")).count())
}

fn first_loss(sandbox: &Sandbox, folder: &str) -> f64 {
    let text = sandbox.text(&format!("{folder}/metrics.jsonl"));
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    line["loss"].as_f64().unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn tutorial_kernel_by_kernel_on_a_gpu_equals_the_cpu() {
    let Some(built) = emulated() else { return };
    let sandbox = Sandbox::new();
    let args = concat_args(&SMALL_TUTORIAL, &["--validate-every=1"]);
    let by_gpu = [("GRADUS_KERNELS", "cuda:0")];
    let (result, launches) = run_and_count_launches(&built, &sandbox, &args, &by_gpu);
    assert_eq!((result.code, &*result.err), (0, ""), "{result:?}");
    assert!(launches > 500, "{launches} kernels ran on the GPU");
    let loss = |out: &str| -> f64 {
        let (_, loss) = out.split_once("loss ").unwrap_or_else(|| panic!("{out}"));
        loss.split_whitespace().next().expect("a number").parse().expect("a number")
    };
    let [gpu, cpu] = [loss(&result.out), loss(&sandbox.expect_success(&args))];
    assert!((gpu - cpu).abs() < 1e-5 * cpu.abs().max(1.0), "the loss is {gpu} on the GPU, {cpu} on the CPU");

    let failing_launch = (launches / 2).to_string();
    let (result, _) =
        run_and_count_launches(&built, &sandbox, &args, &[by_gpu[0], ("GRADUS_EMULATOR_FAIL_LAUNCH", &failing_launch)]);
    assert_eq!(result.code, 2, "{result:?}");
    assert!(result.err.contains("the GPU failed: ") && !result.err.contains("panicked"), "{}", result.err);
}

/// A run whose complete updates run on the GPU. Updates 5 and 6, up to the third checkpoint, are launched together.
const GPU_TRAINING: [&str; 9] = [
    "train",
    "--task=calculator-stages",
    "--width=32",
    "--batch=12",
    "--max-updates=6",
    "--validate-every=3",
    "--validation-episodes=4",
    "--test-episodes=10",
    "--save-every=2",
];

/// The files of a run except the clock and the page, which contain times.
const COMPARED_FILES: [&str; 4] = ["metrics.jsonl", "episodes.jsonl", "model.safetensors", "test.json"];

#[test]
fn train_whole_updates_on_a_gpu_equal_the_cpu_and_resume() {
    let Some(built) = emulated() else { return };
    let sandbox = Sandbox::new();
    let train = |more: &[&str]| {
        let (result, log) =
            run_and_log(&built, &sandbox, &concat_args(&GPU_TRAINING, &[more, &["--device", "cuda"]].concat()), &[]);
        assert_eq!((result.code, &*result.err), (0, ""), "{result:?}");
        log.iter().filter(|line| line.starts_with("graph launch ")).count()
    };
    assert_eq!(train(&["--out", "gpu"]), 6, "each update is one graph launch");
    sandbox.expect_success(&concat_args(&GPU_TRAINING, &["--out", "cpu"]));
    let [gpu, cpu] = ["gpu", "cpu"].map(|folder| first_loss(&sandbox, folder));
    assert!((gpu - cpu).abs() < 1e-5 * cpu.abs().max(1.0), "the loss is {gpu} on the GPU, {cpu} on the CPU");
    assert_eq!(sandbox.names("gpu"), sandbox.names("cpu"));

    // Stops at an update without a due checkpoint, and resumes there.
    assert_eq!(train(&["--out", "stopped", "--stop-after", "3"]), 3);
    let (result, _) = run_and_log(&built, &sandbox, &["train", "--resume", "stopped", "--device", "cuda"], &[]);
    assert_eq!((result.code, &*result.err), (0, ""), "{result:?}");
    for name in COMPARED_FILES {
        let [whole, resumed] = ["gpu", "stopped"].map(|folder| sandbox.read(&format!("{folder}/{name}")));
        assert!(whole == resumed, "{name} differs");
    }
}

/// Updates 5 and 6 are launched together, after the checkpoint of update 4.
#[test]
fn train_gpu_failure_keeps_the_last_checkpoint() {
    let Some(built) = emulated() else { return };
    let sandbox = Sandbox::new();
    let (update, validation) = (11, 2);
    let failing_launch = (5 * update + validation + 4).to_string();
    let args = concat_args(&GPU_TRAINING, &["--device", "cuda", "--out", "lost"]);
    let (result, _) = run_and_log(&built, &sandbox, &args, &[("GRADUS_EMULATOR_FAIL_LAUNCH", &failing_launch)]);
    assert_eq!(result.code, 2, "{result:?}");
    result.err.assert_contains(&[
        "error: after update 4: the GPU failed: replaying the recorded kernels, in update 6: ",
        "the last checkpoint is complete; resume with: gradus train --resume lost",
    ]);
    assert!(!result.err.contains("panicked"), "{}", result.err);
    sandbox.expect_success(&["train", "--resume", "lost"]); // on the CPU
    sandbox.expect_success(&concat_args(&GPU_TRAINING, &["--out", "cpu"]));
    assert_eq!(sandbox.names("lost"), sandbox.names("cpu"));
}

#[test]
fn train_unsupported_gpu_settings_are_refused_before_the_folder_is_created() {
    let Some(built) = emulated() else { return };
    let sandbox = Sandbox::new();
    let expect_train_refusal = |more: &[&str], options: &[(&str, &str)], messages: &[&str]| {
        let args = [&["train", "--task", "calculator-stages", "--device", "cuda", "--out", "none"], more].concat();
        let (result, log) = run_and_log(&built, &sandbox, &args, options);
        assert_eq!((result.code, &*result.out), (2, ""), "{result:?}");
        result.err.assert_contains(messages);
        assert!(sandbox.files().is_empty() && !log.iter().any(|line| line.starts_with("alloc")), "{log:?}");
    };
    for (setting, message) in [
        (
            "--width=40",
            "--device cuda:0: width = 40 is supported on the CPU only: a GPU takes multiples of 32, up to 256",
        ),
        ("--optimizer=sgd", "optimizer = sgd is supported on the CPU only: a GPU takes adam or adamw"),
        ("--imitate=2", "imitate = 2 is supported on the CPU only: a GPU takes 0; change it, or compute on the CPU"),
    ] {
        expect_train_refusal(&[setting], &[], &["error: ", message]);
    }
    let little = [("GRADUS_EMULATOR_MEMORY", "20000000")];
    let messages =
        ["the GPU has too little memory: ", "were asked for, and ", "; at most ", " episodes in a batch would fit"];
    expect_train_refusal(&["--batch", "100000", "--width", "32"], &little, &messages);
}

/// All methods run on the GPU, except dual numbers and second derivatives.
#[test]
fn gradcheck_on_a_gpu_agrees() {
    let Some(built) = emulated() else { return };
    let args = ["gradcheck", "--op", "tanh,matmul", "--device", "cuda"];
    let (result, launches) = run_and_count_launches(&built, &Sandbox::new(), &args, &[]);
    let messages =
        "\ngradients, values and differences were computed by cuda:0; dual numbers and second derivatives by cpu\n";
    assert!(result.code == 0 && result.out.contains("all agree") && result.out.ends_with(messages), "{result:?}");
    assert!(launches > 1000, "{launches} kernels ran on the GPU");
}

#[test]
fn devices_lists_the_emulated_gpus() {
    let Some(built) = emulated() else { return };
    let sandbox = Sandbox::new();
    let two = [("GRADUS_EMULATOR_DEVICES", "2")];
    let (result, launches) = run_and_count_launches(&built, &sandbox, &["devices"], &two);
    assert_eq!((result.code, launches), (0, 0), "{result:?}");
    result.out.assert_contains(&["  driver     13.0\n  NVRTC      13.0\n  cuda:0     gradus emulator, "]);
    let (result, _) =
        run_and_count_launches(&built, &sandbox, &["train", "--task", "calculator-stages", "--device", "cuda:2"], &two);
    assert_eq!(result.code, 2, "{result:?}");
    assert!(result.err.contains("there is no GPU 2: there are 2, with the numbers 0 to 1"), "{}", result.err);
}
