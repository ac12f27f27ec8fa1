//! Tests of all gradients on the emulated GPU in `f64`: operations, layers and the fused GRU. The duals run on the CPU, which
//! shares no kernel with the GPU.

use std::thread;

use emulator::{Options, Outcome};

use crate::{emulated, program};

/// The tests of `gradients::levels` that need one or two passes per case.
const FEW_PASSES: [&str; 2] =
    ["gradients::levels::gradients_every_case_match_duals", "gradients::levels::backward_every_case_accumulates"];

/// The tests of `gradients::levels` that need many passes per case. Without central differences, which need two passes for each
/// number: they show nothing that the duals do not.
const MANY_PASSES: [&str; 4] = [
    "gradients::levels::gradients_every_case_exist_and_repeat",
    "gradients::levels::gradients_every_case_add_to_existing_gradients",
    "gradients::levels::gradients_every_case_are_the_transpose_of_the_tangent",
    "gradients::levels::gradients_unread_inputs_change_nothing",
];

#[test]
fn gradients_on_emulated_gpu_match_duals() {
    run_on_gpu(&FEW_PASSES);
}

#[test]
#[ignore = "takes minutes on an emulator: .ci/emulator runs it"]
fn gradients_on_emulated_gpu_pass_the_slow_checks() {
    run_on_gpu(&MANY_PASSES);
}

fn run_on_gpu(tests: &[&str]) {
    let Some(built) = emulated(&Options::default()) else { return };
    let all = program("all");
    // Each test runs in its own process, since an emulator runs one kernel at a time.
    let runs: Vec<Outcome> = thread::scope(|scope| {
        let started: Vec<_> = tests
            .iter()
            .map(|test| scope.spawn(|| built.run_test(&all, test, &[("GRADUS_KERNELS", "cuda")])))
            .collect();
        started.into_iter().map(|run| run.join().expect("the thread does not panic")).collect()
    });
    for outcome in runs {
        assert!(outcome.success && outcome.log.len() > 200, "{outcome}");
    }
}
