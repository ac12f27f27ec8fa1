//! Faults in the kernels of the whole update, each detected by a test of this program. `record/planted-faults.md` lists them.

mod faults;

use emulator::Options;
use emulator::planted::{FaultList, PlantedFault, Schedule};

use super::{WIDTH, emulated, options};

const SCHEDULES: [Schedule; 4] = [["forward", "64"], ["reverse", "64"], ["forward", "1"], ["random:7", "3"]];

const LIST: FaultList = FaultList {
    heading: "The whole update",
    faults: faults::FAULTS,
    build,
    program: emulator::this_program,
    // As many multiprocessors as episodes: so the schedule alone decides the number of blocks of the persistent kernels.
    environment: &[("GRADUS_EMULATOR_MULTIPROCESSORS", "64")],
};

/// Builds the network of the test. Opening a GPU needs kernels for `float`; those for `double` are built only if the test uses
/// them.
fn build(fault: &PlantedFault) -> Options {
    let network = match fault.test {
        "sizes::update_default_network_matches_the_host" => options(96, 18),
        "sizes::update_widest_network_f32_matches_the_host" => options(256, 6),
        _ => options(WIDTH, 6),
    };
    let floats = fault.test.contains("f32") || fault.test.starts_with("failures::");
    Options { scalars: if floats { vec!["float"] } else { vec!["float", "double"] }, ..network }
}

#[test]
fn every_fault_is_detected() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.assert_every_fault_is_detected();
    }
}

#[test]
#[ignore = "builds with sanitizers: .ci/emulator runs it"]
fn every_fault_is_detected_by_its_sanitizer() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.assert_every_fault_is_detected_by_its_sanitizer();
    }
}

#[test]
#[ignore = "builds with each fault: .ci/emulator runs it"]
fn sanitizer_faults_pass_without_a_sanitizer() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.assert_sanitizer_faults_pass_without_one(&SCHEDULES);
    }
}

#[test]
fn page_lists_every_fault() {
    LIST.assert_page_lists_every_fault();
}
