//! Tests of power cuts at every operation, and of writers that omit a precaution, which must lose data.

use std::io::{self, ErrorKind};
use std::path::Path;

use gradus_tests::disk::{MemoryDisk, Operation};
use nn::files::{FileSystem, write_atomic};
use tensor::philox::{Philox, Purpose, Stream};

use super::run::{Run, Save, UPDATES};

/// Cuts the power at every operation of a run and resumes the run. The error describes the loss.
fn cut_power_everywhere(seed: u64, save: Save, ignored: Option<(Operation, &'static str)>) -> Result<(), String> {
    for number in 0.. {
        let mut run = Run::saving_with(save, MemoryDisk::new(seed << 32 | number as u64));
        if let Some((operation, suffix)) = ignored {
            run.disk.ignore(operation, suffix);
        }
        run.disk.fail(number..usize::MAX);
        let ended = run.advance_to(UPDATES).is_ok();
        let mut run = run.after_power_cut();
        run.check().map_err(|what| format!("power cut at operation {number}: {what}"))?;
        run.advance_to(UPDATES).map_err(|error| error.to_string())?;
        run.check()?;
        if ended {
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn run_power_cut_at_any_operation_keeps_saved_files() {
    for seed in 0..20 {
        assert_eq!(cut_power_everywhere(seed, write_atomic, None), Ok(()), "seed {seed}");
    }
}

/// Several power cuts in one run, after errors of all kinds.
#[test]
fn run_many_power_cuts_and_errors_keep_saved_files() {
    for seed in 0..400 {
        let mut chance = Philox::stream(seed, Stream { purpose: Purpose(1001), update: 0, episode: 0 });
        let mut run = Run::new(MemoryDisk::new(seed));
        for _ in 0..6 {
            let number = chance.below(60) as usize;
            match chance.below(3) {
                0 => run.disk.fail_half_way(number),
                1 => run.disk.fail(number..number + 1 + chance.below(6) as usize),
                _ => run.disk.fail(number..usize::MAX),
            }
            run.advance_to(1 + u64::from(chance.below(UPDATES as u32))).ok();
            run = run.after_power_cut();
            assert_eq!(run.check(), Ok(()), "seed {seed}");
        }
        run.advance_to(UPDATES).expect("nothing fails");
        run.after_power_cut().check_end();
    }
}

/// The tests above notice each precaution: a writer that omits one loses data.
#[test]
fn run_without_any_one_precaution_loses_data() {
    let loss = |save: Save, ignored| (0..20).find_map(|seed| cut_power_everywhere(seed, save, ignored).err());
    for (precaution, ignored) in [
        ("the file is synced before it is renamed", (Operation::Sync, ".part")),
        ("the folder is synced before a success is reported", (Operation::SyncFolder, "run")),
        ("the journal is synced before the checkpoint", (Operation::Sync, ".jsonl")),
    ] {
        assert!(loss(write_atomic, Some(ignored)).is_some(), "not noticed: {precaution}");
    }
    assert!(loss(write_in_place, None).is_some(), "not noticed: the file is written beside the old one");
}

/// Overwrites the old file.
fn write_in_place(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = match files.create_new(path, None) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => files.open(path)?,
        created => created?,
    };
    file.truncate(0)?;
    file.write_all(bytes)?;
    file.sync()?;
    files.sync_folder(path.parent().expect("the path has a folder"))
}
