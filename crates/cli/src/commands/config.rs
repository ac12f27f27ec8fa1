//! `gradus config`: prints a configuration file with all settings and their meaning, or checks a file.

use std::path::PathBuf;

use clap::Args;

use crate::error::Result;
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::input::config_file::ConfigFile;
use crate::input::device_name::DeviceName;
use crate::input::tasks::Tasks;
use crate::input::{config_file, settings};
use crate::output::print::print_result;

/// Arguments of `gradus config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Task whose settings are printed; gradus tasks lists them [default: expression, or the first task of the program]
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    pub(crate) task: Option<String>,
    /// Check this file and list its settings that differ from the defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
}

/// Runs `gradus config`.
///
/// # Errors
/// If the file is invalid, or the output cannot be written.
pub(crate) fn config(args: &ConfigArgs, tasks: &Tasks) -> Result<()> {
    if let Some(path) = &args.check {
        return print_result(check(&ConfigFile::read(path)?, tasks)?);
    }
    let task = tasks.choose(args.task.as_deref())?;
    print_result(
        config_file::render(task, Some(0), None, &task.default_config(), &CheckpointPolicy::default()).trim_end(),
    )
}

/// Checks a file and returns the message about it: its task and the settings that differ from the defaults.
///
/// # Errors
/// If the file is invalid, or its settings do not fit the task.
pub(crate) fn check(file: &ConfigFile, tasks: &Tasks) -> Result<String> {
    let task = file.task(tasks)?;
    let (config, checkpoint_policy) = settings::read(Some(file), task)?;
    task.check_settings(&config)?;
    let seed = file.seed()?.filter(|&seed| seed != 0).map(|seed| ("seed", seed.to_string()));
    let init = file.init().map(|path| ("init", path.display().to_string()));
    let device =
        file.device()?.filter(|&device| device != DeviceName::Cpu).map(|device| ("device", device.to_string()));
    let changes = settings::changed_settings(&config, &task.default_config())
        .into_iter()
        .chain(settings::changed_settings(&checkpoint_policy, &CheckpointPolicy::default()));
    let lines =
        seed.into_iter().chain(init).chain(device).chain(changes).map(|(name, value)| format!("\n  {name} = {value}"));
    let lines = lines.collect::<String>();
    let except = if lines.is_empty() { "" } else { " except" };
    Ok(format!("valid: task {}, default settings{except}{lines}", task.name()))
}
