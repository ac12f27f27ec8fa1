//! A disk in memory, for what real ones do rarely: its operations fail when they are told to, it fills up, and its power
//! is cut.
//!
//! Every file has two contents: the one that programs see, and the one that a loss of power leaves, which only a sync
//! brings up to date. So have the names of the folder. What was not brought to the disk may survive or not, in part and
//! in any order; the seed decides.

mod files;
mod power;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use tensor::philox::{Philox, Purpose, Stream};

/// What programs ask of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are the methods of nn::files::Files and OpenFile")]
pub enum Operation {
    Create,
    ReadLink,
    Open,
    Write,
    Cut,
    Sync,
    Rename,
    Remove,
    SyncFolder,
}

/// A disk in memory, with one folder or several. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: Vec<Content>,
    /// The names that programs see, and the file of each.
    names: BTreeMap<PathBuf, usize>,
    /// Symbolic links that were there before, and their texts; they are on the disk for good.
    links: BTreeMap<PathBuf, PathBuf>,
    /// Those that a loss of power leaves, but for `renamed`.
    safe_names: BTreeMap<PathBuf, usize>,
    /// What happened to names since their folder was synced.
    renamed: Vec<Naming>,
    asked: Vec<Operation>,
    failing: Range<usize>,
    /// Whether a write that fails has written half before.
    short: bool,
    /// How many more bytes there is room for.
    room: usize,
    forgets: Option<(Operation, &'static str)>,
    chance: Philox,
}

/// The content of a file.
#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    safe: Vec<u8>,
    /// What makes `seen` of `safe`, unless a sync has failed: what that lost is in `seen` alone.
    edits: Vec<Edit>,
    mode: u32,
}

/// The mode of a new file.
pub const NEW_MODE: u32 = 0o644;

#[derive(Clone, Debug)]
enum Edit {
    Write { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

/// A name's new file, or none. A renaming is two of them that happen together.
type Naming = Vec<(PathBuf, Option<usize>)>;

impl MemoryDisk {
    /// An empty disk, whose fate `seed` decides.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            links: BTreeMap::new(),
            safe_names: BTreeMap::new(),
            renamed: Vec::new(),
            asked: Vec::new(),
            failing: 0..0,
            short: false,
            room: usize::MAX,
            forgets: None,
            chance: Philox::stream(seed, Stream { purpose: Purpose(1000), update: 1, episode: 0 }),
        })))
    }

    /// Lets the operations of these numbers fail, counted from the first ever.
    pub fn fail(&self, numbers: Range<usize>) {
        let mut state = self.state();
        (state.failing, state.short) = (numbers, false);
    }

    /// Lets the operation of this number fail; if it is a write, only after it has written half.
    pub fn fail_half_way(&self, number: usize) {
        let mut state = self.state();
        (state.failing, state.short) = (number..number + 1, true);
    }

    /// Leaves room for so many more bytes.
    pub fn leave_room(&self, bytes: usize) {
        self.state().room = bytes;
    }

    /// Makes an operation on files whose names end so do nothing and report success: for tests of tests.
    pub fn forget(&self, operation: Operation, names: &'static str) {
        self.state().forgets = Some((operation, names));
    }

    /// Makes a symbolic link with this text, on the disk for good.
    pub fn link(&self, path: &Path, text: &Path) {
        self.state().links.insert(path.to_owned(), text.to_owned());
    }

    /// The text of a symbolic link.
    pub fn text_of_link(&self, path: &Path) -> Option<PathBuf> {
        self.state().links.get(path).cloned()
    }

    /// Changes the mode of a file that is there, on the disk for good.
    ///
    /// # Panics
    /// If it is not there.
    pub fn set_mode(&self, path: &Path, mode: u32) {
        let state = &mut *self.state();
        state.files[state.names[path]].mode = mode;
    }

    /// The mode of a file.
    pub fn mode(&self, path: &Path) -> Option<u32> {
        let state = self.state();
        state.names.get(path).map(|&file| state.files[file].mode)
    }

    /// The operations so far.
    pub fn asked(&self) -> Vec<Operation> {
        self.state().asked.clone()
    }

    /// What a program reads.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|&file| state.files[file].seen.clone())
    }

    /// All names that programs see.
    pub fn names(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no operation panics")
    }
}
