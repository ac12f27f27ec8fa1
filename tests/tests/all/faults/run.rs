//! A small simulated run. Every update appends a line to the journal. Every second update and the end of the run save a
//! checkpoint.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use gradus_tests::disk::MemoryDisk;
use nn::files::{FileSystem, Journal, write_atomic};
use nn::{Builder, Checkpoint, Linear, Optimizer, Params, UpdateRule};

pub(crate) const UPDATES: u64 = 14;
const MODEL: &str = "run/model.safetensors";
const METRICS: &str = "run/metrics.jsonl";

/// A function that writes a checkpoint.
pub(crate) type Save = fn(&dyn FileSystem, &Path, &[u8]) -> io::Result<()>;

/// A run, over all its processes.
pub(crate) struct Run {
    pub(crate) disk: MemoryDisk,
    save: Save,
    /// The last update whose save reported success.
    saved: u64,
}

impl Run {
    pub(crate) fn new(disk: MemoryDisk) -> Self {
        Self::saving_with(write_atomic, disk)
    }

    pub(crate) fn saving_with(save: Save, disk: MemoryDisk) -> Self {
        Self { disk, save, saved: 0 }
    }

    /// Runs one process from the last checkpoint to the update `last`. It ignores errors on the way.
    ///
    /// # Errors
    /// If the last save fails.
    pub(crate) fn advance_to(&mut self, last: u64) -> io::Result<()> {
        let (first, length) = self.read_checkpoint().unwrap_or((0, 0));
        let path = Path::new(METRICS);
        let mut journal = match self.disk.read(path) {
            Some(_) => Journal::resume(&self.disk, path, length)?,
            None => Journal::create(&self.disk, path)?,
        };
        for update in first + 1..=last {
            journal.append(line(update).trim_end()).ok();
            if update % 2 == 0 {
                journal.sync().and_then(|length| self.save(update, length)).ok();
            }
        }
        journal.sync().and_then(|length| self.save(last.max(first), length))
    }

    fn save(&mut self, update: u64, length: u64) -> io::Result<()> {
        (self.save)(&self.disk, Path::new(MODEL), &encode_checkpoint(update, length))?;
        self.saved = update;
        Ok(())
    }

    /// Reads the update and the journal's length from the checkpoint.
    fn read_checkpoint(&self) -> Option<(u64, u64)> {
        let checkpoint =
            Checkpoint::decode(MODEL, self.disk.read(Path::new(MODEL))?).expect("the checkpoint always loads");
        let number = |key| checkpoint.metadata()[key].parse().expect("a number");
        Some((number("updates"), number("journal")))
    }

    /// Returns the run after a power cut.
    pub(crate) fn after_power_cut(&self) -> Self {
        Self { disk: self.disk.after_power_cut(), save: self.save, saved: self.saved }
    }

    /// Checks the conditions that hold at any time. The error describes the violated one.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(bytes) = self.disk.read(Path::new(MODEL)) else {
            return ensure(self.saved == 0, || format!("update {} was saved, but there is no file", self.saved));
        };
        let checkpoint = Checkpoint::decode(MODEL, bytes.clone()).map_err(|error| error.to_string())?;
        let number = |key| checkpoint.metadata()[key].parse::<u64>().expect("a number");
        let (update, length) = (number("updates"), number("journal"));
        ensure(update >= self.saved, || {
            format!("update {} was saved, but the file holds update {update}", self.saved)
        })?;
        ensure(bytes == encode_checkpoint(update, length), || "the checkpoint differs from the saved one".into())?;
        let journal = self.disk.read(Path::new(METRICS)).ok_or("the journal is gone")?;
        let lines = lines(update);
        ensure(length as usize == lines.len(), || format!("update {update} has {} bytes, not {length}", lines.len()))?;
        ensure(journal.starts_with(lines.as_bytes()), || "the journal lacks lines before the checkpoint".into())
    }

    /// Asserts that only the last line of the journal may be incomplete. This holds while the power is on.
    pub(crate) fn check_journal(&self) {
        let journal = self.disk.read(Path::new(METRICS)).unwrap_or_default();
        assert!(lines(UPDATES).as_bytes().starts_with(&journal), "{:?}", String::from_utf8_lossy(&journal));
    }

    /// Counts the leftover part files.
    pub(crate) fn count_parts(&self) -> usize {
        self.disk.names().iter().filter(|path| path.extension().is_some_and(|extension| extension == "part")).count()
    }

    /// Asserts that the run is complete, and that only part files are left besides its two files.
    pub(crate) fn check_end(&self) {
        assert_eq!(self.check(), Ok(()));
        assert_eq!(self.saved, UPDATES);
        assert_eq!(self.read_checkpoint().map(|(update, _)| update), Some(UPDATES));
        assert_eq!(self.disk.read(Path::new(METRICS)).as_deref(), Some(lines(UPDATES).as_bytes()));
        assert_eq!(self.disk.names().len(), 2 + self.count_parts());
    }
}

fn ensure(holds: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(words()) }
}

/// Returns the journal line of an update. The lines have different lengths.
fn line(update: u64) -> String {
    format!("{{\"update\":{update},\"loss\":{}}}\n", "1234567890".repeat(update as usize % 4))
}

fn lines(updates: u64) -> String {
    (1..=updates).map(line).collect()
}

fn model(update: u64) -> Params<f32> {
    let mut params = Params::new();
    Linear::new(&mut Builder::new(&mut params, update), 3, 2);
    params
}

fn encode_checkpoint(update: u64, journal: u64) -> Vec<u8> {
    let params = model(update);
    let about = [("updates", update), ("journal", journal)].map(|(key, value)| (key.into(), value.to_string()));
    nn::encode_checkpoint(&params, Some(&Optimizer::new(UpdateRule::adam(), &params)), &BTreeMap::from(about))
        .expect("finite")
}
