//! A folder as data, at any time: before its run is over, while it is written, or of a version that cannot be gone on
//! with.

use std::path::Path;

use rl::config::Config;
use rl::settings::Settings;

use super::about::About;
use super::episodes::EpisodesLine;
use super::metrics::{Line, UpdateLine, ValidationLine};
use super::names::{ABOUT, CLOCK, CONFIG, EPISODES, METRICS, TEST};
use super::outcome::Outcome;
use super::seconds::Seconds;
use super::seeds::{of_seed, seeds};
use super::{jsonl, metrics};
use crate::error::{Error, Result};
use crate::input::config_file::ConfigFile;
use crate::input::settings;

/// The runs of one configuration: one run, or those of several seeds.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// The folder's name.
    pub(crate) name: String,
    /// What the folder says about itself, from version 2 on.
    pub(crate) about: Option<About>,
    /// All settings.
    pub(crate) settings: Vec<Setting>,
    /// How many runs there are to be, if it is a folder of several seeds.
    pub(crate) seeds: Option<usize>,
    /// Those that have begun.
    pub(crate) runs: Vec<Record>,
}

/// A setting of these runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
    /// Its value.
    pub(crate) value: String,
    /// Its default.
    pub(crate) default: String,
}

/// What one run has left so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// Its seed.
    pub(crate) seed: u64,
    /// Its updates.
    pub(crate) updates: Vec<UpdateLine>,
    /// Its validations.
    pub(crate) validations: Vec<ValidationLine>,
    /// What its policy did at them, stage by stage.
    pub(crate) episodes: Vec<EpisodesLine>,
    /// How it ended, if it has.
    pub(crate) outcome: Option<Outcome>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
}

impl Runs {
    /// Reads a folder.
    ///
    /// # Errors
    /// If it holds no run, or a file of it cannot be understood.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let about = About::read(path)?;
        let seeds = seeds(path, about.as_ref());
        let folders = match &seeds {
            None => vec![path.to_owned()],
            Some(seeds) => seeds.iter().map(|&seed| of_seed(path, seed)).collect(),
        };
        let begun: Vec<_> = folders.into_iter().filter(|folder| folder.join(CONFIG).exists()).collect();
        let Some(config) =
            [path.join(CONFIG)].into_iter().chain(begun.first().map(|run| run.join(CONFIG))).find(|c| c.exists())
        else {
            return Err(nothing(path));
        };
        let file = ConfigFile::in_folder(&config)?;
        file.task()?;
        let mut settings = settings_of(&file)?;
        if let Some(init) = file.init() {
            let value = init.display().to_string();
            settings.push(Setting { name: "init", doc: "The initial weights.", value, default: String::new() });
        }
        let runs = begun.iter().map(|folder| Record::read(folder)).collect::<Result<_>>()?;
        Ok(Self { name: name(path), about, settings, seeds: seeds.map(|seeds| seeds.len()), runs })
    }

    /// The settings that are not at their defaults.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.value != setting.default)
    }

    /// A setting as a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.setting(name)?.parse().ok()
    }

    /// A setting.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
    }
}

impl Record {
    /// The update at which a stage opened, if it was not open from the start.
    pub(crate) fn opened(&self, stage: usize) -> Option<usize> {
        let at = self.updates.iter().position(|line| line.unlocked >= stage)?;
        (at > 0).then(|| self.updates[at].update)
    }

    fn read(folder: &Path) -> Result<Self> {
        let if_there = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let mut record = Self {
            seed: ConfigFile::in_folder(&folder.join(CONFIG))?.seed()?.unwrap_or(0),
            outcome: if_there(TEST).map(|path| Outcome::read(&path)).transpose()?,
            seconds: Seconds::read(&folder.join(CLOCK)).map(|clock| clock.seconds),
            ..Self::default()
        };
        for line in if_there(METRICS).map(|path| metrics::read(&path)).transpose()?.unwrap_or_default() {
            match line {
                Line::Update(line) => record.updates.push(line),
                Line::Validation(line) => record.validations.push(line),
            }
        }
        record.episodes =
            if_there(EPISODES).map(|path| jsonl::read(&path, "episodes")).transpose()?.unwrap_or_default();
        Ok(record)
    }
}

fn settings_of(file: &ConfigFile) -> Result<Vec<Setting>> {
    let ((config, _), default) = (settings::read(Some(file))?, Config::default());
    let value = |config: &Config, name| config.get(name).expect("a setting of the table");
    let setting = |field: &rl::settings::Field| Setting {
        name: field.name,
        doc: field.doc,
        value: value(&config, field.name),
        default: value(&default, field.name),
    };
    Ok(Config::FIELDS.iter().map(setting).collect())
}

fn nothing(path: &Path) -> Error {
    let shown = path.display();
    Error::input(match path.join(ABOUT).exists() {
        true => format!("{shown} has no run yet: there is no {CONFIG}; wait until its training has begun"),
        false => format!("{shown} holds no run: there is no {CONFIG}; name a folder that gradus train has written"),
    })
}

/// The last part of the path, of `.` too.
fn name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
