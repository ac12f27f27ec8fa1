//! `gradus completions`: prints a script with which a shell completes commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Result;
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
pub(crate) fn completions(args: &CompletionsArgs, mut command: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "gradus", &mut script);
    print_data(String::from_utf8_lossy(&script).trim_end())
}
