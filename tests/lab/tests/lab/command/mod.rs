//! Tests of the command that take long or need a GPU.

mod device;
mod gradcheck;
mod help;
#[path = "../../../../../crates/cli/tests/command/place.rs"]
#[allow(dead_code, reason = "its other functions are for the tests of the package itself")]
mod place;
