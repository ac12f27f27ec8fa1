//! Entry points for fuzzers: the parsers of all text from outside, exactly as the commands call them.

use std::path::Path;

use crate::folder::EpisodesLine;
use crate::input::config_file::ConfigFile;
use crate::input::tasks::Tasks;
use crate::{commands, folder};

pub use crate::input::context::parse as parse_context;

/// Parses a configuration file and returns the text that `gradus config --check` prints for it.
///
/// # Errors
/// The error message, with line and column.
pub fn check_config(text: &str) -> Result<String, String> {
    let file = ConfigFile::parse(Path::new("run.toml"), text.to_owned());
    file.and_then(|file| commands::config::check(&file, &Tasks::built_in())).map_err(|error| error.to_string())
}

/// Parses the text of `metrics.jsonl` and returns its lines, serialized again.
///
/// # Errors
/// The error message, with the line number.
pub fn parse_metrics(text: &str) -> Result<Vec<String>, String> {
    let lines = folder::metrics::parse(text.as_bytes()).map_err(|(line, error)| format!("line {line}: {error}"))?;
    lines.iter().map(|line| serde_json::to_string(line).map_err(|error| error.to_string())).collect()
}

/// Parses one line of `episodes.jsonl` and returns it, serialized again.
///
/// # Errors
/// The error message.
pub fn parse_episodes_line(line: &str) -> Result<String, String> {
    let line: EpisodesLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    serde_json::to_string(&line).map_err(|error| error.to_string())
}
