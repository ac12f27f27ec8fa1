//! Runs a command under the emulator, with the emulator's options from the environment:
//!
//! ```text
//! cargo run -p emulator --example under -- gradus devices
//! ```
#![forbid(unsafe_code)]

use std::process::ExitCode;

use emulator::{Emulator, Options};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else {
        eprintln!("under: a command is missing");
        return ExitCode::from(2);
    };
    let built = match Emulator::build(&Options::default()) {
        Ok(built) => built,
        Err(missing) => {
            eprintln!("under: {missing}");
            return ExitCode::from(2);
        }
    };
    match built.command(&program).args(words).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("under: {} does not start: {error}", program.to_string_lossy());
            ExitCode::from(2)
        }
    }
}
