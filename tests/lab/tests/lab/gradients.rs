//! Every gradient once more on the GPU of the emulator, in `f64`: operations, layers, the fused GRU. Duals are computed on the host,
//! which shares no kernel with the GPU.

use std::thread;

use emulator::{Options, Outcome};

use crate::{emulated, program};

/// The tests of `gradients::levels` that judge gradients by a pass or two each.
const FEW_PASSES: [&str; 2] =
    ["gradients::levels::every_gradient_is_exact", "gradients::levels::every_backward_pass_accumulates"];

/// Those that need many.
const MANY_PASSES: [&str; 5] = [
    "gradients::levels::every_gradient_is_there_and_repeats",
    "gradients::levels::every_gradient_is_added_to_what_is_there",
    "gradients::levels::every_gradient_is_the_slope",
    "gradients::levels::every_gradient_is_the_transpose_of_the_tangent",
    "gradients::levels::what_is_not_read_changes_nothing",
];

#[test]
fn every_gradient_is_as_good_on_a_gpu() {
    run_on_gpu(&FEW_PASSES);
}

#[test]
#[ignore = "takes minutes on an emulator: .ci/emulator runs it"]
fn every_gradient_is_the_slope_on_a_gpu() {
    run_on_gpu(&MANY_PASSES);
}

fn run_on_gpu(tests: &[&str]) {
    let Some(built) = emulated(&Options::default()) else { return };
    let all = program("all");
    // Each in a process of its own, as an emulator runs one kernel at a time.
    let runs: Vec<Outcome> = thread::scope(|scope| {
        let started: Vec<_> = tests
            .iter()
            .map(|test| scope.spawn(|| built.run_test(&all, test, &[("GRADUS_KERNELS", "cuda")])))
            .collect();
        started.into_iter().map(|run| run.join().expect("it was started")).collect()
    });
    for outcome in runs {
        assert!(outcome.success && outcome.log.len() > 200, "{outcome}");
    }
}
