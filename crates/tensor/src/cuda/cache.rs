//! An on-disk cache of the PTX code that NVRTC compiles.
//!
//! A lost cache or a full disk is harmless: NVRTC compiles again. A cached file is used only if its header matches and its
//! checksum is right. It is written under a temporary name and then renamed.

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicU32, Ordering};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process;

/// The environment variable that names another cache folder. An empty value disables the cache.
const VARIABLE: &str = "GRADUS_CACHE";

/// A cache folder with the code for one GPU, driver and compiler.
pub(super) struct Cache {
    folder: Option<PathBuf>,
    /// The GPU, the driver and the compiler, as text.
    made_for: String,
}

impl Cache {
    pub(super) fn new(made_for: String) -> Self {
        Self { folder: folder(), made_for }
    }

    /// Returns the code that was compiled from `key`, if it is cached.
    pub(super) fn get(&self, name: &str, key: &str) -> Option<String> {
        let text = fs::read_to_string(self.path(name, key)?).ok()?;
        let (head, made) = text.split_once('\n')?;
        (head == self.head(key, made)).then(|| made.into())
    }

    /// Stores the code that was compiled from `key`. Failures are ignored.
    pub(super) fn put(&self, name: &str, key: &str, made: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(path) = self.path(name, key) else { return };
        let Some(folder) = path.parent() else { return };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let unfinished = folder.join(format!(".{}-{number}", process::id()));
        let text = format!("{}\n{made}", self.head(key, made));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&unfinished, text));
        if written.and_then(|()| fs::rename(&unfinished, &path)).is_err() {
            fs::remove_file(&unfinished).ok();
        }
    }

    fn path(&self, name: &str, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{name}-{:016x}.ptx", hash(&[&self.made_for, key]))))
    }

    /// The first line of a cached file, a comment for the driver: its target, a hash of the source, and a checksum of the code.
    fn head(&self, key: &str, made: &str) -> String {
        format!("// gradus: {}; source {:016x}, this {:016x}", self.made_for, hash(&[key]), hash(&[made, "made"]))
    }
}

fn hash(of: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new(); // the same in every process
    of.hash(&mut hasher);
    hasher.finish()
}

fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os(VARIABLE) {
        return (!folder.is_empty()).then(|| folder.into());
    }
    let at = |variable: &str| env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        at("LOCALAPPDATA")
    } else {
        at("XDG_CACHE_HOME").or_else(|| at("HOME").map(|home| home.join(".cache")))
    };
    Some(base?.join("gradus").join("kernels"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> Cache {
        let folder = env::temp_dir().join(format!("gradus-cache-{}-{name}", process::id()));
        Cache { folder: Some(folder), made_for: "a GPU".into() }
    }

    #[test]
    fn cache_entry_is_found_for_the_same_gpu_only() {
        let cache = cache("same");
        assert_eq!(cache.get("map.cu", "key"), None);
        cache.put("map.cu", "key", "ptx\nof two lines");
        assert_eq!(cache.get("map.cu", "key").as_deref(), Some("ptx\nof two lines"));
        assert_eq!(cache.get("map.cu", "other"), None);
        let other = Cache { folder: cache.folder.clone(), made_for: "another".into() };
        assert_eq!(other.get("map.cu", "key"), None);
        fs::remove_dir_all(cache.folder.expect("it has one")).expect("it is there");
    }

    #[test]
    fn cache_file_truncated_or_changed_is_ignored() {
        let cache = cache("cut");
        cache.put("map.cu", "key", "some ptx");
        let path = cache.path("map.cu", "key").expect("it has a folder");
        let text = fs::read_to_string(&path).expect("it was written");
        for other in [&text[..text.len() - 1], &text.replace("some", "none"), "", "\n"] {
            fs::write(&path, other).expect("it can be written");
            assert_eq!(cache.get("map.cu", "key"), None, "{other}");
        }
        fs::write(&path, text).expect("it can be written");
        assert!(cache.get("map.cu", "key").is_some());
        fs::remove_dir_all(cache.folder.expect("it has one")).expect("it is there");
    }

    #[test]
    fn cache_without_writable_folder_stores_nothing() {
        let nowhere = Cache { folder: None, made_for: String::new() };
        nowhere.put("map.cu", "key", "ptx");
        let file = env::temp_dir().join(format!("gradus-cache-{}-file", process::id()));
        fs::write(&file, "a file, no folder").expect("it can be written");
        let in_file = Cache { folder: Some(file.clone()), made_for: String::new() };
        in_file.put("map.cu", "key", "ptx");
        assert_eq!([nowhere, in_file].map(|cache| cache.get("map.cu", "key")), [None, None]);
        fs::remove_file(file).expect("it is there");
    }
}
