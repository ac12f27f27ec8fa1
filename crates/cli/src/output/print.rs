//! Lines on the terminal, and JSON as text.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

use serde_json::Value;

use crate::error::{Error, Result};

/// Prints a line. That nobody reads it is no reason to stop a training: results are in files.
#[cfg(not(test))]
pub(crate) fn say(text: impl Display) {
    writeln!(stdout(), "{text}").ok();
}

/// The same where the tests can hold it back.
#[cfg(test)]
pub(crate) fn say(text: impl Display) {
    println!("{text}");
}

/// Prints a line where errors go. If nobody is there to read it, the exit code still tells.
pub(crate) fn complain(text: impl Display) {
    writeln!(stderr(), "{text}").ok();
}

/// Prints a result that stands nowhere else. That a reader has seen enough is no error.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn show(text: impl Display) -> Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::input(format!("cannot write the result: {error}; send it elsewhere")))
        }
        _ => Ok(()),
    }
}

/// JSON as a file holds it.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
