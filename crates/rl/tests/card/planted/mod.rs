//! Mistakes in the kernels of the whole update, each seen by a test of this program. `docs/planted-faults.md` is the list.

mod faults;

use emulator::Options;
use emulator::planted::{List, Planted};

use super::{WIDTH, emulated, options};

const LIST: List = List {
    heading: "The whole update",
    faults: faults::FAULTS,
    build,
    // As many as there are episodes: so the way alone says how many blocks the persistent kernels have.
    environment: &[("GRADUS_EMULATOR_MULTIPROCESSORS", "64")],
};

/// A card is opened by kernels for `float`; those for `double` are built where the test wants them.
fn build(fault: &Planted) -> Options {
    let doubles = fault.test.starts_with("parity::") && !fault.test.ends_with("f32");
    Options { scalars: if doubles { vec!["float", "double"] } else { vec!["float"] }, ..options(WIDTH, 6) }
}

#[test]
fn each_is_seen() {
    if emulated(&options(WIDTH, 6)).is_some() {
        LIST.each_is_seen();
    }
}

#[test]
fn the_page_lists_them() {
    LIST.the_page_lists_them();
}
