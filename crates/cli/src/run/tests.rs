//! Whole runs on a disk that fails: the library's tests cut its power too, here it is the command's own order of writing
//! that is looked at.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nn::Checkpoint;
use nn::files::{Disk, Files, OpenFile};
use tempfile::TempDir;

use super::*;
use crate::folder::{About, CHECKPOINTS, EPISODES, METRICS};
use crate::live::Live;

/// The disk, but operations of these numbers fail: creating, opening, writing, cutting, syncing, renaming and removing.
/// A write that fails has written half.
#[derive(Clone, Debug)]
struct Failing {
    asked: Arc<AtomicUsize>,
    failing: Range<usize>,
}

impl Failing {
    fn new(failing: Range<usize>) -> Self {
        Self { asked: Arc::default(), failing }
    }

    fn ask(&self) -> io::Result<()> {
        match self.failing.contains(&self.asked.fetch_add(1, Ordering::Relaxed)) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn wrap(&self, file: io::Result<Box<dyn OpenFile>>) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(Handle { file: file?, fails: self.clone() }))
    }
}

impl Files for Failing {
    fn create_new(&self, path: &Path, like: Option<&Path>) -> io::Result<Box<dyn OpenFile>> {
        self.ask().and_then(|()| self.wrap(Disk.create_new(path, like)))
    }

    fn read_link(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        self.ask().and_then(|()| Disk.read_link(path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.ask().and_then(|()| self.wrap(Disk.open(path)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask().and_then(|()| Disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask().and_then(|()| Disk.remove(path))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.ask().and_then(|()| Disk.sync_folder(folder))
    }
}

#[derive(Debug)]
struct Handle {
    file: Box<dyn OpenFile>,
    fails: Failing,
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.fails.ask() {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OpenFile for Handle {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.fails.ask().and_then(|()| self.file.cut(length))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fails.ask().and_then(|()| self.file.sync())
    }
}

/// A run that is over in a moment and writes every kind of file.
fn plan(on_save_error: OnError) -> Plan {
    let config = Config {
        width: 8,
        batch: 16,
        max_updates: 4,
        validate_every: 2,
        validation_episodes: 8,
        test_episodes: 8,
        unlock: 0.0,
        ..Config::default()
    };
    Plan { config, keeping: Keeping { save_every: 2, keep_every: 3, on_save_error }, init: None, device: Device::Host }
}

/// Goes on with the run in `place`, through `files`.
fn go_on(place: &Path, on_save_error: OnError, files: Failing) -> Result<Left> {
    let folder = match place.join(CONFIG).exists() {
        true => Folder::open(place)?.0,
        false => Folder::create(place, &About::now(None))?,
    };
    plan(on_save_error).go_on(0, &folder.through(Arc::new(files)), None, &mut Live::plain().view(0))
}

/// What a run leaves, the clock aside.
fn left(place: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = [METRICS, EPISODES, MODEL, TEST, "checkpoints/update-000003.safetensors"];
    names.map(|name| (name.to_owned(), fs::read(place.join(name)).unwrap_or_default())).into()
}

/// What a run leaves on a disk that works, and how many operations it takes.
fn healthy() -> &'static (BTreeMap<String, Vec<u8>>, usize) {
    static HEALTHY: OnceLock<(BTreeMap<String, Vec<u8>>, usize)> = OnceLock::new();
    HEALTHY.get_or_init(|| {
        let (place, files) = (tempfile::tempdir().expect("a temporary folder"), Failing::new(0..0));
        assert!(matches!(go_on(place.path(), OnError::Stop, files.clone()), Ok(Left::Over(_))));
        (left(place.path()), files.asked.load(Ordering::Relaxed))
    })
}

/// That a run has left what it leaves on a disk that works; a checkpoint to be kept may be missing, but not torn.
#[track_caller]
fn assert_whole(place: &TempDir, what: &str) {
    for (name, content) in left(place.path()) {
        let missing = content.is_empty() && name.starts_with(CHECKPOINTS);
        assert!(missing || content == healthy().0[&name], "{what}: {name}");
    }
}

/// The updates of the checkpoint, which loads if it is there.
#[track_caller]
fn updates(place: &TempDir) -> Option<usize> {
    let path = place.path().join(MODEL);
    let checkpoint = path.exists().then(|| Checkpoint::load(path).unwrap_or_else(|error| panic!("{error}")))?;
    checkpoint.metadata()["updates"].parse().ok()
}

#[test]
fn every_operation_fails_once_and_nothing_is_lost() {
    let (_, operations) = healthy();
    assert!(*operations >= 50, "{operations} points");
    for on_save_error in [OnError::Stop, OnError::Continue] {
        for number in 0..*operations {
            let place = tempfile::tempdir().expect("a temporary folder");
            let result = go_on(place.path(), on_save_error, Failing::new(number..number + 1));
            let before = updates(&place);
            if let Err(error) = result {
                assert!(error.to_string().contains("cannot"), "operation {number}: {error}");
                let again = go_on(place.path(), on_save_error, Failing::new(0..0));
                assert!(matches!(again, Ok(Left::Over(_))), "operation {number}");
            }
            assert!(updates(&place) >= before, "operation {number}");
            assert_whole(&place, &format!("operation {number}, {on_save_error:?}"));
        }
    }
}

/// The disk is full from some moment on.
#[test]
fn a_full_disk_stops_a_run_or_does_not_and_the_last_checkpoint_stays() {
    let (_, operations) = healthy();
    for number in (0..*operations).step_by(3) {
        for on_save_error in [OnError::Stop, OnError::Continue] {
            let place = tempfile::tempdir().expect("a temporary folder");
            let error = go_on(place.path(), on_save_error, Failing::new(number..usize::MAX)).err();
            let error =
                error.unwrap_or_else(|| panic!("operation {number}: a run whose end is not written is not over"));
            assert!(error.to_string().contains("cannot") && error.code() == 2, "{error}");
            let last = number + 1 == *operations; // which syncs the folder that the file is in
            assert_eq!(place.path().join(TEST).exists(), last, "operation {number}");
            updates(&place);
            go_on(place.path(), on_save_error, Failing::new(0..0)).expect("there is room again");
            assert_whole(&place, &format!("operation {number}, {on_save_error:?}"));
        }
    }
}

/// With `continue`, a run whose end can be written has written everything, but for checkpoints whose moment has passed.
#[test]
fn a_disk_that_gets_room_again_takes_everything() {
    let mut over = 0;
    for (from, length) in (26..50).step_by(2).flat_map(|from| [(from, 2), (from, 5)]) {
        let place = tempfile::tempdir().expect("a temporary folder");
        if let Ok(Left::Over(_)) = go_on(place.path(), OnError::Continue, Failing::new(from..from + length)) {
            assert_whole(&place, &format!("operations {from} to {}", from + length));
            over += 1;
        }
    }
    assert!(over > 12, "{over} runs were not in want of room at their end");
}
