//! The command as its users meet it: what it prints, what it writes, and how it refuses.
#![forbid(unsafe_code)]

mod bad_input;
mod device;
mod embedding;
mod eval;
mod explain;
mod full;
mod gradcheck;
mod help;
mod killed;
mod memory;
mod place;
mod report;
mod resume;
mod same_bytes;
mod schema;
mod train;
mod tutorial;
mod watch;

use std::path::PathBuf;

/// The command.
fn gradus() -> PathBuf {
    env!("CARGO_BIN_EXE_gradus").into()
}
