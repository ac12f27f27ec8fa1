//! `gradus config`: all settings with their meaning, as a file to begin with; and whether a file is right.

use std::path::PathBuf;

use clap::Args;
use rl::config::Config;

use crate::error::Result;
use crate::input::checkpoint_policy::Keeping;
use crate::input::config_file::ConfigFile;
use crate::input::{config_file, settings, task_name};
use crate::output::print::show;

/// Which settings, or which file.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The task whose settings are printed
    #[arg(long, value_name = "NAME", conflicts_with = "check", value_parser = task_name::parse, default_value = task_name::NAME)]
    pub(crate) task: &'static str,
    /// Check this file, and say what in it is not at its default
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
}

/// Does what the arguments say.
///
/// # Errors
/// If the file is not right.
pub(crate) fn config(args: &ConfigArgs) -> Result<()> {
    match &args.check {
        Some(path) => show(check(&ConfigFile::read(path)?)?),
        None => show(config_file::write(Some(0), None, &Config::default(), &Keeping::default()).trim_end()),
    }
}

/// What there is to say about a file that is right.
///
/// # Errors
/// If it is not.
pub(crate) fn check(file: &ConfigFile) -> Result<String> {
    let task = file.task()?;
    let (config, keeping) = settings::read(Some(file))?;
    let seed = file.seed()?.map(|seed| ("seed", seed.to_string()));
    let init = file.init().map(|path| ("init", path.display().to_string()));
    let device = file.device()?.map(|device| ("device", device.to_string()));
    let changes = settings::changes(&config).into_iter().chain(settings::changes(&keeping));
    let lines =
        seed.into_iter().chain(init).chain(device).chain(changes).map(|(name, value)| format!("\n  {name} = {value}"));
    let lines = lines.collect::<String>();
    let but = if lines.is_empty() { "" } else { ", but for" };
    Ok(format!("right: task {task}, default settings{but}{lines}"))
}
