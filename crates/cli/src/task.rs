//! The tasks by their names, and the tables of settings that their runs have.

use clap::ValueEnum;
use rl::config::Config;
use rl::settings::{Field, Settings};
use rl::solver::Solvable;
use rl::tasks::{Calculator, Tutorial};
use rl::tutorial::TutorialConfig;

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskName {
    /// The tutorial repaired.
    Calculator,
    /// The tutorial as it is.
    Tutorial,
}

impl TaskName {
    /// All of them, the default one first.
    pub(crate) const ALL: [Self; 2] = [Self::Calculator, Self::Tutorial];

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calculator => "calculator",
            Self::Tutorial => "tutorial",
        }
    }

    /// The task of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }

    /// The task with its default settings.
    pub(crate) fn task(self) -> Box<dyn Solvable> {
        match self {
            Self::Calculator => Box::new(Calculator::default()),
            Self::Tutorial => Box::new(Tutorial),
        }
    }

    /// The settings of its runs.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Calculator => Config::FIELDS,
            Self::Tutorial => TutorialConfig::FIELDS,
        }
    }

    /// The default of a setting, if runs of this task have it.
    pub(crate) fn default_of(self, setting: &str) -> Option<String> {
        match self {
            Self::Calculator => Config::default().get(setting),
            Self::Tutorial => TutorialConfig::default().get(setting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_there_under_its_own_name() {
        assert_eq!(TaskName::ALL.map(TaskName::name), rl::tasks::NAMES);
        for task in TaskName::ALL {
            assert_eq!(task.task().name(), task.name());
            assert_eq!(TaskName::find(task.name()), Some(task));
            assert_eq!(TaskName::from_str(task.name(), false), Ok(task));
        }
    }
}
