//! Losses of power, at every moment; and writers that leave out one of their precautions, which must be seen.

use std::io::{self, ErrorKind};
use std::path::Path;

use gradus_tests::disk::{MemoryDisk, Operation};
use nn::files::{Files, write_whole};
use tensor::philox::{Philox, Purpose, Stream};

use super::run::{Run, Save, UPDATES};

/// The power goes at every operation of a run, and comes back. The error says what was lost.
fn at_every_moment(seed: u64, save: Save, forget: Option<(Operation, &'static str)>) -> Result<(), String> {
    for number in 0.. {
        let mut run = Run::saving_with(save, MemoryDisk::new(seed << 32 | number as u64));
        if let Some((operation, names)) = forget {
            run.disk.forget(operation, names);
        }
        run.disk.fail(number..usize::MAX);
        let ended = run.advance_to(UPDATES).is_ok();
        let mut run = run.after_power_cut();
        run.check().map_err(|what| format!("without power from operation {number} on: {what}"))?;
        run.advance_to(UPDATES).map_err(|error| error.to_string())?;
        run.check()?;
        if ended {
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn what_was_saved_survives_a_loss_of_power_at_any_moment() {
    for seed in 0..20 {
        assert_eq!(at_every_moment(seed, write_whole, None), Ok(()), "seed {seed}");
    }
}

/// Several losses of power, after errors of all kinds, in one run.
#[test]
fn what_was_saved_survives_many_losses_and_errors() {
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

/// The precautions are what the tests above see: each that is left out loses something.
#[test]
fn leaving_out_any_precaution_loses_something() {
    let loss = |save: Save, forget| (0..20).find_map(|seed| at_every_moment(seed, save, forget).err());
    for (precaution, forget) in [
        ("the file is synced before it is renamed", (Operation::Sync, ".part")),
        ("the folder is synced before a success is reported", (Operation::SyncFolder, "run")),
        ("the journal is synced before the checkpoint", (Operation::Sync, ".jsonl")),
    ] {
        assert!(loss(write_whole, Some(forget)).is_some(), "not seen: {precaution}");
    }
    assert!(loss(in_place, None).is_some(), "not seen: the file is written beside the old one");
}

/// Writes over the old file.
fn in_place(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = match files.create_new(path, None) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => files.open(path)?,
        created => created?,
    };
    file.cut(0)?;
    file.write_all(bytes)?;
    file.sync()?;
    files.sync_folder(path.parent().expect("it is in a folder"))
}
