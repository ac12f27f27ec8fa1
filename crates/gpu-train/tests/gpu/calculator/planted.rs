//! Faults in the calculator's kernels, each detected by a test of this program. `record/planted-faults.md` lists them.

use emulator::planted::Detector::Comparison;
use emulator::planted::FaultList;
use emulator::{Options, planted};

use super::{SCHEDULES, emulated, options};

const EPISODES: &str = "calculator::episodes_match_the_host";

const LIST: FaultList = FaultList {
    heading: "The calculator's episodes",
    faults: planted! {
        "a stale mask: failed episodes still earn rewards" in "calculator.cu":
            "e.state < 2 ? 0.0" => "e.state == 1 ? 0.0"; Comparison(SCHEDULES[0]), EPISODES, "stage 0, episode ";
        "all episodes draw from the first one's stream" in "calculator.cu":
            "first + (unsigned)b}" => "first}"; Comparison(SCHEDULES[2]), EPISODES, "stage 0, episode 1";
        "a missing loop: only as many episodes as threads" in "calculator.cu":
            "        const unsigned action = actions[b];"
                => "        if (b >= threads()) break;\n        const unsigned action = actions[b];";
            Comparison(SCHEDULES[1]), EPISODES, "stage 0, episode 256, step 0";
        "the first invalid action is taken" in "calculator.cu":
            "action >= task.actions" => "action > task.actions";
            Comparison(SCHEDULES[0]), "calculator::step_invalid_action_is_named", "there are six";
    },
    program: emulator::this_program,
    build: |_| Options { scalars: vec!["float"], ..options() },
    environment: &[],
};

#[test]
fn every_fault_is_detected() {
    if emulated(&options()).is_some() {
        LIST.assert_every_fault_is_detected();
    }
}

#[test]
fn page_lists_every_fault() {
    LIST.assert_page_lists_every_fault();
}
