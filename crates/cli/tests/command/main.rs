//! Tests of the `gradus` executable: its output, its files, its error messages and its exit codes.
#![forbid(unsafe_code)]

mod bad_input;
mod calculator;
mod config_and_completions;
mod device;
mod documented_fields;
mod eval;
mod explain;
mod expression;
mod full_disk;
mod gradcheck;
mod known_tasks;
mod library_agent;
mod more_updates;
mod own_task;
mod report;
mod resume;
mod same_bytes;
mod sandbox;
mod terminal;
mod train;
mod tutorial;
mod watch;

use std::path::PathBuf;

/// Returns the path of the executable.
fn gradus_path() -> PathBuf {
    env!("CARGO_BIN_EXE_gradus").into()
}
