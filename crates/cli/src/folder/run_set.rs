//! Reads all files of a folder into one value. This works at any time: while a run is being written, after it, and for
//! format version 1, which cannot be resumed.

use std::path::Path;

use rl::config::Config;
use rl::settings::Settings;

use super::about::About;
use super::clock_file::ClockFile;
use super::episodes::EpisodesLine;
use super::file_names::{ABOUT, CLOCK, CONFIG, EPISODES, METRICS, TEST};
use super::metrics::{Line, UpdateLine, ValidationLine};
use super::outcome::Outcome;
use super::seeds::{list_seeds, seed_folder};
use super::{jsonl, metrics, no_run_error};
use crate::error::{Error, Result, show_path};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::input::tasks::{self, TaskChoice, Tasks};
use crate::score::Score;

/// The runs of one configuration: a single run, or the runs of several seeds.
#[derive(Clone, Debug)]
pub(crate) struct RunSet {
    /// Name of the folder.
    pub(crate) name: String,
    /// The task.
    pub(crate) task: TaskFacts,
    /// Contents of `about.json`, since format version 2.
    pub(crate) about: Option<About>,
    /// All settings.
    pub(crate) settings: Vec<Setting>,
    /// Number of planned runs, for a folder of several seeds.
    pub(crate) seeds: Option<usize>,
    /// The runs that have started.
    pub(crate) runs: Vec<RunRecord>,
}

/// The facts about the task that a reader of results needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskFacts {
    /// Name of the task.
    pub(crate) name: String,
    /// Caveat of the task.
    pub(crate) caveat: String,
    /// Score of the task.
    pub(crate) score: Score,
    /// Goal of each stage; empty texts if no solver knows them.
    pub(crate) goals: Vec<String>,
    /// True if the task lists its contexts, so that validations and tests play each once.
    pub(crate) lists_contexts: bool,
}

impl TaskFacts {
    fn new(task: TaskChoice, config: &Config) -> Self {
        let task = task.create(config);
        let spec = task.spec();
        Self {
            score: Score::new(&spec),
            goals: (0..spec.stages).map(|stage| tasks::goal(&*task, stage)).collect(),
            lists_contexts: task.all_contexts().is_some(),
            name: spec.name,
            caveat: spec.caveat,
        }
    }

    /// The number of stages.
    pub(crate) fn stages(&self) -> usize {
        self.goals.len()
    }
}

/// One setting of the runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Name of the setting.
    pub(crate) name: &'static str,
    /// Meaning of the setting.
    pub(crate) doc: &'static str,
    /// Value in these runs.
    pub(crate) value: String,
    /// Default value.
    pub(crate) default: String,
}

/// Everything that one run has written so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunRecord {
    /// Seed of the run.
    pub(crate) seed: u64,
    /// Metrics of each update.
    pub(crate) updates: Vec<UpdateLine>,
    /// Results of each validation.
    pub(crate) validations: Vec<ValidationLine>,
    /// Behaviour of the policy at each validation, one entry per stage.
    pub(crate) episodes: Vec<EpisodesLine>,
    /// Outcome, if the run has finished.
    pub(crate) outcome: Option<Outcome>,
    /// Duration in seconds, if known.
    pub(crate) seconds: Option<f64>,
}

impl RunSet {
    /// Reads a folder of one of these tasks.
    ///
    /// # Errors
    /// If the folder holds no run, or a file in it is invalid.
    pub(crate) fn read(path: &Path, tasks: &Tasks) -> Result<Self> {
        Self::read_with(path, |file| file.task(tasks))
    }

    /// Reads a folder of this task.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn read_of_task(path: &Path, task: TaskChoice) -> Result<Self> {
        Self::read_with(path, |_| Ok(task))
    }

    fn read_with(path: &Path, find: impl FnOnce(&ConfigFile) -> Result<TaskChoice>) -> Result<Self> {
        let about = About::read(path)?;
        let seeds = list_seeds(path, about.as_ref());
        let folders = match &seeds {
            None => vec![path.to_owned()],
            Some(seeds) => seeds.iter().map(|&seed| seed_folder(path, seed)).collect(),
        };
        let started: Vec<_> = folders.into_iter().filter(|folder| folder.join(CONFIG).exists()).collect();
        let Some(config) =
            [path.join(CONFIG)].into_iter().chain(started.first().map(|run| run.join(CONFIG))).find(|c| c.exists())
        else {
            return Err(no_config_error(path));
        };
        let file = ConfigFile::read_regular(&config)?;
        let task = find(&file)?;
        let (config, _) = settings::read(Some(&file), task)?;
        let mut settings = list_settings(&config, task);
        if let Some(init) = file.init() {
            let value = init.display().to_string();
            settings.push(Setting { name: "init", doc: "The initial weights.", value, default: String::new() });
        }
        let runs = started.iter().map(|folder| RunRecord::read(folder)).collect::<Result<_>>()?;
        Ok(Self {
            name: folder_name(path),
            task: TaskFacts::new(task, &config),
            about,
            settings,
            seeds: seeds.map(|seeds| seeds.len()),
            runs,
        })
    }

    /// Returns the settings that differ from their defaults.
    pub(crate) fn changed_settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.value != setting.default)
    }

    /// Returns the value of a setting as a number, if it is one.
    pub(crate) fn setting_as_number(&self, name: &str) -> Option<f64> {
        self.setting(name)?.parse().ok()
    }

    /// Returns the value of a setting.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
    }
}

impl RunRecord {
    /// Returns the update at which a stage was unlocked, unless it was unlocked from the start.
    pub(crate) fn stage_unlocked_at(&self, stage: usize) -> Option<usize> {
        let at = self.updates.iter().position(|line| line.unlocked >= stage)?;
        (at > 0).then(|| self.updates[at].update)
    }

    /// Reads the files of one run.
    fn read(folder: &Path) -> Result<Self> {
        let existing = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let mut record = Self {
            seed: ConfigFile::read_regular(&folder.join(CONFIG))?.seed()?.unwrap_or(0),
            outcome: existing(TEST).map(|path| Outcome::read(&path)).transpose()?,
            seconds: ClockFile::read(&folder.join(CLOCK)).map(|clock| clock.seconds),
            ..Self::default()
        };
        for line in existing(METRICS).map(|path| metrics::read(&path)).transpose()?.unwrap_or_default() {
            match line {
                Line::Update(line) => record.updates.push(line),
                Line::Validation(line) => record.validations.push(line),
            }
        }
        record.episodes =
            existing(EPISODES).map(|path| jsonl::read(&path, "episodes")).transpose()?.unwrap_or_default();
        Ok(record)
    }
}

/// Lists all settings of a task, with their defaults.
fn list_settings(config: &Config, task: TaskChoice) -> Vec<Setting> {
    let default = task.default_config();
    let value = |config: &Config, name| config.get(name).expect("a setting of the table");
    let setting = |field: &rl::settings::Field| Setting {
        name: field.name,
        doc: field.doc,
        value: value(config, field.name),
        default: value(&default, field.name),
    };
    Config::FIELDS.iter().filter(|field| task.check_setting(field).is_ok()).map(setting).collect()
}

/// Creates the error of a folder without a configuration.
fn no_config_error(path: &Path) -> Error {
    match path.join(ABOUT).exists() {
        true => Error::input(format!(
            "{} holds no run yet, because it has no {CONFIG}; wait until training has started",
            show_path(path)
        )),
        false => no_run_error(path, CONFIG),
    }
}

/// Returns the last part of the absolute path, so that `.` has a name too.
fn folder_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
