//! The seeds of a folder of several runs, and the subfolder of each seed.

use std::fs;
use std::path::{Path, PathBuf};

use super::about::About;
use super::file_names::METRICS;

/// Prefix of the subfolders' names.
const FOLDER_PREFIX: &str = "seed-";

/// Returns the subfolder of the run with this seed.
pub(crate) fn seed_folder(folder: &Path, seed: u64) -> PathBuf {
    folder.join(format!("{FOLDER_PREFIX}{seed}"))
}

/// Returns the seeds of a folder, or `None` if it holds a single run. Since version 2, `about.json` lists the seeds; for
/// version 1 they come from the names of the subfolders.
pub(crate) fn list_seeds(folder: &Path, about: Option<&About>) -> Option<Vec<u64>> {
    match about {
        Some(about) => about.seeds.clone(),
        None if folder.join(METRICS).exists() => None,
        None => Some(seeds_from_names(folder)).filter(|seeds| !seeds.is_empty()),
    }
}

/// Returns the seeds in the names of the subfolders, sorted.
fn seeds_from_names(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut seeds: Vec<u64> = names.filter_map(|name| name.strip_prefix(FOLDER_PREFIX)?.parse().ok()).collect();
    seeds.sort_unstable();
    seeds
}
