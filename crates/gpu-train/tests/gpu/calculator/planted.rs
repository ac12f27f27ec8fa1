//! Mistakes in the calculator's kernels, each seen by a test of this program. `docs/planted-faults.md` is the list.

use emulator::planted::By::Comparison;
use emulator::planted::List;
use emulator::{Options, planted};

use super::{WAYS, emulated, options};

const EPISODES: &str = "calculator::episodes_are_those_of_the_host";

const LIST: List = List {
    heading: "The calculator's episodes",
    faults: planted! {
        "a stale mask: episodes that have failed still earn" in "calculator.cu":
            "e.state < 2 ? 0.0" => "e.state == 1 ? 0.0"; Comparison(WAYS[0]), EPISODES, "stage 0, episode ";
        "all episodes draw from the stream of the first" in "calculator.cu":
            "first + (unsigned)b}" => "first}"; Comparison(WAYS[2]), EPISODES, "stage 0, episode 1";
        "a forgotten tail: as many episodes as there are threads" in "calculator.cu":
            "        const unsigned action = actions[b];"
                => "        if (b >= threads()) break;\n        const unsigned action = actions[b];";
            Comparison(WAYS[1]), EPISODES, "stage 0, episode 256, step 0";
        "the first action that is not there is taken" in "calculator.cu":
            "action >= task.actions" => "action > task.actions";
            Comparison(WAYS[0]), "calculator::an_action_that_is_not_there_is_named", "there are six";
    },
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
