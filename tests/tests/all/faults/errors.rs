//! Tests of failing disk operations and full disks.

use std::collections::BTreeSet;

use gradus_tests::disk::{MemoryDisk, Operation};

use super::run::{Run, UPDATES};

/// Runs two processes: the first stops half-way, the second resumes.
fn run_two_processes(run: &mut Run) {
    for last in [UPDATES / 2 - 1, UPDATES] {
        run.advance_to(last).ok();
        assert_eq!(run.check(), Ok(()));
        run.check_journal();
    }
}

/// Repairs the disk, runs a third process, and then cuts the power.
fn finish_on_repaired_disk(mut run: Run) {
    run.disk.fail(0..0);
    run.disk.set_free_bytes(usize::MAX);
    run.advance_to(UPDATES).expect("the disk works again");
    run.check_end();
    (0..3).for_each(|_| run.after_power_cut().check_end());
}

/// Makes every operation of the run fail: half-way, alone, or together with the next one or two.
#[test]
fn run_any_failing_operation_leaves_whole_files() {
    let run = &mut Run::new(MemoryDisk::new(0));
    run_two_processes(run);
    let operations = run.disk.operations().len();
    assert!(operations >= 50, "{operations} points");
    let mut failed = BTreeSet::new();
    for number in 0..operations {
        for length in [0, 1, 2, 3] {
            let mut run = Run::new(MemoryDisk::new(number as u64));
            match length {
                0 => run.disk.fail_half_way(number),
                _ => run.disk.fail(number..number + length),
            }
            run_two_processes(&mut run);
            assert!(length > 1 || run.count_parts() == 0, "operation {number} failed and left a part");
            failed.extend(run.disk.operations()[number..].iter().take(length).copied());
            finish_on_repaired_disk(run);
        }
    }
    use Operation::*;
    assert_eq!(
        failed.into_iter().collect::<Vec<_>>(),
        [Create, ReadLink, Open, Write, Truncate, Sync, Rename, Remove, SyncFolder]
    );
}

/// Covers disks with 0 to 8000 free bytes.
#[test]
fn run_full_disk_keeps_the_old_checkpoint() {
    for free_bytes in (0..8000).step_by(37) {
        let mut run = Run::new(MemoryDisk::new(free_bytes));
        run.disk.set_free_bytes(free_bytes as usize);
        run_two_processes(&mut run);
        finish_on_repaired_disk(run);
    }
}

/// The same process continues when the disk accepts writes again.
#[test]
fn run_full_disk_with_space_again_saves_everything() {
    for number in 0..40 {
        let mut run = Run::new(MemoryDisk::new(number as u64));
        run.disk.fail(number..number + 25);
        if run.advance_to(UPDATES).is_ok() {
            run.check_end();
        }
        finish_on_repaired_disk(run);
    }
}
