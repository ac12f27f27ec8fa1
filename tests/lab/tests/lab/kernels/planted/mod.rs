//! Faults in the kernels of the specification, each detected by a test of the program `kernels`.
//!
//! The tests of the [module above](super) run the same checks with the same schedules without faults, and they pass.
//! `record/planted-faults.md` lists the faults.

mod faults;

use emulator::Options;
use emulator::planted::{Detector, FaultList, PlantedFault};

use super::{SCHEDULES, options};
use crate::{emulated, program};

const LIST: FaultList = FaultList {
    heading: "The kernels of the specification",
    faults: faults::FAULTS,
    build,
    program: || program("kernels"),
    environment: &[("GRADUS_TEST_CASES", "16")],
};

/// Returns the build options. Unchanged files are cached from the other tests. A fault in `common.cuh` affects every file, so
/// only one file is built with it.
fn build(fault: &PlantedFault) -> Options {
    let one = match fault.test.split("::").next() {
        Some("softmax" | "edges") => "softmax",
        Some("reduce") => "reduce",
        _ => "philox",
    };
    let only_one = || Some(["map", one].map(String::from).to_vec()); // opening a GPU needs `map`
    let doubles = matches!(fault.detector, Detector::Bits | Detector::Address);
    Options {
        modules: if fault.file == "common.cuh" { only_one() } else { options().modules },
        scalars: if doubles { vec!["float", "double"] } else { vec!["float"] },
        ..Options::default()
    }
}

#[test]
fn every_fault_is_detected() {
    if emulated(&options()).is_some() {
        LIST.assert_every_fault_is_detected();
    }
}

#[test]
#[ignore = "builds with sanitizers: .ci/emulator runs it"]
fn every_fault_is_detected_by_its_sanitizer() {
    if emulated(&options()).is_some() {
        LIST.assert_every_fault_is_detected_by_its_sanitizer();
    }
}

#[test]
#[ignore = "builds with each fault: .ci/emulator runs it"]
fn sanitizer_faults_pass_without_a_sanitizer() {
    if emulated(&options()).is_some() {
        LIST.assert_sanitizer_faults_pass_without_one(&SCHEDULES);
    }
}

#[test]
fn page_lists_every_fault() {
    LIST.assert_page_lists_every_fault();
}
