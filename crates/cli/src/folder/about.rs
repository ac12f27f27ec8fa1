//! `about.json`: the format version of the folder, the command that created it, and the machine.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use super::file_names::ABOUT;
use super::outcome::Outcome;
use crate::error::{Error, Result, show_path};
use crate::input::regular_file;
use crate::output::timestamp;

/// Format version of new folders.
///
/// 1: config.toml, metrics.jsonl, model.safetensors, test.json and clock.json. Such a run cannot be resumed.
/// 2: adds about.json, episodes.jsonl and best.safetensors. Checkpoints hold the state of the run, so it can be resumed.
pub(crate) const FORMAT: u32 = 2;

/// Contents of `about.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Format version of the folder.
    pub(crate) format: u32,
    /// Version of gradus that created the folder.
    pub(crate) version: String,
    /// Command-line arguments that created the folder.
    pub(crate) arguments: Vec<String>,
    /// Time of creation, in UTC.
    pub(crate) made: String,
    /// Machine on which it was created.
    pub(crate) machine: Machine,
    /// Later changes of the kernels, in order of time.
    #[serde(default)]
    pub(crate) went_on: Vec<KernelChange>,
    /// Later changes of the settings, in order of time.
    #[serde(default)]
    pub(crate) changes: Vec<SettingsChange>,
    /// Seeds of a folder of several runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seeds: Option<Vec<u64>>,
}

/// A resume of the run with different kernels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KernelChange {
    /// Time, in UTC.
    pub(crate) at: String,
    /// Name of the new kernels.
    pub(crate) kernels: String,
}

/// A resume of the run with other settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SettingsChange {
    /// Time, in UTC.
    pub(crate) at: String,
    /// The changed settings.
    pub(crate) settings: Vec<ChangedSetting>,
    /// Outcome before the change, if the run had finished.
    pub(crate) outcome: Option<Outcome>,
}

/// A setting with its values before and after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChangedSetting {
    /// Name of the setting.
    pub(crate) name: String,
    /// Value before.
    pub(crate) from: String,
    /// Value after.
    pub(crate) to: String,
}

/// Description of a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Operating system.
    pub(crate) system: String,
    /// CPU architecture.
    pub(crate) architecture: String,
    /// CPU name, if the system tells it.
    pub(crate) processor: Option<String>,
    /// Number of hardware threads.
    pub(crate) threads: usize,
    /// Name of the kernels that computed. Other kernels round products differently. Absent in older folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernels: Option<String>,
}

impl About {
    /// Describes a folder that this process creates now.
    pub(crate) fn now(seeds: Option<&[u64]>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect(),
            made: timestamp::now(),
            machine: Machine::detect(),
            went_on: Vec::new(),
            changes: Vec::new(),
            seeds: seeds.map(<[u64]>::to_vec),
        }
    }

    /// Reads `about.json`. Returns `None` if the file does not exist, as in version 1.
    ///
    /// # Errors
    /// If the file is invalid, or of a later format version.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(ABOUT);
        if !path.exists() {
            return Ok(None);
        }
        let advice = "expected the file that gradus train writes";
        let text = regular_file::read(&path).map_err(|error| Error::file("read", &path, &error, advice))?;
        let shown = show_path(&path);
        let version: Version = serde_json::from_slice(&text)
            .map_err(|error| Error::input(format!("{shown} holds no format version: {error}; {advice}")))?;
        if !(2..=FORMAT).contains(&version.format) {
            let Version { format, version } = version;
            return Err(Error::input(format!(
                "{} has format version {format}, from gradus {version}; this gradus {} reads format versions 1 to {FORMAT}; \
                 use gradus {version} or later",
                show_path(folder),
                env!("CARGO_PKG_VERSION"),
            )));
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| Error::input(format!("{shown}: {error}; {advice}")))
    }
}

impl About {
    /// Records a change of kernels. Returns the name of the previous kernels if `now` differs from it.
    pub(crate) fn record_kernel_change(&mut self, now: &str) -> Option<String> {
        let last = self.went_on.last().map(|went_on| &went_on.kernels).or(self.machine.kernels.as_ref());
        let other = last.filter(|last| *last != now)?.clone();
        self.went_on.push(KernelChange { at: timestamp::now(), kernels: now.to_owned() });
        Some(other)
    }

    /// Records a change of settings. `recorded` returns the value of a setting in `config.toml`. If that lacks the last change,
    /// the process that recorded the change ended too early: its entry is removed, and its outcome moves to the new one.
    pub(crate) fn record_settings_change(
        &mut self,
        recorded: &dyn Fn(&str) -> Option<String>,
        settings: &[ChangedSetting],
        outcome: Option<&Outcome>,
    ) {
        let differs = |change: &ChangedSetting| recorded(&change.name).as_ref() != Some(&change.to);
        let undone = self.changes.pop_if(|last| last.settings.iter().any(differs));
        if !settings.is_empty() {
            let outcome = undone.and_then(|undone| undone.outcome).or_else(|| outcome.cloned());
            self.changes.push(SettingsChange { at: timestamp::now(), settings: settings.to_vec(), outcome });
        }
    }
}

/// The fields that every version of the file has.
#[derive(Deserialize)]
struct Version {
    format: u32,
    version: String,
}

impl Machine {
    fn detect() -> Self {
        Self {
            system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processor: processor_name(),
            threads: available_parallelism().map_or(1, usize::from),
            kernels: tensor::default_kernels().ok().map(|kernels| kernels.name().to_owned()),
        }
    }
}

/// Returns the model name of the first CPU from `/proc/cpuinfo`. `None` on other systems than Linux.
pub(crate) fn processor_name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
