//! Ctrl-C: the first asks all runs to stop after their update, the second ends the process at once.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, INTERRUPTED, Result};
use crate::output::print::complain;

/// What the first Ctrl-C does to a training.
pub(crate) const WORDS: &str = "finishing the update, then saving; once more to stop at once";

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Listens from now on, to Ctrl-C and, on Unix, to SIGTERM and SIGHUP; the first of them gets an answer, if there are
/// words for it.
///
/// # Errors
/// If the system does not let it.
pub(crate) fn listen(words: Option<&'static str>) -> Result<()> {
    let listening = ctrlc::set_handler(move || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            exit(INTERRUPTED.into());
        }
        words.iter().for_each(|words| complain(format!("\n{words}"))); // a terminal that is gone must not end the listening
    });
    listening.map_err(|error| Error::input(format!("cannot listen to Ctrl-C: {error}; try again")))
}

/// Whether to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
