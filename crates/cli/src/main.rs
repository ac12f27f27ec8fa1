//! The `gradus` command: `train`, `eval` and `tasks`.
//!
//! [`args`] and [`settings`] are what can be asked for, [`file`](mod@file) is the configuration file; [`train`],
//! [`eval`] and [`tasks`] are the commands, and [`run`] is one training. What trains is behind one trait,
//! [`training::Training`], of which each task has its own file.
//!
//! Exit codes: 0, all is well; 1, a run failed; 2, wrong input, or a machine that does not let it.
#![forbid(unsafe_code)]

mod args;
mod calculator;
mod clock;
mod error;
mod eval;
mod file;
mod fisher;
mod folder;
mod outcome;
mod progress;
mod run;
mod seeds;
mod settings;
mod summary;
mod table;
mod task;
mod tasks;
mod test;
mod train;
mod training;
mod tutorial;
mod weights;

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use args::{Cli, Command};
use error::Error;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => train::train(&args),
        Command::Eval(args) => eval::eval(&args),
        Command::Tasks(args) => tasks::tasks(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.code())
        }
    }
}

/// Prints a line. That nobody reads it is no reason to stop a training: results are in files.
fn say(text: impl Display) {
    writeln!(stdout(), "{text}").ok();
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
