//! Loads a trained run from its folder.

use std::path::Path;

use tensor::Device;

use crate::error::{Error, Result, program, show_path};
use crate::folder::{About, CONFIG, MODEL, TABLE, no_run_error, seed_folder};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::input::tasks::Tasks;
use crate::run::Run;
use crate::run::checkpoint;
use crate::run::memory_check::{MemoryNeed, add_horizon, all_threads};

/// Reads the configuration of the run in `dir`.
///
/// # Errors
/// If the folder holds no run, or the runs of several seeds.
pub(crate) fn read_config(dir: &Path) -> Result<ConfigFile> {
    let path = dir.join(CONFIG);
    if dir.join(TABLE).exists() || About::read(dir)?.is_some_and(|about| about.seeds.is_some()) {
        return Err(Error::input(format!(
            "{} holds the runs of several seeds; name one of its subfolders, for example {}",
            show_path(dir),
            show_path(&seed_folder(dir, 0))
        )));
    }
    if !path.exists() {
        return Err(no_run_error(dir, CONFIG));
    }
    ConfigFile::read_regular(&path)
}

/// Loads the run in `dir` with the configuration `file` and the parameters in `checkpoint`, by default the last checkpoint.
/// `episodes` is the number of episodes per stage for the memory check, by default that of the run's test.
///
/// # Errors
/// If the checkpoint does not exist or does not fit the run, or the machine has too little memory.
pub(crate) fn load(
    dir: &Path,
    file: &ConfigFile,
    tasks: &Tasks,
    checkpoint: Option<&Path>,
    episodes: Option<usize>,
) -> Result<Run> {
    let task = file.task(tasks)?;
    let (config, _) = settings::read(Some(file), task)?;
    let (threads, episodes) = (all_threads(), episodes.unwrap_or(config.test_episodes));
    let bytes_per_run = rl::memory::evaluation_bytes(&*task.create(&config), &config, episodes, threads);
    let advice = add_horizon("use a machine with more memory, or pass fewer --episodes to eval", &task.spec(&config));
    MemoryNeed { activity: "playing", bytes_per_run, runs: 1, threads, advice }.check()?;
    let mut run = task.create_run(&config, file.seed()?.unwrap_or(0), Device::Host)?;
    let model = dir.join(MODEL);
    if checkpoint.is_none() && !model.exists() {
        let (dir, model) = (show_path(dir), show_path(&model));
        return Err(Error::input(format!(
            "{dir} holds no trained agent, because {model} does not exist; if training was interrupted, resume it with \
             {} train --resume",
            program()
        )));
    }
    checkpoint::load(checkpoint.unwrap_or(&model), &mut run)?;
    Ok(run)
}
