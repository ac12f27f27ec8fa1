//! Ctrl-C handling. The first Ctrl-C asks all runs to stop after their current update; the second ends the process at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, INTERRUPTED, Result};
use crate::output::print::print_error;

/// Message that training prints at the first Ctrl-C.
pub(crate) const STOPPING_MESSAGE: &str = "finishing the update, then saving; press Ctrl-C again to stop at once";

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler for Ctrl-C and, on Unix, for SIGTERM and SIGHUP. The first signal prints `message`, if given.
///
/// # Errors
/// If the system refuses to install the handler.
pub(crate) fn listen(message: Option<&'static str>) -> Result<()> {
    let installed = ctrlc::set_handler(move || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            exit(INTERRUPTED.into());
        }
        message.iter().for_each(|text| print_error(format!("\n{text}"))); // a closed terminal must not end the handler
    });
    installed
        .map_err(|error| Error::input(format!("cannot install the Ctrl-C handler: {error}; run the command again")))
}

/// Returns true after the first Ctrl-C.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
