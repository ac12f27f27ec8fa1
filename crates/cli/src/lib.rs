//! The `gradus` command, as a library that `main` calls, so that fuzzers reach its readers.
//!
//! `commands` has a file for each command: its flags and its work. `input` reads flags, files and the names in them, `run` takes an
//! `rl::train::Run` from its beginning to its end, `folder` holds its files, `live` and `output` show it, and `report`, `explain`
//! and `gradcheck` make pages.
//!
//! Exit codes: 0, all is well; 1, a run failed, or stopped before a watcher saw its end, or a gradient is wrong; 2, wrong input, or a machine that
//! does not let it; 130, interrupted.
#![forbid(unsafe_code)]

mod commands;
mod error;
mod explain;
mod folder;
pub mod fuzzing;
mod gradcheck;
mod input;
mod interrupt;
mod live;
mod output;
mod report;
mod run;
mod stats;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use input::context;

use error::{Error, Result};
use input::help_examples;
use output::print::complain;

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

fn run(command: Command) -> Result<()> {
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
        Command::Completions(args) => commands::completions(&args, Cli::command()),
        Command::Watch(args) => commands::watch(&args),
        Command::Tutorial(args) => commands::tutorial(&args),
    }
}

/// Train, evaluate and inspect a model-native agent: one GRU that plans, remembers and uses tools inside its own
/// network, on an engine written from scratch.
#[derive(Debug, Parser)]
#[command(name = "gradus", version)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Train an agent, and test it once at the end
    #[command(after_help = help_examples::TRAIN)]
    Train(Box<commands::TrainArgs>),
    /// Follow a run from another terminal, until it is over
    #[command(after_help = help_examples::WATCH)]
    Watch(commands::WatchArgs),
    /// Test a trained agent
    #[command(after_help = help_examples::EVAL)]
    Eval(commands::EvalArgs),
    /// Show one episode step by step, and all that goes into each
    #[command(after_help = help_examples::EXPLAIN)]
    Explain(commands::ExplainArgs),
    /// Look at runs: a page of one folder, or a comparison of several
    #[command(after_help = help_examples::REPORT)]
    Report(commands::ReportArgs),
    /// Prove the gradients: every operation and layer, by five methods
    #[command(after_help = help_examples::GRADCHECK)]
    Gradcheck(commands::GradcheckArgs),
    /// Print all settings as a file to begin with, or check such a file
    #[command(after_help = help_examples::CONFIG)]
    Config(commands::ConfigArgs),
    /// Show the task: states, optimum and shortest programs, from the solver
    #[command(after_help = help_examples::TASKS)]
    Tasks(commands::TasksArgs),
    /// Train the agent of the tutorial that gradus began with, bug for bug, and show what its figures hide
    #[command(after_help = help_examples::TUTORIAL)]
    Tutorial(commands::TutorialArgs),
    /// List what there is to compute on, and what is missing
    #[command(after_help = help_examples::DEVICES)]
    Devices(commands::DevicesArgs),
    /// Print what a shell needs to complete commands and flags
    #[command(after_help = help_examples::COMPLETIONS)]
    Completions(commands::CompletionsArgs),
}
