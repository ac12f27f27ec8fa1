//! Configuration files in TOML. Reading reports errors with line and column. Writing explains every setting in a comment.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rl::config::Config;
use rl::settings::{Setting, Settings};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::error::{Error, Result, program, show_path};
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::input::device_name::DeviceName;
use crate::input::numbers::MAX_SEED;
use crate::input::tasks::{TaskChoice, Tasks};
use crate::input::{regular_file, settings};

/// Maximum size of a file in bytes: hundreds of times the output of [`render`]. It stops reading from an endless device.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Keys that are not settings.
pub(crate) const NON_SETTING_KEYS: [&str; 4] = ["task", "seed", "init", "device"];

/// Settings that files of format version 2 lack if an earlier gradus wrote them. Their defaults are what it did.
const LATER_SETTINGS: [&str; 6] =
    ["memory", "encoder_layers", "critic", "segment", "normalize_observations", "normalize_rewards"];

const EXPECTED: &str = "expected a configuration file in TOML";

/// A parsed file: keys and values that are not validated yet.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    text: String,
    entries: Vec<Entry>,
}

/// A key and its value, each with its byte offset in the file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Name of the key.
    pub(crate) key: String,
    /// Value as text: the content of a string, an integer in decimal, anything else as it is written.
    pub(crate) value: String,
    /// Byte offset of the key.
    pub(crate) key_offset: usize,
    /// Byte offset of the value.
    pub(crate) value_offset: usize,
    /// True for a table, such as `[model]`.
    is_section: bool,
}

impl ConfigFile {
    /// Reads the configuration of a run folder. The file must be a regular file.
    ///
    /// # Errors
    /// If the file cannot be read or is not TOML.
    pub(crate) fn read_regular(path: &Path) -> Result<Self> {
        regular_file::open(path).map_err(|error| Error::file("read", path, &error, EXPECTED))?;
        Self::read(path)
    }

    /// Reads a file or a pipe.
    ///
    /// # Errors
    /// If the file cannot be read or is not TOML.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let error = |error| Error::file("read", path, &error, EXPECTED);
        Self::parse(path, read_text(path).map_err(error)?)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// If the text is not TOML.
    pub(crate) fn parse(path: &Path, text: String) -> Result<Self> {
        let mut file = Self { path: path.into(), text, entries: Vec::new() };
        file.entries = match DeTable::parse(&file.text) {
            Ok(table) => table.get_ref().iter().map(|(key, value)| Entry::new(&file.text, key, value)).collect(),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = file.explain_unquoted(offset).unwrap_or_else(|| match error.message() {
                    "duplicate key" => {
                        format!("invalid TOML: duplicate key {}", &file.text[error.span().unwrap_or_default()])
                    }
                    message => format!("invalid TOML: {message}"),
                });
                return Err(file.error_at(offset, message));
            }
        };
        match file.entries.iter().find(|entry| entry.is_section) {
            None => Ok(file),
            Some(Entry { key, key_offset, .. }) => Err(file.error_at(
                *key_offset,
                format!(
                    "{key} is a table, but a configuration file has no sections; write each setting as name = value"
                ),
            )),
        }
    }

    /// Explains a syntax error in a value without quotes, such as `actions = tools`. `None` for any other syntax error.
    fn explain_unquoted(&self, offset: usize) -> Option<String> {
        let start = self.text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next()?.split('#').next()?;
        let (key, value) = line.split_once('=').filter(|(key, _)| start + key.len() < offset)?;
        let (key, value) = (key.trim(), value.trim());
        let is_word = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "_-+.:/".contains(c));
        let is_number = value.parse::<f64>().is_ok();
        (is_word && !is_number).then(|| match key {
            "seed" => describe_seed_fault(value),
            _ => settings::find_fault(key, value).map_or_else(
                || format!("{key} = {value} lacks quotes; write {key} = {}", quote(value)),
                |fault| fault.to_string(),
            ),
        })
    }

    /// Creates an error with the line and column of a byte offset.
    pub(crate) fn error_at(&self, offset: usize, message: impl std::fmt::Display) -> Error {
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Error::input(format!("{}, line {line}, column {column}: {message}", show_path(&self.path)))
    }

    /// Returns the entries that are settings.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !NON_SETTING_KEYS.contains(&entry.key.as_str()))
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Checks that the file contains every setting of `task`, because a resumed run must not replace a lost value by a default.
    /// Files of earlier versions lack the settings in [`LATER_SETTINGS`].
    ///
    /// # Errors
    /// If a setting of the run or of its checkpoints is missing.
    pub(crate) fn require_complete(&self, task: TaskChoice) -> Result<()> {
        let fields = Config::FIELDS.iter().chain(CheckpointPolicy::FIELDS);
        let mut names = fields.filter(|field| task.check_setting(field).is_ok()).map(|field| field.name);
        names.find(|name| self.find(name).is_none() && !LATER_SETTINGS.contains(name)).map_or(Ok(()), |name| {
            let path = show_path(&self.path);
            Err(Error::input(format!(
                "{path}: the setting {name} is missing; expected all settings, because the file was written by gradus train; \
                 it was truncated or changed, so restore it from a copy"
            )))
        })
    }

    /// Returns the task. A file without the key means the default of `tasks`.
    ///
    /// # Errors
    /// If no task of that name exists.
    pub(crate) fn task(&self, tasks: &Tasks) -> Result<TaskChoice> {
        let Some(entry) = self.find("task") else { return Ok(tasks.default_task()) };
        tasks.find(&entry.value).map_err(|error| self.error_at(entry.value_offset, error))
    }

    /// Returns the task of a new run: that of the file, or the one that `--task` names if the file names none.
    ///
    /// # Errors
    /// If a task does not exist, or the two differ.
    pub(crate) fn task_with_flag(&self, flag: Option<&str>, tasks: &Tasks) -> Result<TaskChoice> {
        let Some(entry) = self.find("task") else { return tasks.choose(flag) };
        let own = self.task(tasks)?;
        let flag = flag.map_or(Ok(own), |name| tasks.choose(Some(name)))?;
        if own.name() == flag.name() {
            return Ok(own);
        }
        let (own, flag, program) = (own.name(), flag.name(), program());
        Err(self.error_at(
            entry.value_offset,
            format!(
                "these are settings of the task {own}, but --task is {flag}; leave out --task to train {own}, or write a \
                 file for {flag} with: {program} config --task {flag}"
            ),
        ))
    }

    /// Returns the seed, if the file sets one.
    ///
    /// # Errors
    /// If the seed is not a whole number in its range.
    pub(crate) fn seed(&self) -> Result<Option<u64>> {
        let Some(entry) = self.find("seed") else { return Ok(None) };
        let seed = entry.value.parse().ok().filter(|&seed| seed <= MAX_SEED);
        seed.map(Some).ok_or_else(|| self.error_at(entry.value_offset, describe_seed_fault(&entry.value)))
    }

    /// Returns the device, if the file sets one. The file that a run writes sets none, because a run may be resumed on another
    /// device.
    ///
    /// # Errors
    /// If the value is not the name of a device.
    pub(crate) fn device(&self) -> Result<Option<DeviceName>> {
        let Some(entry) = self.find("device") else { return Ok(None) };
        let error =
            |expected| self.error_at(entry.value_offset, format!("device = {} is invalid: {expected}", entry.value));
        entry.value.parse().map(Some).map_err(error)
    }

    /// Returns the path of the checkpoint with the initial weights, if the file sets one.
    pub(crate) fn init(&self) -> Option<PathBuf> {
        self.find("init").map(|entry| PathBuf::from(&entry.value))
    }
}

