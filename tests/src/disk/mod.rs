//! A simulated disk in memory. Tests make its operations fail, fill it up and cut its power.
//!
//! Every file has two contents: the visible one, which programs read, and the durable one, which survives a power cut.
//! A sync makes the visible content durable. The names in a folder work in the same way. After a power cut, data that
//! was not synced may survive or not, in part and in any order; the seed decides.

mod files;
mod power;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use tensor::philox::{Philox, Purpose, Stream};

/// An operation that a program requests from the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are the methods of nn::files::Files and OpenFile")]
pub enum Operation {
    Create,
    ReadLink,
    Open,
    Write,
    Truncate,
    Sync,
    Rename,
    Remove,
    SyncFolder,
}

/// A disk in memory, with one or several folders. Clones share the same disk.
#[derive(Clone, Debug)]
pub struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: Vec<Content>,
    /// The visible names, each with the index of its file.
    names: BTreeMap<PathBuf, usize>,
    /// Symbolic links and their targets. Links are durable from the start.
    links: BTreeMap<PathBuf, PathBuf>,
    /// The names that survive a power cut. Some of `pending_names` may survive as well.
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since the last sync of their folder.
    pending_names: Vec<Naming>,
    operations: Vec<Operation>,
    failing: Range<usize>,
    /// True if a failing write first writes half of its bytes.
    short: bool,
    /// The number of free bytes.
    free_bytes: usize,
    /// An operation on files with this name ending, which does nothing and reports success.
    ignored: Option<(Operation, &'static str)>,
    rng: Philox,
}

/// The content of a file.
#[derive(Clone, Debug, Default)]
struct Content {
    visible: Vec<u8>,
    durable: Vec<u8>,
    /// Edits that turn `durable` into `visible`. Edits that a failed sync lost are only in `visible`.
    edits: Vec<Edit>,
    mode: u32,
}

/// The mode of a new file.
pub const NEW_MODE: u32 = 0o644;

#[derive(Clone, Debug)]
enum Edit {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// Changes of names that happen together: each name with its new file, or `None` if it is removed. A rename is two.
type Naming = Vec<(PathBuf, Option<usize>)>;

impl MemoryDisk {
    /// Creates an empty disk. The seed decides which unsynced data survive a power cut.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: Vec::new(),
            names: BTreeMap::new(),
            links: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            operations: Vec::new(),
            failing: 0..0,
            short: false,
            free_bytes: usize::MAX,
            ignored: None,
            rng: Philox::stream(seed, Stream { purpose: Purpose(1000), update: 1, episode: 0 }),
        })))
    }

    /// Makes the operations with these numbers fail. Operations are counted from the creation of the disk.
    pub fn fail(&self, numbers: Range<usize>) {
        let mut state = self.state();
        (state.failing, state.short) = (numbers, false);
    }

    /// Makes the operation with this number fail. A write first writes half of its bytes.
    pub fn fail_half_way(&self, number: usize) {
        let mut state = self.state();
        (state.failing, state.short) = (number..number + 1, true);
    }

    /// Sets the number of free bytes.
    pub fn set_free_bytes(&self, bytes: usize) {
        self.state().free_bytes = bytes;
    }

    /// Makes an operation on files whose names end with `suffix` do nothing and report success. Proves that tests can fail.
    pub fn ignore(&self, operation: Operation, suffix: &'static str) {
        self.state().ignored = Some((operation, suffix));
    }

    /// Creates a durable symbolic link.
    pub fn create_link(&self, path: &Path, target: &Path) {
        self.state().links.insert(path.to_owned(), target.to_owned());
    }

    /// Returns the target of a symbolic link.
    pub fn link_target(&self, path: &Path) -> Option<PathBuf> {
        self.state().links.get(path).cloned()
    }

    /// Changes the mode of an existing file durably.
    ///
    /// # Panics
    /// If the file does not exist.
    pub fn set_mode(&self, path: &Path, mode: u32) {
        let state = &mut *self.state();
        state.files[state.names[path]].mode = mode;
    }

    /// Returns the mode of a file.
    pub fn mode(&self, path: &Path) -> Option<u32> {
        let state = self.state();
        state.names.get(path).map(|&file| state.files[file].mode)
    }

    /// Returns all operations so far.
    pub fn operations(&self) -> Vec<Operation> {
        self.state().operations.clone()
    }

    /// Returns the visible content of a file.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|&file| state.files[file].visible.clone())
    }

    /// Returns all visible names.
    pub fn names(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no operation panics")
    }
}
