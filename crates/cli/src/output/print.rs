//! Printing to the terminal, and JSON as text.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

use serde_json::Value;

use crate::error::{Error, Result};

/// Prints a line to standard output. A write error is ignored: it must not stop a training, whose results are in files.
#[cfg(not(test))]
pub(crate) fn print_line(text: impl Display) {
    writeln!(stdout(), "{text}").ok();
}

/// Prints a line so that the test harness can capture it.
#[cfg(test)]
pub(crate) fn print_line(text: impl Display) {
    println!("{text}");
}

/// Prints a line to standard error. A write error is ignored: the exit code still reports the failure.
pub(crate) fn print_error(text: impl Display) {
    writeln!(stderr(), "{text}").ok();
}

/// Prints a result that is stored in no file. A closed pipe is not an error: its reader has seen enough.
///
/// # Errors
/// If writing fails for another reason.
pub(crate) fn print_result(text: impl Display) -> Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::input(format!("cannot write the result: {error}; redirect it to another file or terminal")))
        }
        _ => Ok(()),
    }
}

/// Formats JSON as in the run folder: indented, with a final line break.
pub(crate) fn pretty_json(value: &Value) -> String {
    format!("{value:#}\n")
}
