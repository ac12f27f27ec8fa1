//! `gradus completions`: what a shell needs to complete commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Result;
use crate::output::print::show;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Prints the completions of this command line for a shell.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn completions(args: &CompletionsArgs, mut command: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "gradus", &mut script);
    show(String::from_utf8_lossy(&script).trim_end())
}
