//! Operations that fail, one after the other, and disks that are full.

use std::collections::BTreeSet;

use gradus_tests::disk::{MemoryDisk, Operation};

use super::run::{Run, UPDATES};

/// Two processes: the first is told to stop half-way, the second resumes.
fn two_processes(run: &mut Run) {
    for last in [UPDATES / 2 - 1, UPDATES] {
        run.advance_to(last).ok();
        assert_eq!(run.check(), Ok(()));
        run.check_journal();
    }
}

/// A third process, on a disk that is well again, and then a loss of power.
fn a_process_that_works(mut run: Run) {
    run.disk.fail(0..0);
    run.disk.leave_room(usize::MAX);
    run.advance_to(UPDATES).expect("the disk is well again");
    run.check_end();
    (0..3).for_each(|_| run.after_power_cut().check_end());
}

/// Every operation of the run fails, alone or with those after it, at once or half-way.
#[test]
fn whatever_fails_the_files_are_whole_and_the_next_save_works() {
    let run = &mut Run::new(MemoryDisk::new(0));
    two_processes(run);
    let operations = run.disk.asked().len();
    assert!(operations >= 50, "{operations} points");
    let mut failed = BTreeSet::new();
    for number in 0..operations {
        for length in [0, 1, 2, 3] {
            let mut run = Run::new(MemoryDisk::new(number as u64));
            match length {
                0 => run.disk.fail_half_way(number),
                _ => run.disk.fail(number..number + length),
            }
            two_processes(&mut run);
            assert!(length > 1 || run.parts() == 0, "operation {number} failed and left a part");
            failed.extend(run.disk.asked()[number..].iter().take(length).copied());
            a_process_that_works(run);
        }
    }
    use Operation::*;
    assert_eq!(
        failed.into_iter().collect::<Vec<_>>(),
        [Create, ReadLink, Open, Write, Cut, Sync, Rename, Remove, SyncFolder]
    );
}

/// Room for any number of bytes, down to none.
#[test]
fn a_full_disk_keeps_the_old_checkpoint() {
    for room in (0..8000).step_by(37) {
        let mut run = Run::new(MemoryDisk::new(room));
        run.disk.leave_room(room as usize);
        two_processes(&mut run);
        a_process_that_works(run);
    }
}

/// The run itself goes on when somebody makes room.
#[test]
fn a_full_disk_that_gets_room_takes_everything() {
    for number in 0..40 {
        let mut run = Run::new(MemoryDisk::new(number as u64));
        run.disk.fail(number..number + 25);
        if run.advance_to(UPDATES).is_ok() {
            run.check_end();
        }
        a_process_that_works(run);
    }
}
