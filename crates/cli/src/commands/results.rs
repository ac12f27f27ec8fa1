//! The end of a training of any kind: its table, its failures, the way to go on; and its threads.

use tensor::par;

use crate::error::{Error, Result, word};
use crate::folder::outcome::{Outcome, Timed};
use crate::folder::{Folder, REPORT};
use crate::output::print::say;
use crate::run::final_test;
use crate::run::memory_check::all_threads;
use crate::{interrupt, report};

/// The threads that compute.
pub(super) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(all_threads)
}

/// Prints the table of a test.
///
/// # Errors
/// If the run has failed.
pub(super) fn result(outcome: &Outcome) -> Result<()> {
    if outcome.failed {
        return Err(Error::Run(outcome.end.clone()));
    }
    say(format!("\n{}\n{}", final_test::table(&outcome.stages), outcome.caveat));
    Ok(())
}

/// Counts the runs that failed.
///
/// # Errors
/// If there are any.
pub(super) fn failures<'a>(runs: impl IntoIterator<Item = &'a Timed>) -> Result<()> {
    let failed: Vec<_> = runs.into_iter().map(|run| run.outcome.failed).collect();
    match failed.iter().filter(|&&failed| failed).count() {
        0 => Ok(()),
        count => Err(Error::Run(format!("{count} of {} runs failed; the table says why", failed.len()))),
    }
}

/// Writes the page of a folder. It is made of what is there already and can be made again: that it cannot be written fails no
/// run.
///
/// # Errors
/// A warning.
pub(super) fn write_page(folder: &Folder) -> std::result::Result<(), String> {
    let path = folder.path();
    let warning = |error| format!("warning: there is no {REPORT}: {error}; gradus report {} makes it", path.display());
    report::write(path).map_err(warning)
}

/// Says how to go on. Being asked to stop by `--stop-after` is no interruption.
pub(super) fn stopped(folder: &Folder) -> Result<()> {
    say(format!("stopped, and saved; go on with: gradus train --resume {}", word(folder.path())));
    if interrupt::requested() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Runs `work` on this many threads.
///
/// # Errors
/// If the threads cannot be started.
pub(super) fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    par::with_threads(threads, work)
        .map_err(|error| Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads")))
}
