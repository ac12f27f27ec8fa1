//! The tests of the program `kernels` of `tensor` once more, on the GPU of the emulator.

mod planted;

use emulator::planted::Way;
use emulator::{Built, Options, Outcome, Sanitizer};

use crate::{emulated, program};

/// The beginning of a line that `bits::of_every_sum` prints, and of a line whose sum has as many parts as the grid has blocks.
const LINE: &str = "bits ";
const BY_GRID: &str = "bits sum_of_squares";

/// The kernels' files that these tests use, but for the ladder's.
const MODULES: &str = "argmax binary categorical gru index layer_norm map matmul optim philox reduce softmax \
    sum_of_squares sum_to";
const LADDER: [&str; 5] =
    ["sgemm_0_naive", "sgemm_1_tiled", "sgemm_2_registers", "sgemm_3_double_buffered", "sgemm_4_tf32"];

/// Other parts of the work for each thread, at other times.
const WAYS: [Way; 3] = [["forward", "64"], ["reverse", "1"], ["random:7", "3"]];

fn options() -> Options {
    let modules = MODULES.split(' ').chain(LADDER).map(String::from).collect();
    Options { modules: Some(modules), ..Options::default() }
}

/// Runs tests of `kernels` on a GPU of `built`; without names, all of them. The way is an order of threads and the most blocks of a
/// grid.
fn run(built: &Built, names: &[&str], [order, blocks]: Way, more: &[(&str, &str)]) -> Outcome {
    let mut again = built.command(program("kernels"));
    if names.is_empty() {
        again.args(["--skip", "check::"]);
    } else {
        again.args(names).arg("--exact");
    }
    let options = [("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks), ("RUST_BACKTRACE", "0")];
    built.run(again, &[&options, more].concat())
}

/// All tests of this program.
fn agrees(way: Way) {
    let Some(built) = emulated(&options()) else { return };
    let outcome = run(&built, &[], way, &[]);
    assert!(outcome.success && outcome.log.len() > 1000, "{outcome}");
}

#[test]
fn agrees_with_the_reference() {
    agrees(WAYS[0]);
}

/// On another grid, each thread has other parts of the work; in another order, it has them at another time.
#[test]
fn agrees_on_one_block_with_its_threads_in_reverse() {
    agrees(WAYS[1]);
}

#[test]
fn agrees_on_three_blocks_with_its_threads_in_any_order() {
    agrees(WAYS[2]);
}

/// The lines of `bits`, from one run.
fn bits(built: &Built, way: Way) -> Vec<String> {
    let outcome = run(built, &["bits::of_every_sum"], way, &[]);
    assert!(outcome.success, "{outcome}");
    let lines = outcome.stdout.lines().filter(|line| line.starts_with(LINE));
    lines.map(String::from).collect()
}

/// No sum depends on who comes first; and but for one, none on the grid.
#[test]
fn sums_have_the_same_bits_in_every_order_and_on_every_grid() {
    let Some(built) = emulated(&options()) else { return };
    let forward = bits(&built, ["forward", "64"]);
    assert!(forward.len() > 20, "{forward:?}");
    assert_eq!(bits(&built, ["reverse", "64"]), forward);
    assert_eq!(bits(&built, ["random:5", "64"]), forward);
    let of_one_grid =
        |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with(BY_GRID)).collect::<Vec<_>>();
    assert_eq!(of_one_grid(bits(&built, ["forward", "3"])), of_one_grid(forward));
}

/// Under ThreadSanitizer, to which each of a GPU's threads is a thread, and under AddressSanitizer with UndefinedBehaviorSanitizer:
/// fewer cases, as these are slow. `.ci/emulator` runs it.
#[test]
#[ignore = "minutes: .ci/emulator runs it"]
fn sanitizers_see_nothing() {
    for (sanitizer, cases) in [(Sanitizer::Address, "8"), (Sanitizer::Thread, "2")] {
        let Some(built) = emulated(&Options { sanitizer, ..options() }) else { return };
        // One test after the other: how this program's own threads wait for each other, ThreadSanitizer cannot see.
        let alone = [("GRADUS_TEST_CASES", cases), ("RUST_TEST_THREADS", "1")];
        let outcome = run(&built, &[], ["forward", "3"], &alone);
        assert!(outcome.success && outcome.log.len() > 300, "{sanitizer:?}: {outcome}");
        println!("{sanitizer:?}: {} calls of the driver, nothing seen", outcome.log.len());
    }
}
