//! Tests of `gradus-gpu`, the command for a machine with a GPU: without a GPU, and under the emulator.
#![forbid(unsafe_code)]

use std::process::Command;

use emulator::{Emulator, Options, Variant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gradus-gpu");

/// Returns true if this build has CUDA. The feature belongs to `tensor`, and any package may have enabled it.
fn has_cuda() -> bool {
    !matches!(tensor::survey_cuda().driver, Err(tensor::CudaError::NotBuilt))
}

/// `CUDA_VISIBLE_DEVICES` hides the machine's GPU, if it has one.
#[test]
fn gradus_gpu_without_gpu_exits_with_3() {
    for flag in ["--look", "--check", "--measure"] {
        let run = Command::new(PROGRAM).arg(flag).env("CUDA_VISIBLE_DEVICES", "").output().expect("it starts");
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert!(stderr.starts_with("gradus-gpu: nothing was checked and nothing measured: "), "{stderr}");
        assert_eq!(stderr.contains("this program was built without CUDA"), !has_cuda(), "{stderr}");
        assert_eq!((run.status.code(), run.stdout.len()), (Some(3), 0));
    }
}

#[test]
fn gradus_gpu_wrong_arguments_exit_with_2() {
    let run = Command::new(PROGRAM).arg("--fast").output().expect("it starts");
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(stderr.starts_with("gradus-gpu: --fast is not known\nusage: gradus-gpu "), "{stderr}");
    assert_eq!(run.status.code(), Some(2));
}

/// All checks at small sizes, and no times.
#[test]
fn gradus_gpu_emulated_gpu_is_checked_and_not_measured() {
    if !has_cuda() {
        return println!("not tested: the feature cuda is off");
    }
    // The kernels of the update are compiled for the width and the sizes that `gradus-gpu` checks.
    let options = Options { variants: Variant::for_network(32, 6, 18), ..Options::default() };
    let Some(built) = Emulator::build_or_skip(&options) else { return };
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

/// The page states the budgets of registers and of bytes of shared memory that `ptxas` must keep.
#[test]
fn cuda_ladder_page_holds_the_register_budgets() {
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
