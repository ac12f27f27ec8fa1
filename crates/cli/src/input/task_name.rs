//! Parser for the name of a task.

pub(crate) use rl::tasks::calculator::NAME;

use crate::error::suggest_name;

/// Message for users who pass the tutorial as a task.
const TUTORIAL_MOVED: &str = "tutorial is no longer a task; use the command gradus tutorial; earlier runs keep their files, with \
     the page in report.html and the results in test.json";

/// Parses the name of a task.
///
/// # Errors
/// If no task of this name exists.
pub(crate) fn parse(name: &str) -> Result<&'static str, String> {
    match name {
        NAME => Ok(NAME),
        "tutorial" => Err(TUTORIAL_MOVED.into()),
        _ => Err(format!("there is no task {name}; the only task is {NAME}{}", suggest_name(name, [NAME]))),
    }
}
