//! Printing to the terminal, and JSON as text. Text for readers is fitted to the terminal; data for programs is not.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

use console::Term;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::output::width::{fit, terminal_columns};

/// Prints a line to standard output. A write error is ignored: it must not stop a training, whose results are in files.
pub(crate) fn print_line(text: impl Display) {
    let text = fit(&text.to_string(), terminal_columns(&Term::stdout()));
    #[cfg(not(test))]
    writeln!(stdout(), "{text}").ok();
    #[cfg(test)]
    println!("{text}"); // the test harness captures it
}

/// Prints a line to standard error. A write error is ignored: the exit code still reports the failure.
pub(crate) fn print_error(text: impl Display) {
    writeln!(stderr(), "{}", fit(&text.to_string(), terminal_columns(&Term::stderr()))).ok();
}

/// Prints a result that is stored in no file. A closed pipe is not an error: its reader has seen enough.
///
/// # Errors
/// If writing fails for another reason.
pub(crate) fn print_result(text: impl Display) -> Result<()> {
    print_data(fit(&text.to_string(), terminal_columns(&Term::stdout())))
}

/// Prints data for programs, such as JSON, as [`print_result`] does, but at its full width.
///
/// # Errors
/// As `print_result`.
pub(crate) fn print_data(text: impl Display) -> Result<()> {
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
