//! `about.json`: which version of the folder this is, what made it, and on which machine.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use super::names::ABOUT;
use crate::error::{Error, Result};
use crate::input::regular_file;
use crate::output::timestamp;

/// The version of the folders that are written.
///
/// 1: config.toml, metrics.jsonl, model.safetensors, test.json and clock.json. It cannot be gone on with.
/// 2: about.json, episodes.jsonl and best.safetensors too, and checkpoints that know where the run stood.
pub(crate) const FORMAT: u32 = 2;

/// What a folder says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// The version of the folder.
    pub(crate) format: u32,
    /// The version of gradus that made it.
    pub(crate) version: String,
    /// The arguments that it was made with.
    pub(crate) arguments: Vec<String>,
    /// When it was made, in UTC.
    pub(crate) made: String,
    /// The machine.
    pub(crate) machine: Machine,
    /// Other kernels that have gone on with the run since, in their order.
    #[serde(default)]
    pub(crate) went_on: Vec<WentOn>,
    /// The seeds, if it holds the runs of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seeds: Option<Vec<u64>>,
}

/// Kernels that went on with what others had begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WentOn {
    /// When, in UTC.
    pub(crate) at: String,
    /// Their name.
    pub(crate) kernels: String,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Its operating system.
    pub(crate) system: String,
    /// Its architecture.
    pub(crate) architecture: String,
    /// Its processor, where the system says.
    pub(crate) processor: Option<String>,
    /// Threads that run at once.
    pub(crate) threads: usize,
    /// The kernels that computed; products of other kernels are rounded otherwise. Older folders do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernels: Option<String>,
}

impl About {
    /// What a folder made now says.
    pub(crate) fn now(seeds: Option<&[u64]>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect(),
            made: timestamp::now(),
            machine: Machine::this(),
            went_on: Vec::new(),
            seeds: seeds.map(<[u64]>::to_vec),
        }
    }

    /// What the folder says, or nothing if it is from before folders did.
    ///
    /// # Errors
    /// If the file cannot be understood, or is of a later version.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(ABOUT);
        if !path.exists() {
            return Ok(None);
        }
        let advice = "expected what gradus train writes there";
        let text = regular_file::read(&path).map_err(|error| Error::file("read", &path, &error, advice))?;
        let shown = path.display();
        let version: Version = serde_json::from_slice(&text)
            .map_err(|error| Error::input(format!("{shown} does not tell a version: {error}; {advice}")))?;
        if !(2..=FORMAT).contains(&version.format) {
            let Version { format, version } = version;
            return Err(Error::input(format!(
                "{} is a folder of version {format}, made by gradus {version}; this is gradus {}, which reads versions \
                 1 to {FORMAT}: use the gradus that made it, or a later one",
                folder.display(),
                env!("CARGO_PKG_VERSION"),
            )));
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| Error::input(format!("{shown}: {error}; {advice}")))
    }
}

impl About {
    /// Notes which kernels go on with the run now. Returns the name of the last ones if that is another.
    pub(crate) fn note_kernels(&mut self, now: &str) -> Option<String> {
        let last = self.went_on.last().map(|went_on| &went_on.kernels).or(self.machine.kernels.as_ref());
        let other = last.filter(|last| *last != now)?.clone();
        self.went_on.push(WentOn { at: timestamp::now(), kernels: now.to_owned() });
        Some(other)
    }
}

/// What every version of the file says.
#[derive(Deserialize)]
struct Version {
    format: u32,
    version: String,
}

impl Machine {
    fn this() -> Self {
        Self {
            system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processor: processor(),
            threads: available_parallelism().map_or(1, usize::from),
            kernels: tensor::default_kernels().ok().map(|kernels| kernels.name().to_owned()),
        }
    }
}

/// The name that Linux has for the first processor.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
