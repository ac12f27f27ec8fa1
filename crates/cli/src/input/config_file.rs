//! Configuration files: TOML in, with line and column of whatever is wrong, and TOML out, with every setting explained.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rl::config::Config;
use rl::settings::Settings;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::error::{Error, Result};
use crate::input::checkpoint_policy::Keeping;
use crate::input::device_name::DeviceName;
use crate::input::seeds::GREATEST;
use crate::input::{regular_file, task_name};

/// What a file holds at most, in bytes: hundreds of times what [`write`] makes, and less than a device without end.
const LIMIT: u64 = 1 << 20;

/// What a file may say besides settings.
pub(crate) const OTHER_KEYS: [&str; 4] = ["task", "seed", "init", "device"];

const EXPECTED: &str = "expected a configuration file in TOML";

/// A file that was read: keys and values, not yet understood.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    text: String,
    entries: Vec<Entry>,
}

/// A key and its value, each with the byte where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// The value: of a string its content, a whole number in decimal, of anything else what is written.
    pub(crate) value: String,
    /// Where the key begins.
    pub(crate) key_at: usize,
    /// Where the value begins.
    pub(crate) value_at: usize,
}

impl ConfigFile {
    /// Reads the file in the folder of a run.
    ///
    /// # Errors
    /// If it cannot be read or is not TOML.
    pub(crate) fn in_folder(path: &Path) -> Result<Self> {
        regular_file::open(path).map_err(|error| Error::file("read", path, &error, EXPECTED))?;
        Self::read(path)
    }

    /// Reads a file, or what comes from a pipe.
    ///
    /// # Errors
    /// If it cannot be read or is not TOML.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let error = |error| Error::file("read", path, &error, EXPECTED);
        Self::parse(path, text(path).map_err(error)?)
    }

    /// Understands the text of a file.
    ///
    /// # Errors
    /// If it is not TOML.
    pub(crate) fn parse(path: &Path, text: String) -> Result<Self> {
        let mut file = Self { path: path.into(), text, entries: Vec::new() };
        file.entries = match DeTable::parse(&file.text) {
            Ok(table) => table.get_ref().iter().map(|(key, value)| Entry::new(&file.text, key, value)).collect(),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return Err(file.error(at, format!("this is not TOML: {}", error.message())));
            }
        };
        Ok(file)
    }

    /// What is wrong at a byte of this file.
    pub(crate) fn error(&self, at: usize, message: impl std::fmt::Display) -> Error {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Error::input(format!("{}, line {line}, column {column}: {message}", self.path.display()))
    }

    /// The entries that are settings.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !OTHER_KEYS.contains(&entry.key.as_str()))
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Refuses a file that leaves out a setting: a run that goes on must not take a default where it had another value.
    ///
    /// # Errors
    /// If a setting of the run or of its checkpoints is missing.
    pub(crate) fn complete(&self) -> Result<()> {
        let mut names = Config::FIELDS.iter().chain(Keeping::FIELDS).map(|field| field.name);
        names.find(|name| self.find(name).is_none()).map_or(Ok(()), |name| {
            let path = self.path.display();
            Err(Error::input(format!(
                "{path}: there is no {name}; expected every setting, as gradus train wrote it: the file was cut off or \
                 changed, copy it again"
            )))
        })
    }

    /// The task.
    ///
    /// # Errors
    /// If there is none of the name that is given.
    pub(crate) fn task(&self) -> Result<&'static str> {
        let Some(entry) = self.find("task") else { return Ok(task_name::NAME) };
        task_name::parse(&entry.value).map_err(|error| self.error(entry.value_at, error))
    }

    /// The seed.
    ///
    /// # Errors
    /// If it is not a whole number.
    pub(crate) fn seed(&self) -> Result<Option<u64>> {
        let Some(entry) = self.find("seed") else { return Ok(None) };
        let seed = entry.value.parse().ok().filter(|&seed| seed <= GREATEST);
        let error = || format!("seed = {} is out of range: it takes whole numbers from 0 to {GREATEST}", entry.value);
        seed.map(Some).ok_or_else(|| self.error(entry.value_at, error()))
    }

    /// The device. A run's own file names none: it may go on on another.
    ///
    /// # Errors
    /// If there cannot be one of that name.
    pub(crate) fn device(&self) -> Result<Option<DeviceName>> {
        let Some(entry) = self.find("device") else { return Ok(None) };
        let error = |range| self.error(entry.value_at, format!("device = {} is out of range: {range}", entry.value));
        entry.value.parse().map(Some).map_err(error)
    }

    /// The checkpoint with the initial weights.
    pub(crate) fn init(&self) -> Option<PathBuf> {
        self.find("init").map(|entry| PathBuf::from(&entry.value))
    }
}

impl Entry {
    fn new(text: &str, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Self {
        let written = &text[value.span()];
        let content = match value.get_ref() {
            DeValue::String(content) => content.to_string(),
            // 0x10 is 16. What no number of any setting could be stays as it is written, for the error that names it.
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| written.replace('_', ""), |number| number.to_string()),
            DeValue::Float(_) => written.replace('_', ""),
            _ => written.to_owned(),
        };
        Self { key: key.get_ref().to_string(), value: content, key_at: key.span().start, value_at: value.span().start }
    }
}

/// What is in a file, or comes from a pipe.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LIMIT {
        true => Err(io::Error::other(format!("it holds more than {LIMIT} bytes"))),
        false => Ok(text),
    }
}

/// A complete file, from which [`ConfigFile::read`] gets the same run; of several seeds it names none.
pub(crate) fn write(seed: Option<u64>, init: Option<&Path>, config: &Config, keeping: &Keeping) -> String {
    let mut text = format!("# Written by gradus {}. Flags win over what is here.\n", env!("CARGO_PKG_VERSION"));
    let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("a String takes everything");
    line("task", &quoted(task_name::NAME));
    if let Some(seed) = seed {
        line("seed", &seed.to_string());
    }
    if let Some(init) = init {
        line("init", &quoted(&init.to_string_lossy()));
    }
    explain(config, &mut line);
    explain(keeping, &mut line);
    text
}

/// A line for each setting, under its meaning.
fn explain<C: Settings>(settings: &C, line: &mut impl FnMut(&str, &str)) {
    for field in C::FIELDS {
        let value = settings.get(field.name).expect("a setting of the table");
        line(&format!("\n# {} Takes {}.\n{}", field.doc, field.range, field.name), &bare(&value));
    }
}

/// A number or a truth value as it is, anything else as a string.
fn bare(value: &str) -> String {
    let is_bare = value.parse::<f64>().is_ok() || value.parse::<bool>().is_ok();
    if is_bare { value.to_owned() } else { quoted(value) }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
