//! Every gradient once more on the card of an emulator, in `f64`: operations, layers, the fused GRU. What duals say comes from the
//! host, which shares no kernel with the card.

use std::thread;

use emulator::{Emulator, Options, Outcome};

/// The tests of [`levels`](crate::levels) that judge gradients by a pass or two each.
const FEW_PASSES: [&str; 2] = ["levels::every_gradient_is_exact", "levels::every_backward_pass_accumulates"];

/// Those that need many.
const MANY_PASSES: [&str; 5] = [
    "levels::every_gradient_is_there_and_repeats",
    "levels::every_gradient_is_added_to_what_is_there",
    "levels::every_gradient_is_the_slope",
    "levels::every_gradient_is_the_transpose_of_the_tangent",
    "levels::what_is_not_read_changes_nothing",
];

#[test]
fn every_gradient_is_as_good_on_a_card() {
    on_a_card(&FEW_PASSES);
}

#[test]
#[ignore = "takes minutes on an emulator: .ci/emulator runs it"]
fn every_gradient_is_the_slope_on_a_card() {
    on_a_card(&MANY_PASSES);
}

fn on_a_card(tests: &[&str]) {
    if emulator::inside() {
        return;
    }
    let Some(built) = Emulator::at_hand(&Options::default()) else { return };
    // Each in a process of its own, as an emulator runs one kernel at a time.
    let runs: Vec<Outcome> = thread::scope(|scope| {
        let started: Vec<_> =
            tests.iter().map(|test| scope.spawn(|| built.rerun(test, &[("GRADUS_KERNELS", "cuda")]))).collect();
        started.into_iter().map(|run| run.join().expect("it was started")).collect()
    });
    for outcome in runs {
        assert!(outcome.success && outcome.log.len() > 200, "{outcome}");
    }
}