impl Entry {
    fn new(text: &str, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> Self {
        let written = &text[value.span()];
        let content = match value.get_ref() {
            DeValue::String(content) => content.to_string(),
            // 0x10 becomes 16. A number too large for any setting stays as written, so that the error can show it.
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| written.replace('_', ""), |number| number.to_string()),
            DeValue::Float(_) => written.replace('_', ""),
            _ => written.to_owned(),
        };
        Self {
            key: key.get_ref().to_string(),
            value: content,
            key_offset: key.span().start,
            value_offset: value.span().start,
            is_section: matches!(value.get_ref(), DeValue::Table(_)),
        }
    }
}

fn describe_seed_fault(value: &str) -> String {
    let fault = usize::describe_fault(value);
    format!("seed = {value} is {fault}: it takes whole numbers from 0 to {MAX_SEED}")
}

/// Reads all text of a file or a pipe, up to [`MAX_FILE_BYTES`].
fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MAX_FILE_BYTES {
        true => Err(io::Error::other(format!("the file has more than {MAX_FILE_BYTES} bytes"))),
        false => Ok(text),
    }
}

/// Formats a complete file that describes the same run when read again. `seed` is `None` for several seeds.
pub(crate) fn render(
    task: TaskChoice,
    seed: Option<u64>,
    init: Option<&Path>,
    config: &Config,
    checkpoint_policy: &CheckpointPolicy,
) -> String {
    let mut text = format!("# Written by gradus {}. Flags override these values.\n", env!("CARGO_PKG_VERSION"));
    let mut line = |key: &str, value: &str| writeln!(text, "{key} = {value}").expect("a String takes everything");
    line("task", &quote(&task.name()));
    if let Some(seed) = seed {
        line("seed", &seed.to_string());
    }
    if let Some(init) = init {
        line("init", &quote(&init.to_string_lossy()));
    }
    push_settings(config, task, &mut line);
    push_settings(checkpoint_policy, task, &mut line);
    text
}

/// Writes each setting of the task on a line below a comment with its meaning.
fn push_settings<C: Settings>(settings: &C, task: TaskChoice, line: &mut impl FnMut(&str, &str)) {
    for field in C::FIELDS.iter().filter(|field| task.check_setting(field).is_ok()) {
        let value = settings.get(field.name).expect("a setting of the table");
        line(&format!("\n# {} Takes {}.\n{}", field.doc, field.range, field.name), &to_toml_value(&value));
    }
}

/// Formats a number or a boolean as it is, and anything else as a string.
fn to_toml_value(value: &str) -> String {
    let is_bare = value.parse::<f64>().is_ok() || value.parse::<bool>().is_ok();
    if is_bare { value.to_owned() } else { quote(value) }
}

fn quote(text: &str) -> String {
    toml::Value::from(text).to_string()
}
