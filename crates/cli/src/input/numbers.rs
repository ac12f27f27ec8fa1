//! Parsers for numbers on the command line.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use crate::error::{Error, Result};

/// Largest seed: the largest integer of TOML.
pub(crate) const MAX_SEED: u64 = i64::MAX as u64;

/// Valid numbers of threads.
pub(crate) const THREADS: RangeInclusive<usize> = 1..=1024;
/// Valid numbers of updates.
pub(crate) const UPDATES: RangeInclusive<usize> = 1..=1_000_000_000;
/// Valid numbers of episodes per stage.
pub(crate) const EPISODES: RangeInclusive<usize> = 1..=1 << 24;
/// Valid seeds.
pub(crate) const SEEDS: RangeInclusive<u64> = 0..=MAX_SEED;
/// Valid stages, before the task is known.
pub(crate) const STAGES: RangeInclusive<usize> = 0..=255;

/// Returns a parser of whole numbers in `range`. Its error says what was expected.
pub(crate) fn parse_whole_in<T: FromStr + PartialOrd + Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> std::result::Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| describe(&range))
    }
}

fn describe<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("expected a whole number from {} to {}", range.start(), range.end())
}

/// Returns the range of the given stage, or of all `stages` of a task.
///
/// # Errors
/// If the task has no such stage.
pub(crate) fn select_stages(stage: Option<usize>, stages: usize) -> Result<Range<usize>> {
    match stage {
        None => Ok(0..stages),
        Some(stage) if stage < stages => Ok(stage..stage + 1),
        Some(stage) => {
            let expected = describe(&(0..=stages - 1));
            Err(Error::input(format!("invalid value '{stage}' for '--stage <N>': {expected}")))
        }
    }
}
