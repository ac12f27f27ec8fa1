//! The command on the GPU of the emulator: trainings to their end and until it fails, gradient checks, and refusals.

use std::process::Command;

use emulator::{Built, Options, Variant};
use serde_json::Value;

use super::place::{AssertContains, Called, Place, SMALL_TUTORIAL, with};
use crate::program;

fn emulated() -> Option<Built> {
    crate::emulated(&Options { variants: Variant::of_network(32, 6, 18), ..Options::default() })
}

/// Calls the command under an emulator, and says what the driver was asked for.
fn record(built: &Built, place: &Place, args: &[&str], options: &[(&str, &str)]) -> (Called, Vec<String>) {
    let mut command: Command = built.command(program("gradus"));
    command.args(args).current_dir(place.path(""));
    let outcome = built.run(command, options);
    (Called { code: outcome.code.expect("no signal"), out: outcome.stdout, err: outcome.stderr }, outcome.log)
}

/// Calls the command under an emulator, and says how many kernels ran.
fn call(built: &Built, place: &Place, args: &[&str], options: &[(&str, &str)]) -> (Called, usize) {
    let (called, log) = record(built, place, args, options);
    (called, log.iter().filter(|line| line.starts_with("launch ")).count())
}

fn first_loss(place: &Place, folder: &str) -> f64 {
    let text = place.text(&format!("{folder}/metrics.jsonl"));
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    line["loss"].as_f64().unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn kernel_by_kernel_a_gpu_trains_as_the_processor_does() {
    let Some(built) = emulated() else { return };
    let place = Place::new();
    let args = with(&SMALL_TUTORIAL, &["--validate-every=1"]);
    let by_gpu = [("GRADUS_KERNELS", "cuda:0")];
    let (called, launches) = call(&built, &place, &args, &by_gpu);
    assert_eq!((called.code, &*called.err), (0, ""), "{called:?}");
    assert!(launches > 500, "{launches} kernels ran on the GPU");
    let loss = |out: &str| -> f64 {
        let (_, loss) = out.split_once("loss ").unwrap_or_else(|| panic!("{out}"));
        loss.split_whitespace().next().expect("a number").parse().expect("a number")
    };
    let [gpu, cpu] = [loss(&called.out), loss(&place.succeeds(&args))];
    assert!((gpu - cpu).abs() < 1e-5 * cpu.abs().max(1.0), "the loss is {gpu} on the GPU, {cpu} on the processor");

    let fatal = (launches / 2).to_string();
    let (called, _) = call(&built, &place, &args, &[by_gpu[0], ("GRADUS_EMULATOR_FAIL_LAUNCH", &fatal)]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.err.contains("the GPU failed: ") && !called.err.contains("panicked"), "{}", called.err);
}

/// A run whose updates a GPU does as a whole: the two parts of its third checkpoint's time are done at once.
const WHOLE: [&str; 8] = [
    "train",
    "--width=32",
    "--batch=12",
    "--max-updates=6",
    "--validate-every=3",
    "--validation-episodes=4",
    "--test-episodes=10",
    "--save-every=2",
];

/// What a run leaves besides its clock and the page, which tell the time.
const LEFT: [&str; 4] = ["metrics.jsonl", "episodes.jsonl", "model.safetensors", "test.json"];

#[test]
fn whole_updates_on_a_gpu_and_their_checkpoints() {
    let Some(built) = emulated() else { return };
    let place = Place::new();
    let train = |more: &[&str]| {
        let (called, log) = record(&built, &place, &with(&WHOLE, &[more, &["--device", "cuda"]].concat()), &[]);
        assert_eq!((called.code, &*called.err), (0, ""), "{called:?}");
        log.iter().filter(|line| line.starts_with("graph launch ")).count()
    };
    assert_eq!(train(&["--out", "gpu"]), 6, "each update is one call");
    place.succeeds(&with(&WHOLE, &["--out", "cpu"]));
    let [gpu, cpu] = ["gpu", "cpu"].map(|folder| first_loss(&place, folder));
    assert!((gpu - cpu).abs() < 1e-5 * cpu.abs().max(1.0), "the loss is {gpu} on the GPU, {cpu} on the processor");
    assert_eq!(place.names("gpu"), place.names("cpu"));

    // Stopped where no checkpoint was due, and gone on with there.
    assert_eq!(train(&["--out", "stopped", "--stop-after", "3"]), 3);
    let (called, _) = record(&built, &place, &["train", "--resume", "stopped", "--device", "cuda"], &[]);
    assert_eq!((called.code, &*called.err), (0, ""), "{called:?}");
    for name in LEFT {
        let [whole, resumed] = ["gpu", "stopped"].map(|folder| place.read(&format!("{folder}/{name}")));
        assert!(whole == resumed, "{name} differs");
    }
}

/// The sixth update is asked for together with the fifth, after the checkpoint of the fourth.
#[test]
fn a_gpu_that_disappears_leaves_the_last_checkpoint() {
    let Some(built) = emulated() else { return };
    let place = Place::new();
    let (update, validation) = (11, 2);
    let fatal = (5 * update + validation + 4).to_string();
    let args = with(&WHOLE, &["--device", "cuda", "--out", "lost"]);
    let (called, _) = record(&built, &place, &args, &[("GRADUS_EMULATOR_FAIL_LAUNCH", &fatal)]);
    assert_eq!(called.code, 2, "{called:?}");
    called.err.assert_contains(&[
        "error: after update 4: the GPU failed: replaying the recorded kernels, in update 6: ",
        "the last checkpoint is whole: gradus train --resume lost",
    ]);
    assert!(!called.err.contains("panicked"), "{}", called.err);
    place.succeeds(&["train", "--resume", "lost"]); // on the processor
    place.succeeds(&with(&WHOLE, &["--out", "cpu"]));
    assert_eq!(place.names("lost"), place.names("cpu"));
}

#[test]
fn what_a_gpu_does_not_take_is_refused_before_there_is_a_folder() {
    let Some(built) = emulated() else { return };
    let place = Place::new();
    let refuses = |more: &[&str], options: &[(&str, &str)], words: &[&str]| {
        let args = [&["train", "--device", "cuda", "--out", "none"], more].concat();
        let (called, log) = record(&built, &place, &args, options);
        assert_eq!((called.code, &*called.out), (2, ""), "{called:?}");
        called.err.assert_contains(words);
        assert!(place.files().is_empty() && !log.iter().any(|line| line.starts_with("alloc")), "{log:?}");
    };
    for (setting, words) in [
        ("--width=40", "--device cuda:0: width = 40 is for the CPU alone: a GPU takes multiples of 32, up to 256"),
        ("--optimizer=sgd", "optimizer = sgd is for the CPU alone: a GPU takes adam or adamw"),
        ("--imitate=2", "imitate = 2 is for the CPU alone: a GPU takes 0; change it, or compute on the CPU"),
    ] {
        refuses(&[setting], &[], &["error: ", words]);
    }
    let little = [("GRADUS_EMULATOR_MEMORY", "20000000")];
    let words =
        ["the GPU has too little memory: ", "were asked for, and ", "; at most ", " episodes in a batch would fit"];
    refuses(&["--batch", "100000", "--width", "32"], &little, &words);
}

/// By every method, as on the processor; what duals say is said there.
#[test]
fn a_gpus_gradients_are_checked() {
    let Some(built) = emulated() else { return };
    let args = ["gradcheck", "--op", "tanh,matmul", "--device", "cuda"];
    let (called, launches) = call(&built, &Place::new(), &args, &[]);
    let says = "\ngradients, values and differences by cuda:0; duals and second derivatives by cpu\n";
    assert!(called.code == 0 && called.out.contains("all agree") && called.out.ends_with(says), "{called:?}");
    assert!(launches > 1000, "{launches} kernels ran on the GPU");
}

#[test]
fn the_gpus_of_an_emulator_are_listed_and_counted() {
    let Some(built) = emulated() else { return };
    let place = Place::new();
    let two = [("GRADUS_EMULATOR_DEVICES", "2")];
    let (called, launches) = call(&built, &place, &["devices"], &two);
    assert_eq!((called.code, launches), (0, 0), "{called:?}");
    called.out.assert_contains(&["  driver     13.0\n  NVRTC      13.0\n  cuda:0     gradus emulator, "]);
    let (called, _) = call(&built, &place, &["train", "--device", "cuda:2"], &two);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.err.contains("there is no GPU 2: there are 2, with the numbers 0 to 1"), "{}", called.err);
}
