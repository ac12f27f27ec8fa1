//! Numbers on the command line.

use std::ops::Range;

use rl::tasks::STAGES;

use crate::error::{Error, Result};
use crate::input::task_name;

/// The number of threads.
///
/// # Errors
/// If there cannot be as many.
pub(crate) fn threads(text: &str) -> std::result::Result<usize, String> {
    within(text, 1024)
}

/// A number of updates.
///
/// # Errors
/// If there cannot be as many.
pub(crate) fn updates(text: &str) -> std::result::Result<usize, String> {
    within(text, 1_000_000_000)
}

/// A number of episodes.
///
/// # Errors
/// If there cannot be as many.
pub(crate) fn episodes(text: &str) -> std::result::Result<usize, String> {
    within(text, 1 << 24)
}

fn within(text: &str, most: usize) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("it takes whole numbers from 1 to {most}"))
}

/// The stage that was asked for, or all.
///
/// # Errors
/// If there is no such stage.
pub(crate) fn stages(stage: Option<usize>) -> Result<Range<usize>> {
    match stage {
        None => Ok(0..STAGES),
        Some(stage) if stage < STAGES => Ok(stage..stage + 1),
        Some(stage) => {
            let (task, last) = (task_name::NAME, STAGES - 1);
            Err(Error::input(format!("there is no stage {stage}: {task} has stages 0 to {last}; did you mean {last}?")))
        }
    }
}
