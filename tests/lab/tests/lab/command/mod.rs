//! Tests of the `gradus` executable that take long or need a GPU.

mod device;
mod gradcheck;
mod help;
mod killed;
mod memory;
#[path = "../../../../../crates/cli/tests/command/sandbox.rs"]
#[allow(dead_code, reason = "the package's own tests use the other functions")]
mod sandbox;
