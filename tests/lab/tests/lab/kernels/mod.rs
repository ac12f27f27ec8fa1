//! Reruns the tests of the program `kernels` on the emulated GPU.

mod planted;

use emulator::planted::Schedule;
use emulator::{Built, Options, Outcome, Sanitizer};

use crate::{emulated, program};

/// The prefix of all lines that `bits::sums_on_gpu_print_their_bits` prints, and of the line whose sum depends on the grid.
const LINE: &str = "bits ";
const BY_GRID: &str = "bits sum_of_squares";

/// The kernel files that these tests use, without the ladder.
const MODULES: &str = "argmax binary categorical gru index layer_norm map matmul optim philox reduce softmax \
    sum_of_squares sum_to";
const LADDER: [&str; 5] =
    ["sgemm_0_naive", "sgemm_1_tiled", "sgemm_2_registers", "sgemm_3_double_buffered", "sgemm_4_tf32"];

/// Each schedule gives every thread different parts of the work, at different times.
const SCHEDULES: [Schedule; 3] = [["forward", "64"], ["reverse", "1"], ["random:7", "3"]];

/// The variable of the second and third schedule. Which operand has gaps does not depend on the schedule, so these run few such cases,
/// but all lengths. The first schedule runs all cases.
const FEWER_CASES: &[(&str, &str)] = &[("GRADUS_TEST_CASES", "60")];

fn options() -> Options {
    let modules = MODULES.split(' ').chain(LADDER).map(String::from).collect();
    Options { modules: Some(modules), ..Options::default() }
}

/// Runs the named tests of `kernels` on the emulated GPU, or all if no name is given. The schedule is the order of threads
/// and the maximum number of blocks.
fn run(built: &Built, names: &[&str], [order, blocks]: Schedule, more: &[(&str, &str)]) -> Outcome {
    let mut command = built.command(program("kernels"));
    if names.is_empty() {
        command.args(["--skip", "check::"]);
    } else {
        command.args(names).arg("--exact");
    }
    let options = [("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks), ("RUST_BACKTRACE", "0")];
    built.run(command, &[&options, more].concat())
}

/// Asserts that all tests of the program pass with this schedule. `more` are more environment variables.
fn assert_agrees(schedule: Schedule, more: &[(&str, &str)]) {
    let Some(built) = emulated(&options()) else { return };
    let outcome = run(&built, &[], schedule, more);
    assert!(outcome.success && outcome.log.len() > 1000, "{outcome}");
}

#[test]
fn kernels_forward_match_the_reference() {
    assert_agrees(SCHEDULES[0], &[]);
}

/// Another grid gives each thread different parts of the work; another order runs it at a different time.
#[test]
fn kernels_reverse_on_one_block_match_the_reference() {
    assert_agrees(SCHEDULES[1], FEWER_CASES);
}

#[test]
fn kernels_random_on_three_blocks_match_the_reference() {
    assert_agrees(SCHEDULES[2], FEWER_CASES);
}

/// Returns the lines with bits from one run.
fn bits(built: &Built, schedule: Schedule) -> Vec<String> {
    let outcome = run(built, &["bits::sums_on_gpu_print_their_bits"], schedule, &[]);
    assert!(outcome.success, "{outcome}");
    let lines = outcome.stdout.lines().filter(|line| line.starts_with(LINE));
    lines.map(String::from).collect()
}

/// No sum depends on the order of threads, and only one depends on the grid.
#[test]
fn sums_have_the_same_bits_in_every_order_and_on_every_grid() {
    let Some(built) = emulated(&options()) else { return };
    let forward = bits(&built, ["forward", "64"]);
    assert!(forward.len() > 20, "{forward:?}");
    assert_eq!(bits(&built, ["reverse", "64"]), forward);
    assert_eq!(bits(&built, ["random:5", "64"]), forward);
    let without_grid_sum =
        |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with(BY_GRID)).collect::<Vec<_>>();
    assert_eq!(without_grid_sum(bits(&built, ["forward", "3"])), without_grid_sum(forward));
}

/// Runs the tests under ThreadSanitizer, with one thread for each GPU thread, and under AddressSanitizer with
/// UndefinedBehaviorSanitizer. They are slow, so there are fewer cases. `.ci/emulator` runs them.
#[test]
#[ignore = "minutes: .ci/emulator runs it"]
fn sanitizers_report_nothing() {
    for (sanitizer, cases) in [(Sanitizer::Address, "8"), (Sanitizer::Thread, "2")] {
        let Some(built) = emulated(&Options { sanitizer, ..options() }) else { return };
        // One test at a time, because ThreadSanitizer cannot see how this program's own threads synchronize.
        let alone = [("GRADUS_TEST_CASES", cases), ("RUST_TEST_THREADS", "1")];
        let outcome = run(&built, &[], ["forward", "3"], &alone);
        assert!(outcome.success && outcome.log.len() > 300, "{sanitizer:?}: {outcome}");
        println!("{sanitizer:?}: {} driver calls, nothing reported", outcome.log.len());
    }
}
