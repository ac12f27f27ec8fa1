//! Helpers for the end of training: the table of the test, failed runs, the resume message. Also starts the threads.

use tensor::par;

use crate::error::{Error, Result, program, show_path};
use crate::folder::outcome::{Outcome, TimedOutcome};
use crate::folder::{Folder, REPORT};
use crate::input::tasks::TaskChoice;
use crate::output::print::print_line;
use crate::run::memory_check::all_threads;
use crate::run::{final_test, learned_rule};
use crate::{interrupt, report};

/// Returns the number of threads that compute: the requested number, or all threads of the machine.
pub(super) fn thread_count(requested: Option<usize>) -> usize {
    requested.unwrap_or_else(all_threads)
}

/// Prints the table of a run's test.
///
/// # Errors
/// If the run has failed.
pub(super) fn print_test_table(outcome: &Outcome) -> Result<()> {
    if outcome.failed {
        return Err(Error::Run(outcome.end.clone()));
    }
    print_line(format!("\n{}", final_test::to_text(&outcome.stages, &outcome.caveat)));
    if !outcome.rule.is_empty() {
        let (table, sentence) = (learned_rule::to_table(&outcome.rule), learned_rule::to_sentence(&outcome.rule));
        print_line(format!("\n{table}\n{sentence}"));
    }
    Ok(())
}

/// Counts failed runs.
///
/// # Errors
/// If a run has failed.
pub(super) fn check_failures<'a>(runs: impl IntoIterator<Item = &'a TimedOutcome>) -> Result<()> {
    let failed: Vec<_> = runs.into_iter().map(|run| run.outcome.failed).collect();
    match failed.iter().filter(|&&failed| failed).count() {
        0 => Ok(()),
        count => Err(Error::Run(format!("{count} of {} runs failed; the table shows why", failed.len()))),
    }
}

/// Writes the page of a folder. A run does not fail if its page cannot be written, because the page is made from the
/// folder's other files and can be made again.
///
/// # Errors
/// The text of a warning.
pub(super) fn write_page(folder: &Folder, task: TaskChoice) -> std::result::Result<(), String> {
    let path = folder.path();
    let warning = |error| {
        format!("warning: cannot write {REPORT}: {error}; make it later with: {} report {}", program(), show_path(path))
    };
    report::write(path, task).map_err(warning)
}

/// Prints how to resume.
///
/// # Errors
/// [`Error::Interrupted`] after Ctrl-C, but not after `--stop-after`.
pub(super) fn report_stopped(folder: &Folder) -> Result<()> {
    print_line(format!("stopped and saved; resume with: {} train --resume {}", program(), show_path(folder.path())));
    if interrupt::requested() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Runs `work` in a pool of this many threads, or on this thread if they are 0.
///
/// # Errors
/// If the threads cannot be started.
pub(super) fn run_on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    if threads == 0 {
        return Ok(work());
    }
    par::with_threads(threads, work)
        .map_err(|error| Error::input(format!("cannot start {threads} threads: {error}; choose fewer with --threads")))
}
