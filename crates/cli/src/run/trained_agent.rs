//! Loads a trained run from its folder.

use std::path::Path;

use gpu_train::Run;
use tensor::Device;

use crate::error::{Error, Result, show_path};
use crate::folder::{About, CONFIG, MODEL, TABLE, no_run_error, seed_folder};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::run::checkpoint;
use crate::run::memory_check::{MemoryNeed, all_threads};

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
    checkpoint: Option<&Path>,
    episodes: Option<usize>,
) -> Result<Run<f32>> {
    file.task()?;
    let (config, _) = settings::read(Some(file))?;
    let (threads, episodes) = (all_threads(), episodes.unwrap_or(config.test_episodes));
    let bytes_per_run = rl::memory::evaluation_bytes(&config, episodes, threads);
    let advice = "use a machine with more memory, or pass fewer --episodes to eval";
    MemoryNeed { activity: "playing", bytes_per_run, runs: 1, threads, advice }.check()?;
    let mut run =
        gpu_train::run(&config, file.seed()?.unwrap_or(0), Device::Host).expect("the CPU supports all settings");
    let model = dir.join(MODEL);
    if checkpoint.is_none() && !model.exists() {
        let (dir, model) = (show_path(dir), show_path(&model));
        return Err(Error::input(format!(
            "{dir} holds no trained agent, because {model} does not exist; if training was interrupted, resume it with \
             gradus train --resume"
        )));
    }
    checkpoint::load(checkpoint.unwrap_or(&model), &mut run)?;
    Ok(run)
}
