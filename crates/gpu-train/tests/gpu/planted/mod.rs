//! Mistakes in the kernels of the whole update, each seen by a test of this program. `docs/planted-faults.md` is the list.

mod faults;

use emulator::Options;
use emulator::planted::{List, Planted, Way};

use super::{WIDTH, emulated, options};

const WAYS: [Way; 4] = [["forward", "64"], ["reverse", "64"], ["forward", "1"], ["random:7", "3"]];

const LIST: List = List {
    heading: "The whole update",
    faults: faults::FAULTS,
    build,
    program: emulator::this_program,
    // As many as there are episodes: so the way alone says how many blocks the persistent kernels have.
    environment: &[("GRADUS_EMULATOR_MULTIPROCESSORS", "64")],
};

/// The network of the test. A GPU is opened by kernels for `float`; those for `double` are built where the test wants them.
fn build(fault: &Planted) -> Options {
    let network = match fault.test {
        "sizes::the_default_network" => options(96, 18),
        "sizes::the_widest_network_in_f32" => options(256, 6),
        _ => options(WIDTH, 6),
    };
    let floats = fault.test.ends_with("f32") || fault.test.starts_with("failures::");
    Options { scalars: if floats { vec!["float"] } else { vec!["float", "double"] }, ..network }
}

#[test]
fn each_is_seen() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.each_is_seen();
    }
}

#[test]
#[ignore = "builds with sanitizers: .ci/emulator runs it"]
fn each_is_seen_by_its_sanitizer() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.each_is_seen_by_its_sanitizer();
    }
}

#[test]
#[ignore = "builds with each mistake: .ci/emulator runs it"]
fn what_sanitizers_are_for_is_seen_by_nothing_else() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.nothing_else_sees_what_sanitizers_are_for(&WAYS);
    }
}

#[test]
fn the_page_lists_them() {
    LIST.the_page_lists_them();
}
