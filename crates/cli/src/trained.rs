//! A run that was trained before, loaded from its folder.

use std::path::Path;

use crate::error::{Error, Result};
use crate::file::ConfigFile;
use crate::folder::{About, CONFIG, MODEL, TABLE};
use crate::memory::{Need, all_threads};
use crate::settings::{self, Flags};
use crate::training::Training;
use crate::weights;

/// A run with the parameters of one of its checkpoints.
pub(crate) struct Trained<R: Training> {
    /// The run.
    pub(crate) run: R,
    /// Its settings.
    pub(crate) config: R::Config,
}

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
pub(crate) fn load<R: Training>(
    dir: &Path,
    file: &ConfigFile,
    checkpoint: Option<&Path>,
    episodes: Option<usize>,
) -> Result<Trained<R>> {
    let (config, _) = settings::merge::<R::Config>(R::TASK, Some(file), &Flags::default())?;
    let (threads, episodes) = (all_threads(), episodes.unwrap_or_else(|| R::test_episodes(&config)));
    let each = R::memory_of_evaluation(&config, episodes, threads);
    let advice = "use a machine that has more, or let eval play fewer --episodes";
    Need { what: "playing", each, runs: 1, threads, advice }.check()?;
    let mut run = R::new(&config, file.seed()?.unwrap_or(0));
    let model = dir.join(MODEL);
    if checkpoint.is_none() && !model.exists() {
        let (dir, model) = (dir.display(), model.display());
        return Err(Error::input(format!(
            "{dir} holds no trained agent: there is no {model}; was its training interrupted?"
        )));
    }
    weights::load(checkpoint.unwrap_or(&model), &config, &mut run)?;
    Ok(Trained { run, config })
}
