//! Whole updates under ThreadSanitizer, to which each of a GPU's threads is a thread, and under AddressSanitizer with
//! UndefinedBehaviorSanitizer.

use emulator::planted::Way;
use emulator::{Built, Options, Sanitizer};

use super::{WIDTH, emulated, options};

/// Two blocks, which race with each other; more make the emulator slow.
const WAY: Way = ["forward", "2"];

/// Of networks, by hidden units and actions.
const TESTS: [([usize; 2], &[&str]); 4] = [
    (
        [WIDTH, 6],
        &[
            "parity::an_update_is_that_of_the_host_in_f32",
            "parity::an_update_is_that_of_the_host_in_f64",
            "parity::large_batches_are_summed_in_parts",
            "graph::replayed_as_launched",
            "resume::goes_on_where_it_stopped",
            "failures::what_is_not_finite_is_told_as_on_the_host",
        ],
    ),
    ([96, 18], &["sizes::the_default_network"]),
    ([256, 6], &["sizes::the_widest_network_in_f32"]),
    ([128, 6], &["sizes::the_widest_network_in_f64"]),
];

#[test]
#[ignore = "minutes: .ci/emulator runs it"]
fn sanitizers_see_nothing() {
    for sanitizer in [Sanitizer::Address, Sanitizer::Thread] {
        for ([hidden, actions], tests) in TESTS {
            let Some(built) = emulated(&Options { sanitizer, ..options(hidden, actions) }) else { return };
            tests.iter().for_each(|test| sees_nothing(&built, sanitizer, test));
        }
    }
}

fn sees_nothing(built: &Built, sanitizer: Sanitizer, test: &str) {
    let [order, blocks] = WAY;
    let outcome = built.rerun(test, &[("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks)]);
    let calls = outcome.log.len();
    assert!(outcome.success && calls > 50, "{sanitizer:?}: {outcome}");
    println!("{sanitizer:?}, {test}: {calls} calls of the driver, nothing seen");
}
