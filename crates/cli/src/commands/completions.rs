//! `gradus completions`: what a shell needs to complete commands and flags.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::Result;
use crate::show;

/// Does what the arguments say.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gradus", &mut script);
    show(String::from_utf8_lossy(&script).trim_end())
}
