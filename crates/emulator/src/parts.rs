//! What was compiled, by what it was compiled from: a file whose name has the hash of everything that went into it.
//!
//! Nothing here is ever changed. A part is made under another name and then renamed, so that those who build at the same time
//! make it twice at worst.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::{Missing, file};

/// A folder of parts.
pub(crate) struct Parts {
    pub(crate) folder: PathBuf,
}

/// Something to be compiled, if it is not there yet.
pub(crate) struct Part<'a> {
    /// With its hash.
    pub(crate) name: String,
    /// Writes it to a file.
    pub(crate) make: Make<'a>,
}

type Make<'a> = Box<dyn Fn(&Path) -> Result<(), Missing> + Send + Sync + 'a>;

/// Of anything, the same in every process.
pub(crate) fn hash(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// A name in the same folder that nobody else has.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}-{}-{name}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

impl Parts {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes what is missing, as many at a time as there are processors.
    pub(crate) fn make(&self, parts: &[Part<'_>]) -> Result<(), Missing> {
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

    fn make_one(&self, part: &Part<'_>) -> Result<(), Missing> {
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
