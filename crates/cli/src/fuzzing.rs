//! What comes from outside as text, read as the commands read it: for fuzzers, which ask only whether it was understood.

use std::path::Path;

use crate::folder::EpisodesLine;
use crate::input::config_file::ConfigFile;
use crate::{commands, folder};

pub use crate::input::context::parse as context;

/// A configuration file: what `gradus config --check` says about it.
///
/// # Errors
/// What is wrong, and where.
pub fn config(text: &str) -> Result<String, String> {
    let file = ConfigFile::parse(Path::new("run.toml"), text.to_owned());
    file.and_then(|file| commands::config::check(&file)).map_err(|error| error.to_string())
}

/// The text of `metrics.jsonl`: the number of its lines, and what they say, written again.
///
/// # Errors
/// What is wrong, and in which line.
pub fn metrics(text: &str) -> Result<Vec<String>, String> {
    let lines = folder::metrics::parse(text.as_bytes()).map_err(|(line, error)| format!("line {line}: {error}"))?;
    lines.iter().map(|line| serde_json::to_string(line).map_err(|error| error.to_string())).collect()
}

/// A line of `episodes.jsonl`, written again.
///
/// # Errors
/// What is wrong.
pub fn episodes(line: &str) -> Result<String, String> {
    let line: EpisodesLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    serde_json::to_string(&line).map_err(|error| error.to_string())
}
