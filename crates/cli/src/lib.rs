//! The `gradus` command, as a library that `main` calls, so that fuzzers reach its readers.
//!
//! `args` and `settings` are what can be asked for, `file` is the configuration file, [`context`] reads what an agent is
//! to be shown; `commands` has a file for each command. `run` takes an `rl::train::Run` from its beginning to its end, `folder` is what it leaves, and `trained` loads it from there.
//!
//! Exit codes: 0, all is well; 1, a run failed, or stopped before a watcher saw its end, or a gradient is wrong; 2, wrong input, or a machine that
//! does not let it; 130, interrupted.
#![forbid(unsafe_code)]

mod args;
mod clock;
mod commands;
pub mod context;
mod device;
mod error;
mod exact;
mod examples;
mod explain;
mod file;
mod folder;
mod gradcheck;
mod html;
mod keeping;
mod live;
mod memory;
mod outcome;
mod profile;
pub mod readers;
mod regular;
mod report;
mod run;
mod seeds;
mod settings;
mod state;
mod stats;
mod stop;
mod summary;
mod table;
mod task;
mod test;
mod trained;
mod weights;

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use args::{Cli, Command};
use error::Error;

/// Does what the arguments of the process say.
pub fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, Error::Interrupted) {
                complain(format!("error: {error}"));
            }
            ExitCode::from(error.code())
        }
    }
}

fn run(command: Command) -> error::Result<()> {
    tensor::default_kernels().map_err(|error| Error::input(error.to_string()))?;
    match command {
        Command::Train(args) => commands::train(&args),
        Command::Eval(args) => commands::eval(&args),
        Command::Explain(args) => commands::explain(&args),
        Command::Report(args) => commands::report(&args),
        Command::Gradcheck(args) => commands::gradcheck(&args),
        Command::Config(args) => commands::config(&args),
        Command::Tasks(args) => commands::tasks(&args),
        Command::Devices(args) => commands::devices(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Watch(args) => commands::watch(&args),
        Command::Tutorial(args) => commands::tutorial(&args),
    }
}

/// Prints a line. That nobody reads it is no reason to stop a training: results are in files.
#[cfg(not(test))]
fn say(text: impl Display) {
    writeln!(stdout(), "{text}").ok();
}

/// The same where the tests can hold it back.
#[cfg(test)]
fn say(text: impl Display) {
    println!("{text}");
}

/// Prints a line where errors go. If nobody is there to read it, the exit code still tells.
fn complain(text: impl Display) {
    writeln!(stderr(), "{text}").ok();
}

/// Prints a result that stands nowhere else. That a reader has seen enough is no error.
///
/// # Errors
/// If it cannot be written.
fn show(text: impl Display) -> error::Result<()> {
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::input(format!("cannot write the result: {error}; send it elsewhere")))
        }
        _ => Ok(()),
    }
}

/// JSON as a file holds it.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
