//! `gradus-gpu`, the command for a machine with a GPU: what it does without one, and under the emulator.
#![forbid(unsafe_code)]

use std::process::Command;

use emulator::{Emulator, Options, Variant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gradus-gpu");

/// Whether there is CUDA in it: the feature is `tensor`'s, and any package may have asked for it.
fn is_built() -> bool {
    !matches!(tensor::cuda_survey().driver, Err(tensor::CudaError::NotBuilt))
}

/// Where there is a GPU, it is hidden.
#[test]
fn without_a_gpu_it_says_so_and_ends_with_3() {
    for flag in ["--look", "--check", "--measure"] {
        let run = Command::new(PROGRAM).arg(flag).env("CUDA_VISIBLE_DEVICES", "").output().expect("it starts");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.starts_with("gradus-gpu: nothing was checked and nothing measured: "), "{said}");
        assert_eq!(said.contains("this program was built without CUDA"), !is_built(), "{said}");
        assert_eq!((run.status.code(), run.stdout.len()), (Some(3), 0));
    }
}

#[test]
fn wrong_arguments_end_with_2() {
    let run = Command::new(PROGRAM).arg("--fast").output().expect("it starts");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.starts_with("gradus-gpu: --fast is not known\nusage: gradus-gpu "), "{said}");
    assert_eq!(run.status.code(), Some(2));
}

/// All checks at small sizes, and no times.
#[test]
fn an_emulated_gpu_is_checked_and_not_measured() {
    if !is_built() {
        return println!("this was not tested: the feature cuda is off");
    }
    // The update at the width that is checked there is compiled for its sizes.
    let options = Options { variants: Variant::of_network(32, 6, 18), ..Options::default() };
    let Some(built) = Emulator::at_hand(&options) else { return };
    let outcome = built.run(built.command(PROGRAM), &[]);
    assert!(outcome.success, "{outcome}");
    assert!(outcome.stdout.starts_with("gradus emulator, compute capability 9.0, driver 13.0, 20"), "{outcome}");
    for (what, found) in [
        ("two runs, to the last bit: operation by operation", "calculator/d32b48: the same |"),
        ("the graph replayed, against its kernels launched, to the last bit", "calculator/d32b48: all "),
    ] {
        assert!(outcome.stdout.contains(&format!("| {what} | {found}")), "{outcome}");
    }
    assert!(outcome.stdout.ends_with("\nNothing was measured: this GPU is emulated.\n"), "{outcome}");
    assert!(!outcome.stdout.contains("NOT AGREE"), "{outcome}");
}

/// What the ladder's page says of registers and shared memory is what `ptxas` is held to.
#[test]
fn the_ladders_page_has_the_budgets() {
    let page = include_str!("../../docs/cuda-ladder.md");
    let budgets = include_str!("../../kernels/budgets.tsv").lines().filter(|line| line.starts_with("sgemm_"));
    let mut rungs = 0;
    for line in budgets {
        let [name, _, registers, shared] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let row = page.lines().find(|row| row.starts_with(&format!("| [`{name}`]"))).expect(name);
        assert!(row.replace(',', "").ends_with(&format!("| {registers} | {shared} |")), "{row}");
        rungs += 1;
    }
    assert_eq!(rungs, 5);
}
