//! Settings from three sources: defaults, then the configuration file, then flags. The tables that `rl::settings!` declares
//! define every flag, its help and its errors.

use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use rl::config::Config;
use rl::settings::{Field, SettingError, Settings};

use crate::error::{Error, Result, suggest_name};
use crate::input::checkpoint_policy::CheckpointPolicy;
use crate::input::config_file::{ConfigFile, NON_SETTING_KEYS};
use crate::input::tasks::TaskChoice;

/// Settings of the table `C` that were given as flags, as names and values.
#[derive(Clone, Debug)]
pub(crate) struct Flags<C> {
    given: Vec<(&'static str, String)>,
    table: PhantomData<C>,
}

impl<C: Settings> Flags<C> {
    /// Checks that a task has the given settings.
    ///
    /// # Errors
    /// If a setting belongs to another task.
    pub(crate) fn check_task(&self, task: TaskChoice) -> Result<()> {
        let mut given = C::FIELDS.iter().filter(|field| self.given.iter().any(|(name, _)| *name == field.name));
        let check =
            |field: &Field| task.check_setting(field).map_err(|error| format!("{}: {error}", to_flag(field.name)));
        given.try_for_each(check).map_err(Error::input)
    }

    /// Writes the given settings to `config`.
    ///
    /// # Errors
    /// If a value is outside its setting's range. Also if it becomes zero or leaves the range when rounded to `f32`, the type
    /// in which the command computes.
    pub(crate) fn apply(&self, config: &mut C) -> Result<()> {
        self.given.iter().try_for_each(|(name, value)| {
            let set = config.set(name, value).and_then(|()| config.check::<f32>());
            set.map_err(|error| Error::input(describe_flag_fault(name, value, error)))
        })
    }
}

impl<C: Settings> Args for Flags<C> {
    fn augment_args(command: Command) -> Command {
        let default = C::default();
        C::FIELDS.iter().fold(command, |command, field| command.arg(to_arg(field, &default)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Settings> FromArgMatches for Flags<C> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given = |field: &Field| Some((field.name, matches.get_one::<String>(field.name)?.clone()));
        Ok(Self { given: C::FIELDS.iter().filter_map(given).collect(), table: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Describes an invalid value of a flag, in the words of `clap` for other flags.
fn describe_flag_fault(name: &str, value: &str, error: SettingError) -> String {
    let (fault, range) = match error {
        SettingError::Unknown { .. } => return error.to_string(),
        SettingError::Invalid { fault, range, .. } => (format!("is {fault}"), range),
        SettingError::Rounded { reason, range, .. } => (reason, range),
    };
    format!("invalid value '{value}' for '{} <VALUE>': it {fault}; expected {range}", to_flag(name))
}

/// Returns the flag of a setting, with dashes.
pub(crate) fn to_flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// Other names of flags: a shorter one, and the one that says what most people look for.
const ALIASES: [(&str, &str); 2] = [("max_updates", "updates"), ("memory", "model")];

/// Creates the flag of a setting, with its help text.
fn to_arg<C: Settings>(field: &'static Field, default: &C) -> Arg {
    let default = default.get(field.name).expect("a setting of the table");
    Arg::new(field.name)
        .long(field.name.replace('_', "-"))
        .visible_aliases(ALIASES.into_iter().filter(|(name, _)| *name == field.name).map(|(_, alias)| alias))
        .value_name("VALUE")
        .help_heading(field.heading)
        .help(format!("{} Takes {} [default: {default}]", field.doc, field.range))
}

/// Reads the settings of a run of `task` and of its checkpoints from a configuration file, or returns the task's defaults
/// without a file.
///
/// # Errors
/// If a setting does not exist or belongs to another task, or a value is outside its setting's range. Also if it becomes zero or leaves the range when
/// rounded to `f32`, the type in which the command computes.
pub(crate) fn read(file: Option<&ConfigFile>, task: TaskChoice) -> Result<(Config, CheckpointPolicy)> {
    let (mut config, mut checkpoint_policy) = (task.default_config(), CheckpointPolicy::default());
    for (file, entry) in file.iter().flat_map(|file| file.settings().map(move |entry| (file, entry))) {
        if let Some(field) = Config::FIELDS.iter().find(|field| field.name == entry.key) {
            task.check_setting(field).map_err(|error| file.error_at(entry.key_offset, error))?;
        }
        set(&mut config, &mut checkpoint_policy, &entry.key, &entry.value).map_err(|error| match error {
            SettingError::Unknown { name } => {
                let names = Config::FIELDS
                    .iter()
                    .chain(CheckpointPolicy::FIELDS)
                    .map(|field| field.name)
                    .chain(NON_SETTING_KEYS);
                file.error_at(entry.key_offset, format!("there is no setting {name}{}", suggest_name(&name, names)))
            }
            invalid => file.error_at(entry.value_offset, invalid),
        })?;
    }
    Ok((config, checkpoint_policy))
}

/// Writes a setting to the table that has it.
fn set(
    config: &mut Config,
    checkpoint_policy: &mut CheckpointPolicy,
    key: &str,
    value: &str,
) -> std::result::Result<(), SettingError> {
    match checkpoint_policy.set(key, value) {
        Err(SettingError::Unknown { .. }) => config.set(key, value).and_then(|()| config.check::<f32>()),
        result => result,
    }
}

/// Returns the error of a value that its setting does not allow. `None` for an allowed value, or if there is no such setting.
pub(crate) fn find_fault(key: &str, value: &str) -> Option<SettingError> {
    let error = set(&mut Config::default(), &mut CheckpointPolicy::default(), key, value).err();
    error.filter(|error| !matches!(error, SettingError::Unknown { .. }))
}

/// Returns the settings that differ from these defaults, as names and values.
pub(crate) fn changed_settings<C: Settings>(config: &C, default: &C) -> Vec<(&'static str, String)> {
    let changed = |field: &&Field| config.get(field.name) != default.get(field.name);
    let value = |field: &Field| (field.name, config.get(field.name).expect("a setting of the table"));
    C::FIELDS.iter().filter(changed).map(value).collect()
}
