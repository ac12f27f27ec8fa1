//! Settings from their three sources: defaults, then the configuration file, then flags. Every flag, its help and its
//! errors come from the tables in `rl`.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use rl::settings::{Field, SettingError, Settings};

use crate::error::{Error, Result, suggestion};
use crate::file::ConfigFile;
use crate::keeping::Keeping;
use crate::task::TaskName;

/// The settings that were given as flags, as name and value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(Vec<(&'static str, String)>);

impl Flags {
    /// Whether none was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        all_fields().fold(command, |command, field| command.arg(flag(field)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given = |field: &Field| Some((field.name, matches.get_one::<String>(field.name)?.clone()));
        Ok(Self(all_fields().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The settings of all tasks, each name once, then those of [`Keeping`].
fn all_fields() -> impl Iterator<Item = &'static Field> {
    let [first, second] = TaskName::ALL.map(TaskName::fields);
    let is_new = |field: &&Field| first.iter().all(|other| other.name != field.name);
    first.iter().chain(second.iter().filter(is_new)).chain(Keeping::FIELDS)
}

fn flag(field: &'static Field) -> Arg {
    let (heading, default) = match Keeping::default().get(field.name) {
        Some(default) => ("What is kept", format!("default: {default}")),
        None => {
            let default = |task: TaskName| Some(format!("{}: {}", task.name(), task.default_of(field.name)?));
            let defaults: Vec<_> = TaskName::ALL.into_iter().filter_map(default).collect();
            ("Settings", format!("default for {}", defaults.join(", ")))
        }
    };
    Arg::new(field.name)
        .long(field.name.replace('_', "-"))
        .value_name("VALUE")
        .allow_negative_numbers(true)
        .help_heading(heading)
        .help(format!("{} Takes {} [{default}]", field.doc, field.range))
}

/// The settings of a run of `task`, and what it keeps.
///
/// # Errors
/// If a source names a setting that this task does not have, or gives one a value that it does not take, or that f32, in
/// which the command computes, rounds to zero or out of its range.
pub(crate) fn merge<C: Settings>(task: TaskName, file: Option<&ConfigFile>, flags: &Flags) -> Result<(C, Keeping)> {
    let (mut config, mut keeping) = (C::default(), Keeping::default());
    let mut set = |name: &str, value: &str| match keeping.set(name, value) {
        Err(SettingError::Unknown { .. }) => config.set(name, value).and_then(|()| config.check::<f32>()),
        result => result,
    };
    for (file, entry) in file.iter().flat_map(|file| file.settings().map(move |entry| (file, entry))) {
        set(&entry.key, &entry.value).map_err(|error| match error {
            SettingError::Unknown { name } => file.error(entry.key_at, unknown(task, &name)),
            invalid => file.error(entry.value_at, invalid.to_string()),
        })?;
    }
    for (name, value) in &flags.0 {
        set(name, value).map_err(|error| match error {
            SettingError::Unknown { name } => {
                Error::input(format!("--{}: {}", name.replace('_', "-"), unknown(task, &name)))
            }
            invalid => Error::input(format!("--{}: {invalid}", name.replace('_', "-"))),
        })?;
    }
    Ok((config, keeping))
}

/// The settings that are not at their defaults, as name and value.
pub(crate) fn changes<C: Settings>(config: &C) -> Vec<(&'static str, String)> {
    let default = C::default();
    let changed = |field: &&Field| config.get(field.name) != default.get(field.name);
    let value = |field: &Field| (field.name, config.get(field.name).expect("a setting of the table"));
    C::FIELDS.iter().filter(changed).map(value).collect()
}

/// What to say about a setting that `task` does not have.
fn unknown(task: TaskName, name: &str) -> String {
    match TaskName::ALL.into_iter().find(|other| other.default_of(name).is_some()) {
        Some(other) => format!(
            "{name} is a setting of the task {other}, and this run's task is {task}; leave it out, or choose --task {other}",
            other = other.name(),
            task = task.name(),
        ),
        None => {
            let names = task.fields().iter().chain(Keeping::FIELDS).map(|field| field.name);
            let names = names.chain(crate::file::OTHER_KEYS);
            format!("there is no setting {name}{}", suggestion(name, names))
        }
    }
}
