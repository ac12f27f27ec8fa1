//! Whole updates under ThreadSanitizer, with one thread for each GPU thread, and under AddressSanitizer with
//! UndefinedBehaviorSanitizer.

use emulator::planted::Schedule;
use emulator::{Built, Options, Sanitizer};

use super::{WIDTH, emulated, options};

/// Two blocks, which can race with each other. More make the emulator slow.
const SCHEDULE: Schedule = ["forward", "2"];

/// The tests of each network, given by hidden size and actions.
const TESTS: [([usize; 2], &[&str]); 4] = [
    (
        [WIDTH, 6],
        &[
            "parity::update_f32_matches_the_host",
            "parity::update_f64_matches_the_host",
            "parity::gradients_of_large_batches_match_the_host",
            "graph::replay_equals_separate_launches",
            "resume::resumed_run_continues_to_the_bit",
            "failures::not_finite_update_is_reported_as_on_the_host",
        ],
    ),
    ([96, 18], &["sizes::update_default_network_matches_the_host"]),
    ([256, 6], &["sizes::update_widest_network_f32_matches_the_host"]),
    ([128, 6], &["sizes::update_widest_network_f64_matches_the_host"]),
];

#[test]
#[ignore = "minutes: .ci/emulator runs it"]
fn sanitizers_report_nothing() {
    for sanitizer in [Sanitizer::Address, Sanitizer::Thread] {
        for ([hidden_size, actions], tests) in TESTS {
            let Some(built) = emulated(&Options { sanitizer, ..options(hidden_size, actions) }) else { return };
            tests.iter().for_each(|test| assert_reports_nothing(&built, sanitizer, test));
        }
    }
}

fn assert_reports_nothing(built: &Built, sanitizer: Sanitizer, test: &str) {
    let [order, blocks] = SCHEDULE;
    let outcome = built.rerun(test, &[("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks)]);
    let calls = outcome.log.len();
    assert!(outcome.success && calls > 50, "{sanitizer:?}: {outcome}");
    println!("{sanitizer:?}, {test}: {calls} driver calls, nothing reported");
}
