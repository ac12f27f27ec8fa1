//! A run that was trained before, loaded from its folder.

use std::path::Path;

use gpu_train::Run;
use tensor::Device;

use crate::error::{Error, Result};
use crate::folder::{About, CONFIG, MODEL, TABLE};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::run::checkpoint;
use crate::run::memory_check::{Need, all_threads};

/// The configuration of the run in `dir`.
///
/// # Errors
/// If it holds none, or several.
pub(crate) fn config_of(dir: &Path) -> Result<ConfigFile> {
    let (path, name) = (dir.join(CONFIG), dir.display());
    if dir.join(TABLE).exists() || About::read(dir)?.is_some_and(|about| about.seeds.is_some()) {
        return Err(Error::input(format!("{name} holds the runs of several seeds; name one, as in {name}/seed-0")));
    }
    if !path.exists() {
        let path = path.display();
        return Err(Error::input(format!(
            "{name} holds no run: there is no {path}; name a folder that gradus train has written"
        )));
    }
    ConfigFile::in_folder(&path)
}

/// The run in `dir`, whose configuration is `file`, with the parameters in `checkpoint` or else its last ones, to play so many
/// episodes of a stage, or as many as its test has.
///
/// # Errors
/// If there are none, or they do not fit, or the machine has too little memory.
pub(crate) fn load(
    dir: &Path,
    file: &ConfigFile,
    checkpoint: Option<&Path>,
    episodes: Option<usize>,
) -> Result<Run<f32>> {
    file.task()?;
    let (config, _) = settings::read(Some(file))?;
    let (threads, episodes) = (all_threads(), episodes.unwrap_or(config.test_episodes));
    let each = rl::memory::of_evaluation(&config, episodes, threads);
    let advice = "use a machine that has more, or let eval play fewer --episodes";
    Need { what: "playing", each, runs: 1, threads, advice }.check()?;
    let mut run =
        gpu_train::run(&config, file.seed()?.unwrap_or(0), Device::Host).expect("the host takes all settings");
    let model = dir.join(MODEL);
    if checkpoint.is_none() && !model.exists() {
        let (dir, model) = (dir.display(), model.display());
        return Err(Error::input(format!(
            "{dir} holds no trained agent: there is no {model}; was its training interrupted?"
        )));
    }
    checkpoint::load(checkpoint.unwrap_or(&model), &mut run)?;
    Ok(run)
}
