//! A cache of compiled parts: each file's name contains the hash of all its inputs.
//!
//! Cached files never change. A part is built under a temporary name and then renamed. Parallel builds may build the same
//! part twice.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::{BuildError, file};

/// A folder of compiled parts.
pub(crate) struct Parts {
    pub(crate) folder: PathBuf,
}

/// A part that is compiled if it does not exist yet.
pub(crate) struct Part<'a> {
    /// The file name, with the hash.
    pub(crate) name: String,
    /// Compiles the part to a file.
    pub(crate) make: Make<'a>,
}

type Make<'a> = Box<dyn Fn(&Path) -> Result<(), BuildError> + Send + Sync + 'a>;

/// Hashes a value. The result is the same in every process.
pub(crate) fn hash(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Returns a unique temporary name in the same folder.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}-{}-{name}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

impl Parts {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Compiles the missing parts, as many at a time as there are processors.
    pub(crate) fn make(&self, parts: &[Part<'_>]) -> Result<(), BuildError> {
        fs::create_dir_all(&self.folder).map_err(|error| file(&self.folder, &error))?;
        let missing: Vec<_> = parts.iter().filter(|part| !self.path(&part.name).exists()).collect();
        let next = AtomicU32::new(0);
        let failed = Mutex::new(None);
        let work = || {
            while let Some(part) = missing.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                if let Err(error) = self.make_one(part) {
                    next.store(missing.len() as u32, Ordering::Relaxed);
                    failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(error);
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, |count| count.get()).min(missing.len());
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).map_or(Ok(()), Err)
    }

    fn make_one(&self, part: &Part<'_>) -> Result<(), BuildError> {
        let path = self.path(&part.name);
        let unfinished = unfinished(&path);
        let made =
            (part.make)(&unfinished).and_then(|()| fs::rename(&unfinished, &path).map_err(|error| file(&path, &error)));
        if made.is_err() {
            fs::remove_file(&unfinished).ok();
        }
        made
    }
}
