//! The `gradus` command as a library. `main` calls it, and fuzzers call its parsers.
//!
//! - `commands`: one file per command, with its flags and its work.
//! - `input`: parses flags and configuration files.
//! - `run`: trains an `rl::train::Run` from start to end, or resumes it.
//! - `folder`: reads and writes the files of a run folder.
//! - `live`, `output`: the live view and everything else that is printed.
//! - `report`, `explain`, `gradcheck`: HTML pages. `stats`: the statistics in them.
//!
//! Exit codes: 0, success; 1, a run failed, a watched run stopped early, or a gradient is wrong; 2, invalid input, or a
//! failure of the machine (no memory, full disk, no GPU); 130, interrupted by Ctrl-C.
//!
//! A program with a task of its own has the same command line; the example `own_task` is one:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     gradus::main(&[]) // or gradus::main(&[&MyTask])
//! }
//! ```
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
mod score;
mod stats;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use console::Term;
use rl::env::Task;

pub use input::context;

use error::{Error, Result};
use input::help_examples;
use input::tasks::Tasks;
use output::print::print_error;
use output::width;

/// Parses the arguments of the process, runs the command, prints its error and returns its exit code. The commands know
/// `tasks` besides those of `gradus`; the first is their default.
pub fn main(tasks: &[&'static dyn Task]) -> ExitCode {
    error::name_program(!tasks.is_empty());
    let command = match parse() {
        Ok(command) => command,
        Err(error) if error.use_stderr() => {
            let text = error.render();
            let text = if console::colors_enabled_stderr() { text.ansi().to_string() } else { text.to_string() };
            print_error(text.trim_end());
            return ExitCode::from(Error::INVALID_INPUT);
        }
        Err(help) => help.exit(),
    };
    match Tasks::new(tasks).and_then(|tasks| run(command, &tasks)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, Error::Interrupted) {
                print_error(format!("error: {error}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Maximum columns of the help.
const HELP_COLUMNS: usize = 100;

/// Parses the arguments of the process. A flag takes `-1` as its value, so that the error says what it expects.
fn parse() -> std::result::Result<Command, clap::Error> {
    let takes_value = |arg: &clap::Arg| arg.get_long().is_some() && arg.get_action().takes_values();
    let accept_negative = |arg: clap::Arg| if takes_value(&arg) { arg.allow_negative_numbers(true) } else { arg };
    let columns = width::terminal_columns(&Term::stdout()).map_or(HELP_COLUMNS, |columns| columns.min(HELP_COLUMNS));
    let fit_help = |command: clap::Command| match command.get_after_help().map(ToString::to_string) {
        Some(help) => command.after_help(help_examples::fit(&help, columns)),
        None => command,
    };
    let command =
        Cli::command().term_width(columns).mut_subcommands(|command| fit_help(command).mut_args(accept_negative));
    Ok(Cli::from_arg_matches(&command.try_get_matches()?)?.command)
}

fn run(command: Command, tasks: &Tasks) -> Result<()> {
    tensor::default_kernels().map_err(|error| Error::input(error.to_string()))?;
    match command {
        Command::Train(args) => commands::train(&args, tasks),
        Command::Eval(args) => commands::eval(&args, tasks),
        Command::Explain(args) => commands::explain(&args, tasks),
        Command::Report(args) => commands::report(&args, tasks),
        Command::Gradcheck(args) => commands::gradcheck(&args),
        Command::Config(args) => commands::config(&args, tasks),
        Command::Tasks(args) => commands::tasks(&args, tasks),
        Command::Devices(args) => commands::devices(&args),
        Command::Completions(args) => commands::completions(&args, Cli::command(), tasks),
        Command::Watch(args) => commands::watch(&args, tasks),
        Command::Tutorial(args) => commands::tutorial(&args),
    }
}

/// The end of the help.
const ABOUT_WIDTH: &str = "Tables and sentences are fitted to the width of the terminal, or to the environment variable \
     COLUMNS. Pipes and files get whole lines, unless COLUMNS is set. JSON is never wrapped.";

/// Train, evaluate and inspect a model-native agent: a single GRU network that plans, remembers and uses tools, on a
/// deep-learning engine written from scratch.
#[derive(Debug, Parser)]
#[command(name = "gradus", version, after_help = ABOUT_WIDTH)]
struct Cli {
    /// The command to run.
    #[command(subcommand)]
    command: Command,
}

/// The commands. Their docs are the help texts.
#[derive(Debug, Subcommand)]
enum Command {
    /// Train an agent and test it at the end
    #[command(after_help = help_examples::TRAIN)]
    Train(Box<commands::TrainArgs>),
    /// Follow a training run from another terminal until it ends
    #[command(after_help = help_examples::WATCH)]
    Watch(commands::WatchArgs),
    /// Test a trained agent
    #[command(after_help = help_examples::EVAL)]
    Eval(commands::EvalArgs),
    /// Show one episode step by step, with the network's values at each step
    #[command(after_help = help_examples::EXPLAIN)]
    Explain(commands::ExplainArgs),
    /// Write an HTML report about one run folder, or a comparison of several
    #[command(after_help = help_examples::REPORT)]
    Report(commands::ReportArgs),
    /// Check the gradients of every operation and layer by five methods
    #[command(after_help = help_examples::GRADCHECK)]
    Gradcheck(commands::GradcheckArgs),
    /// Print a configuration file with all default settings, or check a file
    #[command(after_help = help_examples::CONFIG)]
    Config(commands::ConfigArgs),
    /// List the tasks, or describe one with its solver's facts: states, optimum, shortest programs
    #[command(after_help = help_examples::TASKS)]
    Tasks(commands::TasksArgs),
    /// Train the agent of the original tutorial with all its bugs, and show what its numbers hide
    #[command(after_help = help_examples::TUTORIAL)]
    Tutorial(commands::TutorialArgs),
    /// List the devices that can compute, and what is missing for the others
    #[command(after_help = help_examples::DEVICES)]
    Devices(commands::DevicesArgs),
    /// Print a completion script for a shell
    #[command(after_help = help_examples::COMPLETIONS)]
    Completions(commands::CompletionsArgs),
}
