//! Mistakes in the kernels of the specification, each seen by a test of the program `kernels`.
//!
//! The tests of the [module above](super) run the same checks in the same ways without mistakes, and raise no alarm.
//! `docs/planted-faults.md` is the list.

mod faults;

use emulator::Options;
use emulator::planted::{By, List, Planted};

use super::{WAYS, options};
use crate::{emulated, program};

const LIST: List = List {
    heading: "The kernels of the specification",
    faults: faults::FAULTS,
    build,
    program: || program("kernels"),
    environment: &[("GRADUS_TEST_CASES", "16")],
};

/// Files without the mistake were compiled for the other tests; what every file begins with goes into one alone.
fn build(fault: &Planted) -> Options {
    let one = match fault.test.split("::").next() {
        Some("softmax" | "edges") => "softmax",
        Some("reduce") => "reduce",
        _ => "philox",
    };
    let of_one = || Some(["map", one].map(String::from).to_vec()); // a GPU is opened by `map`
    let doubles = matches!(fault.by, By::Bits | By::Address);
    Options {
        modules: if fault.file == "common.cuh" { of_one() } else { options().modules },
        scalars: if doubles { vec!["float", "double"] } else { vec!["float"] },
        ..Options::default()
    }
}

#[test]
fn each_is_seen() {
    if emulated(&options()).is_some() {
        LIST.each_is_seen();
    }
}

#[test]
#[ignore = "builds with sanitizers: .ci/emulator runs it"]
fn each_is_seen_by_its_sanitizer() {
    if emulated(&options()).is_some() {
        LIST.each_is_seen_by_its_sanitizer();
    }
}

#[test]
#[ignore = "builds with each mistake: .ci/emulator runs it"]
fn what_sanitizers_are_for_is_seen_by_nothing_else() {
    if emulated(&options()).is_some() {
        LIST.nothing_else_sees_what_sanitizers_are_for(&WAYS);
    }
}

#[test]
fn the_page_lists_them() {
    LIST.the_page_lists_them();
}
