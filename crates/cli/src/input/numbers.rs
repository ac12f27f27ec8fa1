//! Parsers for numbers on the command line.

use std::ops::Range;

use rl::tasks::STAGES;

use crate::error::{Error, Result};
use crate::input::task_name;

/// Parses a number of threads.
///
/// # Errors
/// If the text is not a whole number from 1 to 1024.
pub(crate) fn parse_threads(text: &str) -> std::result::Result<usize, String> {
    parse_up_to(text, 1024)
}

/// Parses a number of updates.
///
/// # Errors
/// If the text is not a whole number from 1 to 1 000 000 000.
pub(crate) fn parse_updates(text: &str) -> std::result::Result<usize, String> {
    parse_up_to(text, 1_000_000_000)
}

/// Parses a number of episodes.
///
/// # Errors
/// If the text is not a whole number from 1 to 16 777 216.
pub(crate) fn parse_episodes(text: &str) -> std::result::Result<usize, String> {
    parse_up_to(text, 1 << 24)
}

fn parse_up_to(text: &str, max: usize) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {max}"))
}

/// Returns the range of the given stage, or of all stages.
///
/// # Errors
/// If the stage does not exist.
pub(crate) fn select_stages(stage: Option<usize>) -> Result<Range<usize>> {
    match stage {
        None => Ok(0..STAGES),
        Some(stage) if stage < STAGES => Ok(stage..stage + 1),
        Some(stage) => {
            let (task, last) = (task_name::NAME, STAGES - 1);
            Err(Error::input(format!("there is no stage {stage}: {task} has stages 0 to {last}; did you mean {last}?")))
        }
    }
}
