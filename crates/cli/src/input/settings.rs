//! Settings from their three sources: defaults, then the configuration file, then flags. Every flag, its help and its
//! errors come from the tables that `rl::settings!` declares.

use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use rl::config::Config;
use rl::settings::{Field, SettingError, Settings};

use crate::error::{Error, Result, suggestion};
use crate::input::checkpoint_policy::Keeping;
use crate::input::config_file::{ConfigFile, OTHER_KEYS};

/// The settings of the table `C` that were given as flags, as name and value.
#[derive(Clone, Debug)]
pub(crate) struct Flags<C> {
    given: Vec<(&'static str, String)>,
    table: PhantomData<C>,
}

impl<C: Settings> Flags<C> {
    /// True if none was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Sets the settings that were given.
    ///
    /// # Errors
    /// If a value is out of its setting's range, or becomes zero or leaves the range as an f32, in which the command computes.
    pub(crate) fn apply(&self, config: &mut C) -> Result<()> {
        self.given.iter().try_for_each(|(name, value)| {
            let set = config.set(name, value).and_then(|()| config.check::<f32>());
            set.map_err(|error| Error::input(format!("--{}: {error}", name.replace('_', "-"))))
        })
    }
}

impl<C: Settings> Args for Flags<C> {
    fn augment_args(command: Command) -> Command {
        let default = C::default();
        C::FIELDS.iter().fold(command, |command, field| command.arg(flag(field, &default)))
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

fn flag<C: Settings>(field: &'static Field, default: &C) -> Arg {
    let default = default.get(field.name).expect("a setting of the table");
    Arg::new(field.name)
        .long(field.name.replace('_', "-"))
        .value_name("VALUE")
        .allow_negative_numbers(true)
        .help(format!("{} Takes {} [default: {default}]", field.doc, field.range))
}

/// The settings of a run and of its checkpoints, from its configuration file if there is one.
///
/// # Errors
/// If the file names a setting that does not exist, or a value is out of its setting's range, or becomes zero or leaves the range as
/// an f32, in which the command computes.
pub(crate) fn read(file: Option<&ConfigFile>) -> Result<(Config, Keeping)> {
    let (mut config, mut keeping) = (Config::default(), Keeping::default());
    for (file, entry) in file.iter().flat_map(|file| file.settings().map(move |entry| (file, entry))) {
        let set = match keeping.set(&entry.key, &entry.value) {
            Err(SettingError::Unknown { .. }) => {
                config.set(&entry.key, &entry.value).and_then(|()| config.check::<f32>())
            }
            result => result,
        };
        set.map_err(|error| match error {
            SettingError::Unknown { name } => {
                let names = Config::FIELDS.iter().chain(Keeping::FIELDS).map(|field| field.name).chain(OTHER_KEYS);
                file.error(entry.key_at, format!("there is no setting {name}{}", suggestion(&name, names)))
            }
            invalid => file.error(entry.value_at, invalid),
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
