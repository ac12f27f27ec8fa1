//! Mistakes in the calculator's kernels, each seen by a test of this program. `docs/planted-faults.md` is the list.

use emulator::Options;
use emulator::planted::By::Comparison;
use emulator::planted::{List, Planted};

use super::{WAYS, emulated, options};

const EPISODES: &str = "calculator::episodes_are_those_of_the_host";

const LIST: List = List {
    heading: "The calculator's episodes",
    faults: &[
        Planted {
            what: "a stale mask: episodes that have failed still earn",
            file: "calculator.cu",
            text: "e.state < 2 ? 0.0",
            instead: "e.state == 1 ? 0.0",
            by: Comparison(WAYS[0]),
            test: EPISODES,
            says: "stage 0, episode ",
        },
        Planted {
            what: "all episodes draw from the stream of the first",
            file: "calculator.cu",
            text: "first + (unsigned)b}",
            instead: "first}",
            by: Comparison(WAYS[2]),
            test: EPISODES,
            says: "stage 0, episode 1",
        },
        Planted {
            what: "a forgotten tail: as many episodes as there are threads",
            file: "calculator.cu",
            text: "        const unsigned action = actions[b];",
            instead: "        if (b >= threads()) break;\n        const unsigned action = actions[b];",
            by: Comparison(WAYS[1]),
            test: EPISODES,
            says: "stage 0, episode 256, step 0",
        },
        Planted {
            what: "the first action that is not there is taken",
            file: "calculator.cu",
            text: "action >= task.actions",
            instead: "action > task.actions",
            by: Comparison(WAYS[0]),
            test: "calculator::an_action_that_is_not_there_is_named",
            says: "there are six",
        },
    ],
    program: emulator::this_program,
    build: |_| Options { scalars: vec!["float"], ..options() },
    environment: &[],
};

#[test]
fn each_mistake_is_seen() {
    if emulated(&options()).is_some() {
        LIST.each_is_seen();
    }
}

#[test]
fn the_page_lists_them() {
    LIST.the_page_lists_them();
}
