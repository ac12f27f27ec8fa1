//! Which runs a folder of several seeds holds, and where.

use std::fs;
use std::path::{Path, PathBuf};

use super::about::About;
use super::names::METRICS;

/// What the names of their folders begin with.
const PREFIX: &str = "seed-";

/// The folder of the run with this seed.
pub(crate) fn of_seed(folder: &Path, seed: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{seed}"))
}

/// The seeds of a folder, which says so itself from version 2 on; before, its folders do. Nothing if it holds one run.
pub(crate) fn seeds(folder: &Path, about: Option<&About>) -> Option<Vec<u64>> {
    match about {
        Some(about) => about.seeds.clone(),
        None if folder.join(METRICS).exists() => None,
        None => Some(by_name(folder)).filter(|seeds| !seeds.is_empty()),
    }
}

fn by_name(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut seeds: Vec<u64> = names.filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect();
    seeds.sort_unstable();
    seeds
}
