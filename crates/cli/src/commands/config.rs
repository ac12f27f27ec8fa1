//! `gradus config`: prints a configuration file with all settings and their meaning, or checks a file.

use std::path::PathBuf;

use clap::Args;
use rl::config::Config;

use crate::error::Result;
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::input::config_file::ConfigFile;
use crate::input::device_name::DeviceName;
use crate::input::{config_file, settings, task_name};
use crate::output::print::print_result;

/// Arguments of `gradus config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Task whose settings are printed
    #[arg(long, value_name = "NAME", conflicts_with = "check", value_parser = task_name::parse, default_value = task_name::NAME)]
    pub(crate) task: &'static str,
    /// Check this file and list its settings that differ from the defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
}

/// Runs `gradus config`.
///
/// # Errors
/// If the file is invalid, or the output cannot be written.
pub(crate) fn config(args: &ConfigArgs) -> Result<()> {
    match &args.check {
        Some(path) => print_result(check(&ConfigFile::read(path)?)?),
        None => print_result(
            config_file::render(Some(0), None, &Config::default(), &CheckpointPolicy::default()).trim_end(),
        ),
    }
}

/// Checks a file and returns the message about it: its task and the settings that differ from the defaults.
///
/// # Errors
/// If the file is invalid.
pub(crate) fn check(file: &ConfigFile) -> Result<String> {
    let task = file.task()?;
    let (config, checkpoint_policy) = settings::read(Some(file))?;
    let seed = file.seed()?.filter(|&seed| seed != 0).map(|seed| ("seed", seed.to_string()));
    let init = file.init().map(|path| ("init", path.display().to_string()));
    let device =
        file.device()?.filter(|&device| device != DeviceName::Cpu).map(|device| ("device", device.to_string()));
    let changes = settings::changed_settings(&config).into_iter().chain(settings::changed_settings(&checkpoint_policy));
    let lines =
        seed.into_iter().chain(init).chain(device).chain(changes).map(|(name, value)| format!("\n  {name} = {value}"));
    let lines = lines.collect::<String>();
    let except = if lines.is_empty() { "" } else { " except" };
    Ok(format!("valid: task {task}, default settings{except}{lines}"))
}
