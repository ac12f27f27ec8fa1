//! Complete runs on a disk that fails. These tests check the command's order of writing. The tests of `nn::files` also
//! simulate power loss.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nn::Checkpoint;
use nn::files::{Disk, FileSystem, WritableFile};
use tempfile::TempDir;

use super::*;
use crate::folder::{About, BEST_BEFORE_END, CHECKPOINTS, EPISODES, METRICS};
use crate::live::Live;

/// A disk on which operations with certain numbers fail: create, open, write, truncate, sync, rename and remove. A write
/// that fails has written half of its bytes.
#[derive(Clone, Debug)]
struct FailingDisk {
    operations_done: Arc<AtomicUsize>,
    failing_operations: Range<usize>,
}

impl FailingDisk {
    fn new(failing_operations: Range<usize>) -> Self {
        Self { operations_done: Arc::default(), failing_operations }
    }

    /// Counts an operation, and fails if its number is in the range.
    fn count_operation(&self) -> io::Result<()> {
        match self.failing_operations.contains(&self.operations_done.fetch_add(1, Ordering::Relaxed)) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn wrap(&self, file: io::Result<Box<dyn WritableFile>>) -> io::Result<Box<dyn WritableFile>> {
        Ok(Box::new(FailingFile { file: file?, disk: self.clone() }))
    }
}

impl FileSystem for FailingDisk {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn WritableFile>> {
        self.count_operation().and_then(|()| self.wrap(Disk.create_new(path, like)))
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        self.count_operation().and_then(|()| Disk.read_link(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        self.count_operation().and_then(|()| self.wrap(Disk.open(path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count_operation().and_then(|()| Disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.count_operation().and_then(|()| Disk.remove(path))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.count_operation().and_then(|()| Disk.sync_folder(folder))
    }
}

/// An open file on a [`FailingDisk`].
#[derive(Debug)]
struct FailingFile {
    file: Box<dyn WritableFile>,
    disk: FailingDisk,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.disk.count_operation() {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WritableFile for FailingFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.count_operation().and_then(|()| self.file.truncate(length))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.count_operation().and_then(|()| self.file.sync())
    }
}

/// Seed of an agent whose initial weights solve a stage.
const SEED: u64 = 10;

/// A short run that writes every kind of file. It hardly learns, so each validation is the best so far. No regular one is due
/// at its end.
fn plan(on_save_error: OnError) -> TrainingPlan {
    let config = Config {
        width: 16,
        batch: 4,
        rate: 1e-6,
        max_updates: 5,
        validate_every: 2,
        validation_episodes: 2,
        test_episodes: 2,
        unlock: 0.0,
        ..Config::default()
    };
    TrainingPlan {
        task: TaskChoice::CalculatorStages,
        config,
        checkpoint_policy: CheckpointPolicy { save_every: 2, keep_every: 3, on_save_error },
        init: None,
        device: Device::Host,
    }
}

/// Starts or resumes the run in `folder` on the given disk.
fn train(folder: &Path, on_save_error: OnError, files: FailingDisk) -> Result<RunStatus> {
    train_plan(folder, &plan(on_save_error), files)
}

/// As [`train`], with another plan.
fn train_plan(folder: &Path, plan: &TrainingPlan, files: FailingDisk) -> Result<RunStatus> {
    let folder = match folder.join(CONFIG).exists() {
        true => Folder::open(folder)?.0,
        false => Folder::create(folder, &About::now(None))?,
    };
    plan.train(SEED, &folder.with_files(Arc::new(files)), None, &mut Live::without_terminal().view(SEED))
}

/// The checkpoints that a run with `on_save_error = "continue"` may lack.
const OPTIONAL: [&str; 3] = [BEST, BEST_BEFORE_END, "checkpoints/update-000003.safetensors"];

/// Reads the files of a run, except those with its settings or with times.
fn read_files(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let names = [METRICS, EPISODES, MODEL, TEST].into_iter().chain(OPTIONAL);
    names.map(|name| (name, fs::read(folder.join(name)).unwrap_or_default())).collect()
}

/// The files of a run on a healthy disk, and the number of disk operations.
fn reference_run() -> &'static (BTreeMap<&'static str, Vec<u8>>, usize) {
    static REFERENCE: OnceLock<(BTreeMap<&'static str, Vec<u8>>, usize)> = OnceLock::new();
    REFERENCE.get_or_init(|| {
        let (folder, files) = (tempfile::tempdir().expect("a temporary folder"), FailingDisk::new(0..0));
        assert!(matches!(train(folder.path(), OnError::Stop, files.clone()), Ok(RunStatus::Finished(_))));
        let best = [BEST, BEST_BEFORE_END].map(|name| checkpoint::read_updates(&folder.path().join(name)));
        assert_eq!(best, [Some(5), Some(4)]);
        (read_files(folder.path()), files.operations_done.load(Ordering::Relaxed))
    })
}

/// Asserts that a run has written the same files as on a healthy disk. With `on_save_error = "continue"`, a checkpoint may be
/// missing, and the best one may be an earlier one.
#[track_caller]
fn assert_complete(folder: &TempDir, on_save_error: OnError, what: &str) {
    for (name, content) in read_files(folder.path()) {
        let may_lack = on_save_error == OnError::Continue && OPTIONAL.contains(&name);
        let is_earlier = || name != OPTIONAL[2] && checkpoint_updates(folder, name).is_some_and(|updates| updates < 5);
        let lacks = may_lack && (content.is_empty() || is_earlier());
        assert!(lacks || content == reference_run().0[name], "{what}: {name}");
    }
}

/// Returns the number of updates in a checkpoint, which must load if it exists.
#[track_caller]
fn checkpoint_updates(folder: &TempDir, name: &str) -> Option<usize> {
    let path = folder.path().join(name);
    let checkpoint = path.exists().then(|| Checkpoint::load(path).unwrap_or_else(|error| panic!("{error}")))?;
    checkpoint.metadata()["updates"].parse().ok()
}

#[test]
fn run_any_single_disk_error_loses_nothing() {
    let (_, operations) = reference_run();
    assert!(*operations >= 50, "{operations} operations");
    for on_save_error in [OnError::Stop, OnError::Continue] {
        for number in 0..*operations {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let result = train(folder.path(), on_save_error, FailingDisk::new(number..number + 1));
            let before = checkpoint_updates(&folder, MODEL);
            if let Err(error) = result {
                assert!(error.to_string().contains("cannot"), "operation {number}: {error}");
                let again = train(folder.path(), on_save_error, FailingDisk::new(0..0));
                assert!(matches!(again, Ok(RunStatus::Finished(_))), "operation {number}");
            }
            assert!(checkpoint_updates(&folder, MODEL) >= before, "operation {number}");
            assert_complete(&folder, on_save_error, &format!("operation {number}, {on_save_error:?}"));
        }
    }
}

/// The disk is full from operation `number` on.
#[test]
fn run_full_disk_keeps_the_last_checkpoint() {
    let (_, operations) = reference_run();
    for number in (0..*operations).step_by(3) {
        for on_save_error in [OnError::Stop, OnError::Continue] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let error = train(folder.path(), on_save_error, FailingDisk::new(number..usize::MAX)).err();
            let error =
                error.unwrap_or_else(|| panic!("operation {number}: a run that cannot write its end must not finish"));
            assert!(error.to_string().contains("cannot") && error.exit_code() == 2, "{error}");
            let last = number + 1 == *operations; // the last operation syncs the folder after the file was renamed
            assert_eq!(folder.path().join(TEST).exists(), last, "operation {number}");
            checkpoint_updates(&folder, MODEL);
            train(folder.path(), on_save_error, FailingDisk::new(0..0)).expect("the disk has space again");
            assert_complete(&folder, on_save_error, &format!("operation {number}, {on_save_error:?}"));
        }
    }
}

/// With `continue`, a run that finishes loses no line. Only checkpoints that were due during the error may be missing.
#[test]
fn run_temporarily_full_disk_loses_no_line() {
    let mut finished = 0;
    for (from, length) in (26..50).step_by(2).flat_map(|from| [(from, 2), (from, 5)]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Ok(RunStatus::Finished(_)) =
            train(folder.path(), OnError::Continue, FailingDisk::new(from..from + length))
        {
            assert_complete(&folder, OnError::Continue, &format!("operations {from} to {}", from + length));
            finished += 1;
        }
    }
    assert!(finished > 12, "only {finished} runs finished");
}

/// A finished run of three updates goes on to five, while each operation in turn fails, every second one with all after it.
/// Resumed with the settings in its folder, it is then the run of three updates or that of five.
#[test]
fn run_that_goes_on_any_disk_error_loses_nothing() {
    let finished = tempfile::tempdir().expect("a temporary folder");
    let mut three = plan(OnError::Stop);
    three.config.max_updates = 3; // no regular validation is due there
    train_plan(finished.path(), &three, FailingDisk::new(0..0)).expect("a healthy disk");
    assert!(
        read_files(finished.path()).values().all(|content| !content.is_empty()),
        "its end replaced a best checkpoint"
    );
    let (mut stayed, mut went_on) = (0, 0);
    for number in 0.. {
        let failing = number..if number % 2 == 0 { number + 1 } else { usize::MAX };
        let (folder, files) = (copy(finished.path()), FailingDisk::new(failing));
        let result = train(folder.path(), OnError::Stop, files.clone());
        if files.operations_done.load(Ordering::Relaxed) <= number {
            assert!(result.is_ok() && stayed > 2 && went_on > 10, "{stayed} {went_on}");
            return;
        }
        let config = ConfigFile::read_regular(&folder.path().join(CONFIG)).expect("always whole");
        let recorded = TrainingPlan::from_file(&config, TaskChoice::CalculatorStages, Device::Host).expect("valid");
        train_plan(folder.path(), &recorded, FailingDisk::new(0..0)).expect("the disk works again");
        if recorded.config.max_updates == 3 {
            assert!(read_files(folder.path()) == read_files(finished.path()), "operation {number}");
            stayed += 1;
            train(folder.path(), OnError::Stop, FailingDisk::new(0..0)).expect("it goes on");
        } else {
            went_on += 1;
        }
        assert_complete(&folder, OnError::Stop, &format!("operation {number}"));
        let changes = About::read(folder.path()).expect("valid").expect("a file").changes;
        assert!(changes.len() == 1 && changes[0].outcome.as_ref().is_some_and(|outcome| outcome.updates == 3));
    }
}

/// Copies a run folder with its kept checkpoints.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(to.path().join(CHECKPOINTS)).expect("a folder");
    for folder in ["", CHECKPOINTS] {
        for entry in fs::read_dir(from.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::copy(&path, to.path().join(path.strip_prefix(from).expect("inside"))).expect("copied");
            }
        }
    }
    to
}
