//! `gradus completions`: prints a script with which a shell completes commands, flags and the names of tasks.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command};
use clap_complete::Shell;

use crate::error::{Result, program};
use crate::input::tasks::Tasks;
use crate::output::print::print_data;

/// Arguments of `gradus completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Prints the completion script for a shell.
///
/// # Errors
/// If the script cannot be written.
pub(crate) fn completions(args: &CompletionsArgs, command: Command, tasks: &Tasks) -> Result<()> {
    let names: Vec<_> = tasks.names().map(str::to_owned).collect();
    let add_names = |arg: Arg| match arg.get_id() == "task" {
        true => arg.value_parser(PossibleValuesParser::new(names.clone())),
        false => arg,
    };
    let mut command = command.mut_subcommands(|command| command.mut_args(add_names));
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, program(), &mut script);
    print_data(String::from_utf8_lossy(&script).trim_end())
}
