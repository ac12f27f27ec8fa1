//! The names of tasks.

pub(crate) use rl::tasks::calculator::NAME;

use crate::error::suggestion;

/// Advice for people who look for the tutorial among the tasks.
const MOVED: &str = "the tutorial has a command of its own now: gradus tutorial; the files of its earlier runs stay as they \
     are, with the page in report.html and the figures in test.json";

/// Reads the name of a task.
///
/// # Errors
/// If there is none of this name.
pub(crate) fn parse(name: &str) -> Result<&'static str, String> {
    match name {
        NAME => Ok(NAME),
        "tutorial" => Err(MOVED.into()),
        _ => Err(format!("there is no task {name}, only {NAME}{}", suggestion(name, [NAME]))),
    }
}
