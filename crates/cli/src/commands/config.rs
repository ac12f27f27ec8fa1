//! `gradus config`: all settings with their meaning, as a file to begin with; and whether a file is right.

use rl::config::Config;
use rl::settings::Settings;
use rl::tutorial::TutorialConfig;

use crate::args::ConfigArgs;
use crate::error::Result;
use crate::file::{self, ConfigFile};
use crate::keeping::Keeping;
use crate::settings::{self, Flags};
use crate::show;
use crate::task::TaskName;

/// Does what the arguments say.
///
/// # Errors
/// If the file is not right.
pub(crate) fn config(args: &ConfigArgs) -> Result<()> {
    match &args.check {
        Some(path) => show(check(&ConfigFile::read(path)?)?),
        None => match args.task.unwrap_or(TaskName::ALL[0]) {
            task @ TaskName::Calculator => print::<Config>(task),
            task @ TaskName::Tutorial => print::<TutorialConfig>(task),
        },
    }
}

fn print<C: Settings>(task: TaskName) -> Result<()> {
    show(file::write(task, Some(0), None, &C::default(), &Keeping::default()).trim_end())
}

/// What there is to say about a file that is right.
///
/// # Errors
/// If it is not.
pub(crate) fn check(file: &ConfigFile) -> Result<String> {
    match file.task()?.unwrap_or(TaskName::ALL[0]) {
        task @ TaskName::Calculator => verdict::<Config>(task, file),
        task @ TaskName::Tutorial => verdict::<TutorialConfig>(task, file),
    }
}

fn verdict<C: Settings>(task: TaskName, file: &ConfigFile) -> Result<String> {
    let (config, keeping) = settings::merge::<C>(task, Some(file), &Flags::default())?;
    let seed = file.seed()?.map(|seed| ("seed", seed.to_string()));
    let init = file.init().map(|path| ("init", path.display().to_string()));
    let device = file.device()?.map(|device| ("device", device.to_string()));
    let changes = settings::changes(&config).into_iter().chain(settings::changes(&keeping));
    let lines =
        seed.into_iter().chain(init).chain(device).chain(changes).map(|(name, value)| format!("\n  {name} = {value}"));
    let lines = lines.collect::<String>();
    let but = if lines.is_empty() { "" } else { ", but for" };
    Ok(format!("right: task {}, default settings{but}{lines}", task.name()))
}
