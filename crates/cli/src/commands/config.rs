//! `gradus config`: all settings with their meaning, as a file to begin with; and whether a file is right.

use rl::config::Config;

use crate::args::ConfigArgs;
use crate::error::Result;
use crate::file::{self, ConfigFile};
use crate::keeping::Keeping;
use crate::{settings, show};

/// Does what the arguments say.
///
/// # Errors
/// If the file is not right.
pub(crate) fn config(args: &ConfigArgs) -> Result<()> {
    match &args.check {
        Some(path) => show(check(&ConfigFile::read(path)?)?),
        None => show(file::write(Some(0), None, &Config::default(), &Keeping::default()).trim_end()),
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
