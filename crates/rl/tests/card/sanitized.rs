//! Whole updates under ThreadSanitizer, to which each of a card's threads is a thread, and under AddressSanitizer with
//! UndefinedBehaviorSanitizer.

use emulator::planted::Way;
use emulator::{Options, Sanitizer};

use super::{WIDTH, emulated, options};

/// Two blocks, which race with each other; more make the emulator slow.
const WAY: Way = ["forward", "2"];

const TESTS: [&str; 6] = [
    "parity::an_update_is_that_of_the_host_in_f32",
    "parity::an_update_is_that_of_the_host_in_f64",
    "parity::large_batches_are_summed_in_parts",
    "graph::replayed_as_launched",
    "resume::goes_on_where_it_stopped",
    "failures::what_is_not_finite_is_told_as_on_the_host",
];

#[test]
#[ignore = "minutes: .ci/emulator runs it"]
fn sanitizers_see_nothing() {
    for sanitizer in [Sanitizer::Address, Sanitizer::Thread] {
        let Some(built) = emulated(&Options { sanitizer, ..options(WIDTH, 6) }) else { return };
        for test in TESTS {
            let [order, blocks] = WAY;
            let outcome = built.rerun(test, &[("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks)]);
            assert!(outcome.success && outcome.log.len() > 100, "{sanitizer:?}: {outcome}");
            println!("{sanitizer:?}, {test}: {} calls of the driver, nothing seen", outcome.log.len());
        }
    }
}
