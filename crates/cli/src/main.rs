//! The executable `gradus`. It calls the library, which holds all of the command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    gradus::main(&[])
}
